/**
 * Keeps the return address in the browser while users read their mail. The link of a mail must not carry it: anybody
 * can have that mail sent to anybody. They could put their own text into it. Must not decide where users may be sent:
 * the value is checked again after it is read (S62).
 *
 * @module
 */
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import type { Auth } from "../../../auth/auth.ts";
import type { RequestEnv } from "../../http/answers.ts";
import { readCookie } from "../../http/cookies.ts";

/** In seconds. As long as the longest lifetime of a link in such a mail. */
const LIFETIME = 24 * 60 * 60;

/** The return address that the browser kept, unchecked. */
export function readReturnCookie(auth: Auth, c: Context<RequestEnv>): string | undefined {
  const kept = readCookie(c.req.header("cookie"), nameOf(auth));
  try {
    return kept === undefined ? undefined : decodeURIComponent(kept);
  } catch {
    return undefined;
  }
}

/** The cookie that keeps the return address of a page. Empty when the page has none. */
export function setReturnCookie({ auth, returnTo }: { auth: Auth; returnTo?: string }): string[] {
  return returnTo === undefined ? [] : [write(auth, returnTo, LIFETIME)];
}

/** The cookie that deletes the kept return address. Empty when none was kept. */
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
