/**
 * What lets pages of trusted origins call this service from the browser (Fetch standard, 3.2). Must not be there
 * at all where no origin is trusted: then no answer can be read by another origin (S67).
 *
 * @module
 */
import type { Context, Next } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { noContent, type RequestEnv } from "./answers.ts";

/** What a trusted page may send; the browser asks before it does. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "content-type, x-request-id",
  "access-control-max-age": "600",
};

/**
 * Gives the answers to a trusted origin the headers that let it read them, cookies included, and answers its
 * preflights. Any other origin is never repeated. `Vary` keeps one origin's answer from being kept for another.
 *
 * @internal
 */
export function shareWithOrigins(auth: Auth): (c: Context<RequestEnv>, next: Next) => Promise<Response | void> {
  const { trustedOrigins } = auth.config;
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined || !trustedOrigins.includes(origin)) {
      c.set("headers", { ...c.var.headers, "vary": "origin" });
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
