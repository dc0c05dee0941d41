/**
 * Where somebody came from, kept by the browser while they read their mail: the link of a mail must not carry it, since
 * anybody can have that mail sent to anybody, and would put a text of their own into it. Must not decide where people
 * may be sent: what is read is checked again (S62).
 *
 * @module
 */
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import type { Auth } from "../../../auth/auth.ts";
import type { RequestEnv } from "../../http/answers.ts";
import { readCookie } from "../../http/cookies.ts";

/** As long as the longest link of such a mail is good, in seconds. */
const LIFETIME = 24 * 60 * 60;

/** What the browser kept, unchecked. */
export function readReturnCookie(auth: Auth, c: Context<RequestEnv>): string | undefined {
  const kept = readCookie(c.req.header("cookie"), nameOf(auth));
  try {
    return kept === undefined ? undefined : decodeURIComponent(kept);
  } catch {
    return undefined;
  }
}

/** The cookie by which a browser keeps the way back that a page was asked with; none where there is none. */
export function setReturnCookie({ auth, returnTo }: { auth: Auth; returnTo?: string }): string[] {
  return returnTo === undefined ? [] : [write(auth, returnTo, LIFETIME)];
}

/** The cookie that takes it away once somebody is there; none where none was kept. */
export function clearReturnCookie({ auth, c }: { auth: Auth; c: Context<RequestEnv> }): string[] {
  return readReturnCookie(auth, c) === undefined ? [] : [write(auth, "", 0)];
}

function write(auth: Auth, value: string, maxAge: number): string {
  const secure = auth.config.profile === "public";
  return serialize(nameOf(auth), value, { path: "/", httpOnly: true, secure, sameSite: "Lax", maxAge });
}

function nameOf(auth: Auth): string {
  return auth.config.profile === "local" ? "return_to" : "__Host-return_to";
}
