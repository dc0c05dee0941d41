/**
 * Decides which sites may make a browser act here, and which host names a local service accepts. Must not look at a
 * body or a content type: only headers that a web page cannot forge decide.
 *
 * @module
 */
import type { Context, Next } from "hono";
import type { Auth } from "../../auth/auth.ts";
import type { RequestEnv } from "./answers.ts";
import { RequestError } from "./errors.ts";

/** The names of this machine. A DNS rebinding attack arrives with the attacker's name (local profile). */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d{1,5})?$/i;

/** Whether this is a name of this machine, with or without a port. */
export function isLocalHost(host: string): boolean {
  return LOCAL_HOST.test(host);
}

/**
 * The methods that may change something (RFC 9110 9.2.1). No handler takes another one, except those that only read; a
 * test compares the list with the routes.
 */
export const UNSAFE_METHODS: string[] = ["POST", "PUT", "PATCH", "DELETE"];

/**
 * For the local profile: refuses a host name that is not this machine's, whatever the method (DNS rebinding). The
 * public profile never uses the Host header, so no request is refused because of it. Throws a RequestError:
 * `host_refused`.
 */
export function checkHost(): (c: Context<RequestEnv>, next: Next) => Promise<void> {
  return async (c, next) => {
    if (!isForThisMachine(c.req.raw)) throw new RequestError("host_refused", "this service answers to localhost only");
    await next();
  };
}

/** Whether a request names a host of this machine. */
export function isForThisMachine(request: Request): boolean {
  return isLocalHost(hostOf(request));
}

/**
 * For every unsafe method: refuses a request that another site made a browser send (S65, V28; OWASP CSRF Cheat Sheet).
 * Programs that are no browsers pass: they send neither `Sec-Fetch-Site` nor `Origin`. Throws a RequestError:
 * `origin_refused`.
 */
export function checkOrigin(auth: Auth): (c: Context<RequestEnv>, next: Next) => Promise<void> {
  const { publicUrl, trustedOrigins } = auth.config;
  return async (c, next) => {
    const origin = c.req.header("origin");
    const isOwn = (origin: string) =>
      publicUrl === undefined ? isLocal(origin, hostOf(c.req.raw)) : origin === publicUrl;
    const isTrusted = origin !== undefined && trustedOrigins.includes(origin);
    if (!isTrusted && isForeign(c.req.header("sec-fetch-site"), origin, isOwn)) {
      throw new RequestError("origin_refused", "this request comes from another site");
    }
    await next();
  };
}

/** HTTP/2 has the host in the URL (RFC 9113 8.3.1). When a client sent none at all, Deno writes localhost there. */
function hostOf({ headers, url }: Request): string {
  return headers.get("host") ?? URL.parse(url)?.host ?? "";
}

function isForeign(site: string | undefined, origin: string | undefined, isOwn: (origin: string) => boolean): boolean {
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  return origin !== undefined && !isOwn(origin);
}

/** A local service is its own origin under each of its names, on the port of the request. */
function isLocal(origin: string, host: string): boolean {
  if (!origin.startsWith("http://")) return false;
  const name = origin.slice("http://".length);
  return LOCAL_HOST.test(name) && portOf(name) === portOf(host);
}

function portOf(host: string): string {
  return /:(\d+)$/.exec(host)?.[1] ?? "80";
}
