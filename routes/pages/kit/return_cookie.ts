/**
 * Keeps the return address in the browser while users read their mail. The link of a mail must not carry it: anybody
 * can have that mail sent to anybody. They could put their own text into it. Must not decide where users may be sent:
 * the value is checked again after it is read (S62).
 *
 * @module
 */
import type { Context } from "hono";
import type { Auth } from "../../../auth/auth.ts";
import type { RequestEnv } from "../../http/answers.ts";
import { cookieName, readCookie, writeCookie } from "../../http/cookies.ts";

/** In milliseconds. As long as the longest lifetime of a link in such a mail. */
const LIFETIME = 24 * 60 * 60_000;
/** In characters. Browsers ignore a cookie whose name and value have more than 4,096 bytes (RFC 6265bis 5.6). */
const MOST = 4_000;

/** The return address that the browser kept, unchecked. */
export function readReturnCookie(auth: Auth, c: Context<RequestEnv>): string | undefined {
  const kept = readCookie(c.req.header("cookie"), cookieName(auth, "return_to"));
  try {
    return kept === undefined ? undefined : decodeURIComponent(kept);
  } catch {
    return undefined;
  }
}

/** The cookie that keeps the return address of a page. Empty when the page has none, or one that no cookie can hold. */
export function setReturnCookie({ auth, returnTo }: { auth: Auth; returnTo?: string }): string[] {
  if (returnTo === undefined) return [];
  // Only what ends a value is encoded: each character more makes a long address too long for a cookie.
  const value = returnTo.replace(/[%;,"\\]/g, encodeURIComponent);
  return value.length > MOST ? [] : [writeCookie(auth, "return_to", value, LIFETIME)];
}

/** The cookie that deletes the kept return address. Empty when none was kept. */
export function clearReturnCookie({ auth, c }: { auth: Auth; c: Context<RequestEnv> }): string[] {
  return readReturnCookie(auth, c) === undefined ? [] : [writeCookie(auth, "return_to", "", 0)];
}
