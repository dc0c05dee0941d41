/**
 * Answers the session checks in front of the router, by the same functions that the router would call. An application
 * asks them all the time, and Hono's chain of middleware costs as much as the check. Must not contain a check, and must
 * not answer a request that the middleware would refuse: that goes to the router.
 *
 * @module
 */
import type { Hono } from "hono";
import { getQueryParam } from "hono/utils/url";
import type { Auth } from "../../auth/auth.ts";
import { type Exchange, headersOf, type RequestEnv } from "./answers.ts";
import { headersForNoOrigin } from "./cors.ts";
import { answerError } from "./errors.ts";
import { isForThisMachine } from "./origin.ts";
import { requestId, type RequestRecorder } from "./request_log.ts";

/** A handler that needs no more of a request than an Exchange. What it throws is answered as JSON. */
export type Check = (c: Exchange) => Promise<Response>;

type Fetch = Hono<RequestEnv>["fetch"];

/** Answers `GET` of these paths; `fetch` is the router, for every other request. */
export function checkSessions(
  auth: Auth,
  record: RequestRecorder,
  checks: ReadonlyMap<string, Check>,
  fetch: Fetch,
): Fetch {
  const headers = headersForNoOrigin(auth, headersOf(auth.config));
  const isLocal = auth.config.profile === "local";
  const shares = auth.config.trustedOrigins.length > 0;
  return (request, env = {}, execution) => {
    const path = request.method === "GET" ? pathOf(request.url) : "";
    const check = checks.get(path);
    if (
      check === undefined || (isLocal && !isForThisMachine(request)) ||
      (shares && request.headers.has("origin"))
    ) return fetch(request, env, execution);
    return answered(check, new DirectExchange(request, env, headers), path);
  };

  async function answered(check: Check, c: DirectExchange, route: string): Promise<Response> {
    const start = performance.now();
    let response: Response;
    try {
      response = await check(c);
    } catch (error) {
      response = answerError(auth, c, error);
    }
    record(c, route, response, start);
    return response;
  }
}

/** The path of a URL as it was sent, without its query. The scheme may be `http+unix` (DENO_SERVE_ADDRESS). */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

/** An exchange that no router has seen. */
class DirectExchange implements Exchange {
  readonly raw: Request;
  readonly method: string;
  readonly env: RequestEnv["Bindings"];
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyDeadline = undefined;

  constructor(
    raw: Request,
    env: RequestEnv["Bindings"],
    headers: Readonly<Record<string, string>>,
  ) {
    this.raw = raw;
    this.method = raw.method;
    this.env = env;
    this.headers = headers;
    this.requestId = requestId(this.header("x-request-id"));
  }

  get req(): Exchange["req"] {
    return this;
  }

  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? undefined;
  }

  /** By the router's own function. `new URL` would throw, because a client can write anything into Host. */
  query(name: string): string | undefined {
    return getQueryParam(this.raw.url, name) as string | undefined;
  }

  get<Name extends keyof RequestEnv["Variables"]>(name: Name): RequestEnv["Variables"][Name] {
    return this[name];
  }
}
