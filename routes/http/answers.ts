/**
 * Builds every answer of this service, so that none is sent without its headers. Must not decide a status.
 *
 * @module
 */
import type { Context } from "hono";
import type { Config } from "../../auth/config.ts";

/** What Deno.serve and the middleware give the handlers with a request. */
export interface RequestEnv {
  /** Set by Deno.serve. Absent when a test calls the app directly. */
  Bindings: { remoteAddr?: Deno.Addr };
  Variables: {
    requestId: string;
    headers: Readonly<Record<string, string>>;
    /** In milliseconds. Only tests set it, to let a deadline pass. */
    bodyDeadline?: number;
  };
}

/**
 * The part of Hono's Context that session checks need to read and answer a request. The other implementation is in
 * session_checks.ts.
 */
export interface Exchange {
  readonly req: {
    readonly method: string;
    readonly raw: Request;
    header(name: string): string | undefined;
    /** The first value of a query parameter, decoded. */
    query(name: string): string | undefined;
  };
  readonly env: RequestEnv["Bindings"];
  get<Name extends keyof RequestEnv["Variables"]>(name: Name): RequestEnv["Variables"][Name];
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
const PUBLIC_HEADERS: Readonly<Record<string, string>> = {
  ...HEADERS,
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

/** What every answer of this service is sent with. */
export function headersOf({ profile }: Pick<Config, "profile">): Readonly<Record<string, string>> {
  return profile === "local" ? HEADERS : PUBLIC_HEADERS;
}

/** Answers with JSON, which has no charset parameter (RFC 8259 11). `more` holds further headers. */
export function answer(
  c: Exchange,
  body: unknown,
  status = 200,
  more: Record<string, string> = {},
): Response {
  return respond(c, JSON.stringify(body), "application/json", status, more);
}

function respond(
  c: Exchange,
  text: string,
  type: string,
  status: number,
  more: Record<string, string>,
): Response {
  const response = new Response(text, { status });
  const { headers } = response;
  const always = c.get("headers");
  // One by one: a whole record or Headers object is checked and copied, which costs three times as much.
  for (const name in always) headers.set(name, always[name]);
  headers.set("content-type", type);
  headers.set("x-request-id", c.get("requestId"));
  // Otherwise the server would send 0, because it leaves the body out. GET has another length (RFC 9110 8.6).
  if (c.req.method === "HEAD") headers.set("content-length", String(new TextEncoder().encode(text).length));
  for (const name in more) headers.set(name, more[name]);
  return response;
}

/** In addition to {@linkcode HEADERS} for every page. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  // No page of another site gets a reference to this page's window (S66).
  "cross-origin-opener-policy": "same-origin",
  // With `no-referrer`, browsers send `Origin: null` with our own forms (Fetch, "append a request Origin header"). With
  // `same-origin`, the token of a link would be in the Referer to our assets and to other applications of this host.
  "referrer-policy": "strict-origin",
};
/**
 * Answers with JSON whose text comes in parts, each when the client has taken the one before. `close` is called once,
 * after the last part, an error, or when the client leaves. An error breaks the answer off, so that nobody takes a part
 * for the whole.
 */
export function answerInParts(
  c: Context<RequestEnv>,
  parts: AsyncIterator<string>,
  close: () => Promise<void>,
  more: Record<string, string> = {},
): Response {
  const encoder = new TextEncoder();
  let closed: Promise<void> | undefined;
  // A client that leaves while a part is made ends the answer twice.
  const end = (): Promise<void> => closed ??= close();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await parts.next();
        if (!done) return controller.enqueue(encoder.encode(value));
      } catch (error) {
        await end();
        throw error;
      }
      await end();
      controller.close();
    },
    cancel: end,
  }, { highWaterMark: 0 });
  // Nobody reads the body of an answer to HEAD.
  const isHead = c.req.method === "HEAD";
  if (isHead) void body.cancel();
  const response = new Response(isHead ? null : body, {
    headers: { ...c.get("headers"), "x-request-id": c.get("requestId"), ...more },
  });
  response.headers.set("content-type", "application/json");
  return response;
}

/** Answers with a page. The headers in `more` say what it may load, and from where. */
export function html(c: Context<RequestEnv>, body: string, status: number, more: Record<string, string>): Response {
  return respond(c, body, "text/html; charset=utf-8", status, { ...PAGE_HEADERS, ...more });
}

/** Answers with a file whose content never changes under its name. */
export function file(c: Context<RequestEnv>, body: string, type: string): Response {
  return respond(c, body, `${type}; charset=utf-8`, 200, { "cache-control": "public, max-age=31536000, immutable" });
}

/**
 * Redirects by 302, as the classic contract says. After a form it must be 303, which makes the browser use GET (RFC
 * 9110 15.4.4).
 */
export function redirect(
  c: Exchange,
  location: string,
  more: Record<string, string> = {},
  status: 302 | 303 = 302,
): Response {
  return new Response(null, {
    status,
    headers: { ...c.get("headers"), "x-request-id": c.get("requestId"), location, ...more },
  });
}

/** Answers 204, without a body. */
export function noContent(c: Context<RequestEnv>, more: Record<string, string>): Response {
  return new Response(null, { status: 204, headers: { ...c.var.headers, "x-request-id": c.var.requestId, ...more } });
}

/** Adds these `Set-Cookie` values to an answer. The session is always the first: some scripts read one line only. */
export function withCookies(response: Response, ...cookies: string[]): Response {
  const { headers } = response;
  const all = [...headers.getSetCookie(), ...cookies];
  headers.delete("set-cookie");
  for (const cookie of all.filter(isSession)) headers.append("set-cookie", cookie);
  for (const cookie of all.filter((each) => !isSession(each))) headers.append("set-cookie", cookie);
  return response;
}

function isSession(cookie: string): boolean {
  return /^(?:__Host-)?session_id=/.test(cookie);
}

/**
 * How long an answer is held open before it breaks off, in milliseconds. A client that sends nothing meanwhile is not
 * cut: it ends like any idle connection.
 */
const HELD_OPEN = 1_500;

/**
 * Closes the connection after an answer (RFC 9110 15.5.9). Deno waits for the rest of a body that nobody reads,
 * whatever `Connection: close` says. It ends a connection only when an answer breaks off, and only when a byte arrives
 * between the answer's text and that moment. So a client that sends a byte a second is cut.
 */
export function closeAfter(response: Response): Response {
  const whole = response.body!.getReader();
  let held: ReturnType<typeof setTimeout> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await whole.read();
      if (!part.done) return controller.enqueue(part.value);
      await new Promise((resolve) => held = setTimeout(resolve, HELD_OPEN));
      controller.error(new CutOff());
    },
    // The client has gone.
    cancel: () => clearTimeout(held),
  }, { highWaterMark: 0 });
  return new Response(body, { status: response.status, headers: response.headers });
}

/** Breaks such an answer off. It is no fault, so it is not logged. */
class CutOff extends Error {}

/** Formats milliseconds since 1970 as ISO 8601 in UTC. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
