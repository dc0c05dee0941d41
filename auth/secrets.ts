/**
 * Random secrets and what the database keeps of them. Must not store or log one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { v7 } from "uuid";

/**
 * A session id or one-time token: 256 random bits as base64url, 43 characters. More than the 128 that OWASP ASVS 5.0
 * (7.2.3, 11.5.1) asks for, which a UUID v4 with its 122 does not reach (S25, S37).
 */
export function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Whether a text could be one of {@linkcode randomToken}; what could not never reaches the database. */
export function isToken(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/**
 * What is stored of a token: SHA-256, base64url. A fast hash is right, since 256 random bits cannot be guessed, and
 * whoever reads the database cannot turn it back into a cookie (S26, S38).
 */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/**
 * An id for a row: UUID v7 (RFC 9562), in the order of time and never used twice. Within a millisecond the order is
 * random: a counter's gaps, read in one's own events, would tell what else a request wrote (V52).
 */
export function newId(now: number): string {
  return v7({ msecs: now });
}

/** The stored hash of a secret that nobody has: a token waits with it until its mail leaves with the real one. */
export function unusableSecret(): string {
  return hashToken(randomToken());
}
