/**
 * What happens around the handler of every request: a request id, a log entry, and an answer when there is no handler.
 * Must not know an endpoint.
 *
 * @module
 */
import type { Context, Hono, Next } from "hono";
import { routePath } from "hono/route";
import type { Auth } from "../../auth/auth.ts";
import type { RequestLine } from "../../auth/runtime/log.ts";
import { METHODS, type RequestCounts } from "../../auth/runtime/metrics.ts";
import { type Exchange, headersOf, type RequestEnv } from "./answers.ts";
import { clientAddress } from "./client_address.ts";
import { answerError, RequestError } from "./errors.ts";
import { traceRoute } from "./tracing.ts";

/** Counts an answered request and writes its log entry. `start` is the `performance.now()` of its arrival. */
export type RequestRecorder = (c: Exchange, route: string | null, response: Response, start: number) => void;

/**
 * Makes what records each request. The entry has the route's pattern, never a path, a query or a cookie (S71). For a
 * refusal it also has the error code and the client's address (ASVS 16.3.2, 16.3.3).
 */
export function recorder(auth: Auth, counts: RequestCounts): RequestRecorder {
  return (c, route, response, start) => {
    const method = METHODS.includes(c.req.method) ? c.req.method : "other";
    const { status } = response;
    const ms = Math.round((performance.now() - start) * 1000) / 1000;
    counts.count(method, route, status, ms);
    traceRoute?.(method, route);
    const line: RequestLine = {
      time: new Date().toISOString(),
      request_id: c.get("requestId"),
      method,
      route,
      status,
      ms,
    };
    const code = status < 400 ? null : response.headers.get("error-code");
    if (code !== null) {
      counts.refused(code);
      line.error_code = code;
      line.ip = clientAddress(auth, c);
    }
    auth.log.writeRequest(line);
  };
}

/** Gives each request its id and its headers, and records it. */
export function logRequests(
  auth: Auth,
  record: RequestRecorder,
): (c: Context<RequestEnv>, next: Next) => Promise<void> {
  const headers = headersOf(auth.config);
  return async (c, next) => {
    const start = performance.now();
    c.set("requestId", requestId(c.req.header("x-request-id")));
    c.set("headers", headers);
    await next();
    const pattern = routePath(c, -1);
    record(c, pattern === "/*" ? null : pattern, c.res, start);
  };
}

/** Answers a request without a route: 405 with Allow when the path has other methods, else 404 (RFC 9110 15.5.6). */
export function notFound(auth: Auth, app: Hono<RequestEnv>): (c: Context<RequestEnv>) => Response {
  return (c) => {
    const allowed = METHODS.filter((method) => hasRoute(app, method === "HEAD" ? "GET" : method, c.req.path));
    if (allowed.length === 0) return answerError(auth, c, new RequestError("not_found", "there is nothing here"));
    const refusal = new RequestError("method_not_allowed", `this path takes ${allowed.join(", ")}`);
    const response = answerError(auth, c, refusal);
    response.headers.set("allow", allowed.join(", "));
    return response;
  };
}

function hasRoute(app: Hono<RequestEnv>, method: string, path: string): boolean {
  // What all paths pass is no route.
  return app.router.match(method, path)[0].some(([[, route]]) => route.method === method && route.path !== "/*");
}

/** The caller's own id when it is plain, so that all logs have the same id; else a new one. */
export function requestId(given: string | undefined): string {
  return given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : crypto.randomUUID();
}
