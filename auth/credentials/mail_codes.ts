/**
 * The 8-digit codes of mails: random codes, their keyed hashes, and the limits on tries. Must not show whether an
 * address is known.
 *
 * @module
 */
import { createHmac, randomInt, timingSafeEqual } from "node:crypto";
import type { DB } from "../../db/db.ts";
import type { TokenRow } from "../../db/tokens.ts";
import { findUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { LIMITS } from "../limits/limits.ts";
import { forgetCount, networkOf, requireWithin } from "../limits/rate_limits.ts";

/** A code of 8 digits, from a secure generator. */
export function randomCode(): string {
  return String(randomInt(100_000_000)).padStart(8, "0");
}

/** Separators and invisible characters, which come along when a code is copied. And U+2212, the minus sign. */
const SEPARATORS = /[\p{Z}\p{Cc}\p{Cf}\p{Pd}\p{DI}\u2212]/gu;

/**
 * The code that somebody typed or pasted: eight ASCII digits, or undefined. Separators are left out, and the digits of
 * every script count (UAX 15 NFKC, then Unicode's decimal digits). What is no code must not cost a try.
 */
export function readCode(text: string): string | undefined {
  const code = text.normalize("NFKC").replace(SEPARATORS, "").replace(/\p{Nd}/gu, asciiDigit);
  return /^[0-9]{8}$/.test(code) ? code : undefined;
}

/** Unicode gives the digits of a script ten places in a row, from zero on. */
function asciiDigit(digit: string): string {
  const point = digit.codePointAt(0)!;
  let first = point;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--;
  return String((point - first) % 10);
}

/**
 * The stored hash of a code. It is keyed, because whoever reads the database could hash all 10^8 codes in seconds. The
 * caller fetches the key before its transaction: inside, it would wait for a second connection that may never come
 * free.
 */
export function hashCode(key: string, purpose: string, subject: string, code: string): string {
  return createHmac("sha256", key).update(`${purpose}\n${subject}\n${code}`).digest("base64url");
}

/** Counts a try for this account, known or not. Throws `too_many_attempts`. */
export async function countCodeTry(auth: Auth, emailKey: string, caller: Caller): Promise<void> {
  // The network first: a flood of made-up addresses must not fill the table with rows.
  await requireWithin(auth, LIMITS.networkCodes, { of: [networkOf(caller.ip)], noted: () => ({ caller }) });
  await requireWithin(auth, LIMITS.codes, {
    of: [emailKey],
    noted: async () => {
      // Looked up for every address, so that the work is the same (S16).
      const user = await findUserBy(auth.db, { email_key: emailKey });
      return { caller: user && caller, userId: user?.id };
    },
  });
}

/** Resets the count of tries after the right code. */
export async function forgetCodeTries(db: DB, emailKey: string): Promise<void> {
  await forgetCount(db, LIMITS.codes, emailKey);
}

/** The token that has this code, in the form of {@linkcode readCode}, or undefined. */
export async function matchCode(auth: Auth, tokens: TokenRow[], code: string): Promise<TokenRow | undefined> {
  const now = auth.clock();
  const keys = await auth.keyring.all("code");
  return tokens.find(({ purpose, subject, code_hash, code_expires_at }) =>
    code_hash !== null && code_expires_at !== null && code_expires_at > now &&
    keys.some((key) => equal(hashCode(key, purpose, subject, code), code_hash))
  );
}

function equal(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(new TextEncoder().encode(one), new TextEncoder().encode(other));
}
