/**
 * Lets pages of trusted origins call this service from the browser (Fetch standard, 3.2). Must not be used when no
 * origin is trusted: then no other origin can read an answer (S67).
 *
 * @module
 */
import type { Context, Next } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { noContent, type RequestEnv } from "./answers.ts";

/** What a trusted page may send. The browser asks for this first. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "content-type, x-request-id",
  "access-control-max-age": "600",
};

/** The headers of an answer that no other origin may read. Caches must not give it to one that may. */
export function headersForNoOrigin(
  { config }: Pick<Auth, "config">,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return config.trustedOrigins.length > 0 ? { ...headers, "vary": "origin" } : headers;
}

/**
 * Adds the headers that let a trusted origin read answers, with cookies, and answers its preflights. No header repeats
 * any other origin. `Vary` keeps caches from giving one origin's answer to another.
 */
export function shareWithOrigins(auth: Auth): (c: Context<RequestEnv>, next: Next) => Promise<Response | void> {
  const { trustedOrigins } = auth.config;
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined || !trustedOrigins.includes(origin)) {
      c.set("headers", headersForNoOrigin(auth, c.get("headers")));
      return await next();
    }
    c.set("headers", {
      ...c.var.headers,
      "vary": "origin",
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "error-code, retry-after, x-request-id",
    });
    const isPreflight = c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined;
    return isPreflight ? noContent(c, PREFLIGHT) : await next();
  };
}
