/**
 * Random secrets, and the hashes of them that the database keeps. Must not store or log a secret.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { v7 } from "uuid";

/**
 * A session id or one-time token: 256 random bits as base64url, 43 characters. OWASP ASVS 5.0 (7.2.3, 11.5.1) demands
 * 128 bits, more than the 122 of a UUID v4 (S25, S37).
 */
export function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Whether a text has the form of {@linkcode randomToken}. Other texts must not reach the database. */
export function isToken(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** Kept, so that no call makes a buffer. `hashToken` must not wait while it uses it. */
const digest = new Uint8Array(32);

/**
 * The stored form of a token: SHA-256, base64url. A fast hash is enough, since nobody can guess 256 random bits. A
 * reader of the database cannot turn the hash back into a cookie (S26, S38).
 */
export function hashToken(token: string): string {
  // By way of hex: every other form makes a buffer, which costs a quarter of the whole call.
  digest.setFromHex(createHash("sha256").update(token).digest("hex"));
  return digest.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * An id for a row: UUID v7 (RFC 9562), in the order of time and never used twice. Within a millisecond the order is
 * random: gaps of a counter, seen in a user's own events, would show what other requests wrote (V52).
 */
export function newId(now: number): string {
  return v7({ msecs: now });
}

/** The hash of a secret that nobody has. It is stored until the mail is sent with the real token. */
export function unusableSecret(): string {
  return hashToken(randomToken());
}
