/**
 * `/session`: checks the session for a reverse proxy (nginx `auth_request`, Caddy `forward_auth`, Traefik ForwardAuth).
 * The proxy asks before it lets a request through to another application on the same host. Must not answer with a
 * status between 200 and 401, except to redirect to the login page on request: nginx does not understand it.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { asciiEmail } from "../../auth/email_addresses.ts";
import { getUserFromSessionId, type SignedIn } from "../../auth/sign_in/current_user.ts";
import { namesHtml } from "../http/accept.ts";
import { answer, type Exchange, redirect, type RequestEnv } from "../http/answers.ts";
import { sessionCookie } from "../http/cookies.ts";
import { RequestError } from "../http/errors.ts";
import { safeReturnTo } from "../http/return_to.ts";
import type { Check } from "../http/session_checks.ts";

/**
 * Headers in which a proxy names the requested page. Caddy and Traefik send the first, nginx what it is configured to.
 */
const PAGE_HEADERS = ["x-forwarded-uri", "x-original-uri"];

/** Shared, and never changed: to make an error, with its stack, costs as much as the lookup. */
const NOT_LOGGED_IN = new RequestError("not_logged_in", "not logged in");

/**
 * Makes the handler of `GET /session`, for the router and for session_checks.ts. It throws a RequestError:
 * `not_logged_in` (401).
 */
export function checkSession(auth: Auth): Check {
  return async (c) => {
    const user = await getUserFromSessionId(auth, sessionCookie(auth, c));
    if (user) return answer(c, {}, 200, userHeaders(user));
    if (c.req.query("login") === "1" && namesHtml(c)) return redirect(c, loginPath(c));
    throw NOT_LOGGED_IN;
  };
}

/** Handles `GET /session`. */
export function session(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", checkSession(auth));
}

/**
 * The headers for the application behind the proxy. Every value is printable ASCII. So no value can begin a new header,
 * or be read in another charset than it was written in.
 */
function userHeaders({ id, email, name }: SignedIn): Record<string, string> {
  return {
    "remote-user": id,
    "remote-email": asciiEmail(email),
    ...(name !== null && { "remote-name": headerText(name) }),
  };
}

/**
 * Encodes a text as a header value. Printable ASCII stays as it is, so most names are readable. All else, `%`, and
 * spaces at the ends become percent-encoded UTF-8 (RFC 3986 2.1). `decodeURIComponent` gives back the text.
 */
function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]+|%|^ +| +$/g, encodeURIComponent);
}

/** The login page. Its return address is the requested page, if the proxy named one, and never another host. */
function loginPath(c: Exchange): string {
  const page = PAGE_HEADERS.map((name) => safeReturnTo(c.req.header(name), [])).find((path) => path !== undefined);
  return page === undefined ? "/login" : `/login?return_to=${encodeURIComponent(page)}`;
}
