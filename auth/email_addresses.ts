/**
 * Validates e-mail addresses, and decides when two spellings are the same address. Must not look anything up.
 *
 * @module
 */
import { domainToASCII } from "node:url";
import { AuthError } from "./errors.ts";

/** Longest address, in bytes of UTF-8 (RFC 5321 4.5.3.1.3). */
const MOST_BYTES = 254;
/** Longest part before the `@` (RFC 5321 4.5.3.1.1). */
const MOST_LOCAL = 64;
/** RFC 5322 dot-atom. Mail programs read quotes, comments and spaces differently, so all are refused (V19, V67). */
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** Host names of letters, digits and hyphens (RFC 1123 2.1). A number as the last label would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The unique key of an address: two addresses with one key are one account. Throws `invalid_email`. Checks the length
 * first, so that normalisation has bounded work (F16). Normalises the domain before validation, so that no `＠` becomes
 * a second `@` later (V17). Refuses non-ASCII local parts: their case folding has sent mail to look-alikes (V44).
 */
export function emailKey(email: string): string {
  const key = emailKeyOrUndefined(email);
  if (key === undefined) throw new AuthError("invalid_email", "email is not a valid e-mail address");
  return key;
}

/** As {@linkcode emailKey}, but undefined for an invalid address. */
export function emailKeyOrUndefined(email: string): string | undefined {
  if (email.length > MOST_BYTES || new TextEncoder().encode(email).length > MOST_BYTES) return undefined;
  const parts = email.split("@");
  if (parts.length !== 2) return undefined;
  // Not normalised: NFC turns the Kelvin sign (U+212A) into K, so a look-alike would match another account (V44).
  const local = lowerAscii(parts[0]);
  if (local.length > MOST_LOCAL || !LOCAL.test(local)) return undefined;
  // Host names need no escapes, but the URL parser behind domainToASCII would decode them.
  if (/[%:/?#\\[\]\s]/.test(parts[1])) return undefined;
  // domainToASCII normalises (UTS 46), and its result is validated (V17).
  const domain = domainToASCII(parts[1]);
  const key = `${local}@${domain}`;
  return key.length <= MOST_BYTES && domain.length <= 253 && DOMAIN.test(domain) ? key : undefined;
}

/** The address with its domain in ASCII (IDNA, RFC 5890), where only ASCII is allowed. */
export function asciiEmail(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}

/** Changes only A to Z: `toLowerCase` turns the Kelvin sign (U+212A) into `k`. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
