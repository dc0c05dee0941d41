/**
 * `/session`: the question that a reverse proxy asks for another application on the same host, before it lets a request
 * through (nginx `auth_request`, Caddy `forward_auth`, Traefik ForwardAuth). Must not answer by anything between 200 and
 * 401 to who does not ask for the login page: nginx knows no more.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { asciiEmail } from "../../auth/email_addresses.ts";
import { getUserFromSessionId, type SignedIn } from "../../auth/sign_in/current_user.ts";
import { namesHtml } from "../http/accept.ts";
import { answer, redirect, type RequestEnv } from "../http/answers.ts";
import { sessionCookie } from "../http/cookies.ts";
import { safeReturnTo } from "../http/return_to.ts";

/** Where a proxy writes which page was asked for: Caddy and Traefik the first, nginx by its configuration either. */
const ORIGINAL = ["x-forwarded-uri", "x-original-uri"];

/**
 * `GET /session`.
 *
 * @internal
 */
export function session(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", async (c) => {
    const user = await getUserFromSessionId(auth, sessionCookie(auth, c));
    if (user) return answer(c, {}, 200, userHeaders(user));
    if (c.req.query("login") === "1" && namesHtml(c)) return redirect(c, loginPath(c));
    return answer(c, { message: "not logged in" }, 401, { "error-code": "not_logged_in" });
  });
}

/**
 * What the application behind the proxy learns. All of it is printable ASCII, so that no value can end its line and
 * become a header of its own, or be read in another charset than it was written in.
 */
function userHeaders({ id, email, name }: SignedIn): Record<string, string> {
  return {
    "remote-user": id,
    "remote-email": asciiEmail(email),
    ...(name !== null && { "remote-name": headerText(name) }),
  };
}

/**
 * A text as a header's value: printable ASCII stands for itself, so that most names can be read as they are; all else,
 * `%` and spaces at the ends as percent-encoded UTF-8 (RFC 3986 2.1), so that `decodeURIComponent` gives back the text.
 */
export function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]+|%|^ +| +$/g, encodeURIComponent);
}

/** The login page, which leads back to the page that was asked for where the proxy named one; never to another host. */
function loginPath(c: Context<RequestEnv>): string {
  const page = ORIGINAL.map((name) => safeReturnTo(c.req.header(name), [])).find((path) => path !== undefined);
  return page === undefined ? "/login" : `/login?return_to=${encodeURIComponent(page)}`;
}
