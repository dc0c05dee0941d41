/**
 * The 8-digit codes of mails, for people who type: their making, their keyed hashes, and the few tries that there are.
 * Must not tell whether an address is known.
 *
 * @module
 */
import { createHmac, randomInt, timingSafeEqual } from "node:crypto";
import { deleteCounter, findCounter, increaseCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import type { TokenRow } from "../../db/tokens.ts";
import { findUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { CODES, NETWORK_CODES } from "../limits/limits.ts";
import { networkOf, noteLimit, secondsUntil } from "../limits/rate_limits.ts";

/** A code: 8 digits from a secure generator. */
export function randomCode(): string {
  return String(randomInt(100_000_000)).padStart(8, "0");
}

/**
 * What is stored of a code: keyed, since all 10^8 codes are hashed in seconds by whoever reads a database. The key is
 * the caller's to fetch, before its transaction: inside, a second connection would be waited for that may never come
 * free.
 */
export function hashCode(key: string, purpose: string, subject: string, code: string): string {
  return createHmac("sha256", key).update(`${purpose}\n${subject}\n${code}`).digest("base64url");
}

/**
 * Counts a try for this account, known or not, and first of all for the client's network, or addresses that somebody
 * makes up would fill the table. Throws `too_many_attempts`.
 */
export async function countCodeTry(auth: Auth, emailKey: string, caller: Caller): Promise<void> {
  const network = await increaseCounter(
    auth.db,
    `code-network:${networkOf(caller.ip)}`,
    auth.clock(),
    NETWORK_CODES.window,
  );
  if (network.count > NETWORK_CODES.most) {
    await noteLimit(auth, network.count, NETWORK_CODES, { by: "codes of a network", caller });
    throw tooMany(auth, "too many codes from your network, try again later", network.expires_at);
  }
  const account = await increaseCounter(auth.db, counterOf(emailKey), auth.clock(), CODES.window);
  if (account.count <= CODES.most) return;
  // Looked up for every address at this count: the work is the same.
  const user = account.count === CODES.most + 1 ? await findUserBy(auth.db, { email_key: emailKey }) : undefined;
  await noteLimit(auth, account.count, CODES, { by: "codes", caller: user && caller, userId: user?.id });
  throw tooMany(auth, "too many wrong codes, ask for a new mail in an hour", account.expires_at);
}

/** Until when codes for this account are refused, in milliseconds since 1970, or undefined; counts no try. */
export async function codesRefusedUntil(auth: Auth, emailKey: string): Promise<number | undefined> {
  const counter = await findCounter(auth.db, counterOf(emailKey));
  const refused = counter && counter.count >= CODES.most && counter.expires_at > auth.clock();
  return refused ? counter.expires_at : undefined;
}

/** Gives the tries back after the right code. */
export async function forgetCodeTries(db: DB, emailKey: string): Promise<void> {
  await deleteCounter(db, counterOf(emailKey));
}

/** The token to which this code belongs, or undefined. */
export async function matchCode(auth: Auth, tokens: TokenRow[], code: string): Promise<TokenRow | undefined> {
  const now = auth.clock();
  const typed = code.replace(/[ -]/g, "");
  const keys = await auth.keyring.all("code");
  return tokens.find(({ purpose, subject, code_hash, code_expires_at }) =>
    code_hash !== null && code_expires_at !== null && code_expires_at > now &&
    keys.some((key) => equal(hashCode(key, purpose, subject, typed), code_hash))
  );
}

function equal(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(new TextEncoder().encode(one), new TextEncoder().encode(other));
}

function tooMany(auth: Auth, message: string, until: number): AuthError {
  return new AuthError("too_many_attempts", message, { retryAfter: secondsUntil(auth, until) });
}

function counterOf(emailKey: string): string {
  return `code:${emailKey}`;
}
