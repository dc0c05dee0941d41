/**
 * Every answer of this service is built here, so that none goes out without its headers. Must not decide a status.
 *
 * @module
 */
import type { Context } from "hono";

/** What the door puts beside a request for the handlers. */
export interface RequestEnv {
  /** Filled by Deno.serve; absent when a test calls the app itself. */
  Bindings: { remoteAddr?: Deno.Addr };
  /** Filled by the door. */
  Variables: {
    requestId: string;
    headers: Readonly<Record<string, string>>;
    /** In milliseconds; only tests set it, to see a deadline pass. */
    bodyDeadline?: number;
  };
}

/** Sent with every answer (S43, S66; OWASP HTTP Headers Cheat Sheet). */
export const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Sent with every answer of the public profile. */
export const PUBLIC_HEADERS: Readonly<Record<string, string>> = {
  ...HEADERS,
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

/**
 * JSON with the headers of every answer, the request's id, and more headers where given.
 *
 * @internal
 */
export function answer(
  c: Context<RequestEnv>,
  body: unknown,
  status = 200,
  more: Record<string, string> = {},
): Response {
  return respond(c, JSON.stringify(body), "application/json; charset=utf-8", status, more);
}

function respond(
  c: Context<RequestEnv>,
  text: string,
  type: string,
  status: number,
  more: Record<string, string>,
): Response {
  const response = new Response(text, { status });
  const { headers } = response;
  const always = c.get("headers");
  // One by one: a record or a Headers object is checked and copied whole, which costs three times as much.
  for (const name in always) headers.set(name, always[name]);
  headers.set("content-type", type);
  headers.set("x-request-id", c.get("requestId"));
  // Else the server would announce 0 for a body that it leaves out, which is not what GET has (RFC 9110 8.6).
  if (c.req.method === "HEAD") headers.set("content-length", String(new TextEncoder().encode(text).length));
  for (const name in more) headers.set(name, more[name]);
  return response;
}

/**
 * A page. Its own headers say what it may load, and from where.
 *
 * @internal
 */
export function html(c: Context<RequestEnv>, body: string, status: number, more: Record<string, string>): Response {
  // No page of another site gets a handle on this one's window (S66).
  return respond(c, body, "text/html; charset=utf-8", status, { "cross-origin-opener-policy": "same-origin", ...more });
}

/**
 * A file that never changes under its name.
 *
 * @internal
 */
export function file(c: Context<RequestEnv>, body: string, type: string): Response {
  return respond(c, body, `${type}; charset=utf-8`, 200, { "cache-control": "public, max-age=31536000, immutable" });
}

/**
 * A redirect by 302, which is what the classic contract asks for, or after a form by 303, which says GET (RFC 9110
 * 15.4.4).
 *
 * @internal
 */
export function redirect(
  c: Context<RequestEnv>,
  location: string,
  more: Record<string, string> = {},
  status: 302 | 303 = 302,
): Response {
  return new Response(null, {
    status,
    headers: { ...c.get("headers"), "x-request-id": c.get("requestId"), location, ...more },
  });
}

/**
 * 204, with the headers of every answer and more.
 *
 * @internal
 */
export function noContent(c: Context<RequestEnv>, more: Record<string, string>): Response {
  return new Response(null, { status: 204, headers: { ...c.var.headers, "x-request-id": c.var.requestId, ...more } });
}

/**
 * The same answer with these cookies.
 *
 * @internal
 */
export function withCookies(response: Response, ...cookies: string[]): Response {
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/**
 * The same answer, and behind it the connection is cut (RFC 9110 15.5.9). Deno waits for the rest of a body that nobody
 * reads, whatever `Connection: close` says, and has no other way to end a connection than an answer that breaks off.
 * It notices when the next byte arrives: a sender that trickles is gone at once, a silent one is as any idle connection.
 */
export function thenClosed(response: Response): Response {
  const whole = response.body!.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await whole.read();
      if (!part.done) return controller.enqueue(part.value);
      // An error right behind the text is never noticed.
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.error(new CutOff());
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: response.status, headers: response.headers });
}

/** What breaks such an answer off; no fault, and nothing for the log. */
export class CutOff extends Error {}

/** A time for an answer: ISO 8601 in UTC, out of milliseconds since 1970. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
