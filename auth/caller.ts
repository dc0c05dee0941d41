/**
 * Who is asking, as far as the rules need to know. Must not know a header or a cookie's name.
 *
 * @module
 */
import type { Locale } from "./languages.ts";

/** Longest name of a client that is kept, in characters. */
const MOST_USER_AGENT = 256;

/** Where a request comes from; each part may be unknown. */
export interface Caller {
  /** Its address. */
  ip?: string;
  /** What it calls itself. */
  userAgent?: string;
  /** The session id that it sent. */
  session?: string;
  /** The device cookie that it sent. */
  device?: string;
  /** The language that it asks for. */
  locale?: Locale;
  /** The request's id, by which the log's lines about it are found. */
  requestId?: string;
  /** Fires when it leaves. */
  signal?: AbortSignal;
}

/** What is stored of a client. */
export function callerColumns(caller: Caller): { ip: string | null; user_agent: string | null } {
  return { ip: caller.ip ?? null, user_agent: caller.userAgent?.slice(0, MOST_USER_AGENT).toWellFormed() ?? null };
}
