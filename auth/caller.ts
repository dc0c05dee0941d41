/**
 * The client of a request, as far as the rules need it. Must not know a header or the name of a cookie.
 *
 * @module
 */
import type { Locale } from "./languages.ts";

/** How many characters of a `User-Agent` are stored. */
const MOST_USER_AGENT = 256;

/** The source of a request. Each part may be unknown. */
export interface Caller {
  ip?: string;
  userAgent?: string;
  /** The session id that the client sent. */
  session?: string;
  /** The value of its device cookie. */
  device?: string;
  locale?: Locale;
  /** Finds the request's lines in the log. */
  requestId?: string;
  /** Fires when the client leaves. */
  signal?: AbortSignal;
}

/** The columns that describe a client. */
export function callerColumns(caller: Caller): { ip: string | null; user_agent: string | null } {
  return { ip: caller.ip ?? null, user_agent: caller.userAgent?.slice(0, MOST_USER_AGENT).toWellFormed() ?? null };
}
