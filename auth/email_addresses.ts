/**
 * What counts as an e-mail address, and when two spellings are the same one. Must not look anything up.
 *
 * @module
 */
import { domainToASCII } from "node:url";
import { AuthError } from "./errors.ts";

/** Longest address, in bytes of UTF-8 (RFC 5321 4.5.3.1.3). */
const MOST_BYTES = 254;
/** Longest part before the `@` (RFC 5321 4.5.3.1.1). */
const MOST_LOCAL = 64;
/** RFC 5322 dot-atom: no quotes, comments or spaces, which mail programs read differently from one another (V19, V67). */
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** Host names of letters, digits and hyphens (RFC 1123 2.1), the last label not a number, which would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The key that is unique: two addresses with one key are one account. Length first, so that normalisation has bounded
 * work (F16); the domain is normalised before it is validated, so that no `＠` turns into a second `@` afterwards (V17).
 * Non-ASCII local parts are refused: their case folding has handed mail to look-alikes (V44). Throws `invalid_email`.
 */
export function emailKey(email: string): string {
  const key = emailKeyOrUndefined(email);
  if (key === undefined) throw new AuthError("invalid_email", "email is not a valid e-mail address");
  return key;
}

/** As {@linkcode emailKey}, with undefined for what is not an address. */
export function emailKeyOrUndefined(email: string): string | undefined {
  if (email.length > MOST_BYTES || new TextEncoder().encode(email).length > MOST_BYTES) return undefined;
  const parts = email.split("@");
  if (parts.length !== 2) return undefined;
  // As typed: NFC would turn U+212A, the Kelvin sign, into a plain K, and a look-alike into somebody's account (V44).
  const local = lowerAscii(parts[0]);
  if (local.length > MOST_LOCAL || !LOCAL.test(local)) return undefined;
  // Host names need no escapes; the URL parser behind domainToASCII would decode them.
  if (/[%:/?#\\[\]\s]/.test(parts[1])) return undefined;
  // Normalises by itself (UTS 46), and the outcome is what is validated (V17).
  const domain = domainToASCII(parts[1]);
  const key = `${local}@${domain}`;
  return key.length <= MOST_BYTES && domain.length <= 253 && DOMAIN.test(domain) ? key : undefined;
}

/** The address as typed but in ASCII throughout, for where nothing else may stand: the domain by IDNA (RFC 5890). */
export function asciiEmail(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}

/** In code and for A to Z only: `toLowerCase` turns U+212A, the Kelvin sign, into a plain `k`. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
