/**
 * Reads cookies strictly, and writes them with every attribute. Must not know what a session is.
 *
 * @module
 */
import type { Context } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { DEVICE_LIFETIME } from "../../auth/limits/known_devices.ts";
import type { NewSession } from "../../auth/sign_in/sessions.ts";
import { type Exchange, type RequestEnv, withCookies } from "./answers.ts";

type CookieName = "session_id" | "device_id" | "return_to" | "browser_id";

/** What the writer of a cookie needs of the service. */
type Writer = Pick<Auth, "config" | "clock">;

/** The session id that the client sent. Undefined when it sent none, or more than one. */
export function sessionCookie(auth: Pick<Auth, "config">, c: Exchange): string | undefined {
  return readCookie(c.req.header("cookie"), cookieName(auth, "session_id"));
}

/** The value of the device cookie that the client sent, or undefined. */
export function deviceCookie(auth: Pick<Auth, "config">, c: Context<RequestEnv>): string | undefined {
  return readCookie(c.req.header("cookie"), cookieName(auth, "device_id"));
}

/** The value of the cookie that tells this browser's forms from those of others, or undefined. */
export function browserCookie(auth: Pick<Auth, "config">, c: Context<RequestEnv>): string | undefined {
  return readCookie(c.req.header("cookie"), cookieName(auth, "browser_id"));
}

/** The `Set-Cookie` value of that cookie. It proves nothing and ends with the browser. */
export function setBrowserCookie(auth: Writer, value: string): string {
  return writeCookie(auth, "browser_id", value);
}

/**
 * The value of the only cookie with exactly this name. Two of one name count as none: somebody planted one of them, and
 * a guess could be the wrong one (V33). Only space and tab are trimmed (RFC 6265), so that a look-alike name stays
 * another name. One pair of quotes is no part of the value (RFC 6265 4.1.1): Java's CookieManager sends it.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined;
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || trimmed(pair.slice(0, equals)) !== name) continue;
    if (found !== undefined) return undefined;
    found = withoutQuotes(trimmed(pair.slice(equals + 1)));
  }
  return found;
}

function withoutQuotes(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** The `Set-Cookie` value for a session (S42). */
export function setSessionCookie(auth: Writer, session: NewSession): string {
  return writeCookie(auth, "session_id", session.sessionId, session.maxAge);
}

/** Adds the cookies of the session and of the device to the answer of a login. The device is known from now on. */
export function signedIn(auth: Writer, response: Response, cookies: SignedInCookies): Response {
  return withCookies(response, ...signedInCookies(auth, cookies));
}

/** The `Set-Cookie` values of {@linkcode signedIn}, the session's first. */
export function signedInCookies(auth: Writer, { session, device }: SignedInCookies): string[] {
  const cookies = [setSessionCookie(auth, session)];
  if (device !== undefined) cookies.push(writeCookie(auth, "device_id", device, DEVICE_LIFETIME));
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
export function signedOut(auth: Writer, response: Response): Response {
  response.headers.set("clear-site-data", '"storage"');
  return withCookies(response, writeCookie(auth, "session_id", "", 0));
}

/** The characters that a value may have (RFC 6265 4.1.1). All others could end the value or the line. */
const VALUE = /^[!#-+\--:<-[\]-~]*$/;

/**
 * A `Set-Cookie` value. `maxAge` is in milliseconds, 0 deletes the cookie. Without it the cookie ends with the browser. Java's CookieManager sends a cookie with
 * `Max-Age` alone back in quotes, and some old clients know `Expires` only (RFC 6265 4.1.2). So a cookie has both.
 */
export function writeCookie(auth: Writer, name: CookieName, value: string, maxAge?: number): string {
  if (!VALUE.test(value)) throw new TypeError(`${name} is no cookie value`);
  const pair = `${cookieName(auth, name)}=${value}`;
  const attributes = `Path=/; HttpOnly${auth.config.profile === "public" ? "; Secure" : ""}; SameSite=Lax`;
  if (maxAge === undefined) return `${pair}; ${attributes}`;
  const seconds = Math.max(0, Math.floor(maxAge / 1000));
  const expires = new Date(seconds === 0 ? 0 : auth.clock() + seconds * 1000).toUTCString();
  return `${pair}; Max-Age=${seconds}; ${attributes}; Expires=${expires}`;
}

/**
 * The name of a cookie in this profile. The prefix `__Host-` keeps other hosts and plain http from planting the cookie (RFC 6265bis 4.1.3.2). Each profile
 * reads one name only.
 */
export function cookieName(auth: Pick<Auth, "config">, name: CookieName): string {
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
