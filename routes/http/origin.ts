/**
 * Which sites may make a browser act here, and which names a local service answers to. Must not look at a body or a
 * content type: what a browser cannot forge decides.
 *
 * @module
 */
import type { Context, Next } from "hono";
import type { Auth } from "../../auth/auth.ts";
import type { RequestEnv } from "./answers.ts";
import { RequestError } from "./errors.ts";

/** The names of this machine; a rebinding attack arrives with the attacker's name (local profile). */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d{1,5})?$/i;

/** Whether this is a name of this machine, with or without a port. */
export function isLocalHost(host: string): boolean {
  return LOCAL_HOST.test(host);
}

const SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"];

/**
 * Refuses a request that another site made a browser send (S65, V28; OWASP CSRF Cheat Sheet) and, locally, one for a
 * name that is not this machine's (DNS rebinding). Clients that are no browsers send neither header and pass. Throws a
 * RequestError: `host_refused`, `origin_refused`.
 *
 * @internal
 */
export function checkOrigin(auth: Auth): (c: Context<RequestEnv>, next: Next) => Promise<void> {
  const { publicUrl, trustedOrigins } = auth.config;
  return async (c, next) => {
    // Over HTTP/2 the name is in the URL (RFC 9113 8.3.1); where a client sent none at all, Deno writes localhost there.
    const host = publicUrl === undefined ? c.req.header("host") ?? URL.parse(c.req.url)?.host ?? "" : "";
    // In public the Host header is never used, and so never a reason to refuse.
    if (publicUrl === undefined && !LOCAL_HOST.test(host)) {
      throw new RequestError("host_refused", "this service answers to localhost only");
    }
    if (!SAFE.includes(c.req.method)) {
      const origin = c.req.header("origin");
      const isOwn = (origin: string) => publicUrl === undefined ? isLocal(origin, host) : origin === publicUrl;
      const isTrusted = origin !== undefined && trustedOrigins.includes(origin);
      if (!isTrusted && isForeign(c.req.header("sec-fetch-site"), origin, isOwn)) {
        throw new RequestError("origin_refused", "this request comes from another site");
      }
    }
    await next();
  };
}

function isForeign(site: string | undefined, origin: string | undefined, isOwn: (origin: string) => boolean): boolean {
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  return origin !== undefined && !isOwn(origin);
}

/** A local service is its own origin under each of its names, on the port at which it was asked. */
function isLocal(origin: string, host: string): boolean {
  if (!origin.startsWith("http://")) return false;
  const name = origin.slice("http://".length);
  return LOCAL_HOST.test(name) && portOf(name) === portOf(host);
}

function portOf(host: string): string {
  return /:(\d+)$/.exec(host)?.[1] ?? "80";
}
