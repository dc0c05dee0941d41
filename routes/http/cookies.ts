/**
 * Reads cookies strictly, and writes them with every attribute. Must not know what a session is.
 *
 * @module
 */
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import type { Auth } from "../../auth/auth.ts";
import { DEVICE_LIFETIME } from "../../auth/limits/known_devices.ts";
import type { NewSession } from "../../auth/sign_in/sessions.ts";
import { type RequestEnv, withCookies } from "./answers.ts";

type CookieName = "session_id" | "device_id";

/** The session id that the client sent. Undefined when it sent none, or more than one. */
export function sessionCookie(auth: Pick<Auth, "config">, c: Context<RequestEnv>): string | undefined {
  return readCookie(c.req.header("cookie"), nameOf(auth, "session_id"));
}

/** The value of the device cookie that the client sent, or undefined. */
export function deviceCookie(auth: Pick<Auth, "config">, c: Context<RequestEnv>): string | undefined {
  return readCookie(c.req.header("cookie"), nameOf(auth, "device_id"));
}

/**
 * The value of the only cookie with exactly this name. Two of one name count as none: somebody planted one of them, and
 * a guess could be the wrong one (V33). Only space and tab are trimmed (RFC 6265), so that a look-alike name stays
 * another name.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined;
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || trimmed(pair.slice(0, equals)) !== name) continue;
    if (found !== undefined) return undefined;
    found = trimmed(pair.slice(equals + 1));
  }
  return found;
}

/** The `Set-Cookie` value for a session (S42). */
export function setSessionCookie(auth: Pick<Auth, "config">, session: NewSession): string {
  return write(auth, "session_id", session.sessionId, session.maxAge);
}

/** Adds the cookies of the session and of the device to the answer of a login. The device is known from now on. */
export function signedIn(auth: Pick<Auth, "config">, response: Response, cookies: SignedInCookies): Response {
  return withCookies(response, ...signedInCookies(auth, cookies));
}

/** The `Set-Cookie` values of {@linkcode signedIn}, the session's first. */
export function signedInCookies(auth: Pick<Auth, "config">, { session, device }: SignedInCookies): string[] {
  const cookies = [setSessionCookie(auth, session)];
  if (device !== undefined) cookies.push(write(auth, "device_id", device, DEVICE_LIFETIME));
  return cookies;
}

/** What the cookies of a login hold. */
export interface SignedInCookies {
  session: NewSession;
  /** The value of the device cookie. Undefined leaves the cookie as it is. */
  device: string | undefined;
}

/**
 * Removes the session cookie and clears the browser's storage, after a logout or the end of an account. The device
 * cookie stays: without it the device would become an unknown one (S43).
 */
export function signedOut(auth: Pick<Auth, "config">, response: Response): Response {
  response.headers.set("clear-site-data", '"storage"');
  return withCookies(response, write(auth, "session_id", "", 0));
}

/** `maxAge` is in milliseconds. */
function write(auth: Pick<Auth, "config">, name: CookieName, value: string, maxAge: number): string {
  return serialize(nameOf(auth, name), value, {
    path: "/",
    httpOnly: true,
    secure: auth.config.profile === "public",
    sameSite: "Lax",
    maxAge: Math.max(0, Math.floor(maxAge / 1000)),
  });
}

/**
 * The prefix `__Host-` keeps other hosts and plain http from planting the cookie (RFC 6265bis 4.1.3.2). Each profile
 * reads one name only.
 */
function nameOf(auth: Pick<Auth, "config">, name: CookieName): string {
  return auth.config.profile === "local" ? name : `__Host-${name}`;
}

/** Not by a regular expression: one for spaces at the end starts again at each of thousands of spaces. */
function trimmed(text: string): string {
  let start = 0, end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}
