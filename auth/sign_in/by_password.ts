/**
 * Who has an account: registering, and proving a password. Must not make a session.
 *
 * @module
 */
import { increaseCounter } from "../../db/counters.ts";
import { addUser, findUserBy, replaceHash, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Client } from "../caller.ts";
import { emailKey, emailKeyOrUndefined } from "../email_addresses.ts";
import { asAuthError, AuthError, type AuthErrorCode } from "../errors.ts";
import { logEvent, recordEvent } from "../events.ts";
import { limitRegistrations, networkOf } from "../limits/rate_limits.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword, verifyPassword } from "../credentials/passwords.ts";
import { requestRegistration } from "../account/register.ts";
import { newId } from "../secrets.ts";
import { isOpen } from "../users.ts";
import { forgetGuesses, guessed, type Target } from "../limits/password_guesses.ts";

/** Why the renewal of a hash may wait for a later login. */
const LATER: readonly AuthErrorCode[] = ["overloaded", "hashing_unavailable", "database_unavailable"];

/** What the outside may know of a user. */
export interface User {
  /** UUID v7. */
  id: string;
  /** The address as its owner typed it. */
  email: string;
}

/**
 * Registers somebody. Locally the user is there at once: of any number of callers with one address, one succeeds (F22).
 * In the public profile it gives undefined, always for the same work, and the user is there once the mailbox is proven.
 * Throws `email_taken` (local), `sign_up_closed`, `weak_password`, `rate_limited` (public), `invalid_email`,
 * `invalid_password`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function registerUser(
  auth: Auth,
  email: string,
  password: string,
  client: Client = {},
): Promise<User | undefined> {
  if (auth.config.signUp === "closed") throw new AuthError("sign_up_closed", "new accounts are made by the operator");
  const email_key = emailKey(email);
  requirePolicy(auth, password, email);
  await limitRegistrations(auth, client);
  if (auth.config.publicUrl !== undefined) {
    await requestRegistration(auth, email, await hashPassword(auth, password, client.signal), client);
    return undefined;
  }
  // Before the hash only to spare it; the unique key decides.
  if (await findUserBy(auth.db, { email_key })) throw taken(email);
  const hashed_password = await hashPassword(auth, password, client.signal);
  const user = await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const { locale = null } = client;
    const added = await addUser(db, { id: newId(now), email, email_key, hashed_password, locale, created_at: now });
    if (added) {
      // What was guessed at the address before there was an account was no guess at this password.
      await Promise.all([
        forgetGuesses(db, email_key),
        recordEvent(auth, db, { type: "registered", userId: added.id, client }),
      ]);
    }
    return added;
  });
  if (!user) throw taken(email);
  return { id: user.id, email: user.email };
}

/**
 * Whether this is the password of this address: true or false, whatever was typed. Throws only when nobody looked:
 * `throttled`, `overloaded`, `client_gone`, `hashing_unavailable`, `DatabaseUnavailable`.
 */
export async function validLogin(auth: Auth, email: string, password: string, client: Client = {}): Promise<boolean> {
  try {
    return await checkPassword(auth, email, password, client) !== undefined;
  } catch (error) {
    if (error instanceof AuthError && error.code === "invalid_password") return false;
    throw error;
  }
}

/**
 * The user whose address and password these are, or undefined; an address that is unknown, malformed, unproven, closed,
 * disabled or without a password costs the same hash on the same line and one write (S16, S17). Renews a hash of an old
 * cost. Throws `throttled`, `invalid_password`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function checkPassword(
  auth: Auth,
  email: string,
  password: string,
  client: Client = {},
): Promise<UserRow | undefined> {
  const email_key = emailKeyOrUndefined(email);
  const user = email_key === undefined ? undefined : await findUserBy(auth.db, { email_key });
  // A right password that opens nothing is as good as none to compare with: what an old hash costs would tell of it.
  const hashed = user && mayLogIn(auth, user) ? user.hashed_password : undefined;
  const { valid, outdated } = await guessed(
    auth,
    targetOf(email_key, user),
    client,
    (known) => verifyPassword(auth, password, hashed, client.signal, known),
  );
  if (!valid || !user) {
    await noteFailure(auth, user, client);
    return undefined;
  }
  return outdated ? await renewHash(auth, user, password, client.signal) : user;
}

/**
 * In public nobody logs in before the mailbox is proven; a closed account waits to be reopened or erased, a disabled one
 * for the operator.
 */
function mayLogIn(auth: Auth, user: UserRow): boolean {
  return isOpen(user) && (auth.config.publicUrl === undefined || user.email_verified_at !== null);
}

function targetOf(emailKey: string | undefined, user: UserRow | undefined): Target {
  return { emailKey, userId: user?.id, hashed: user?.hashed_password };
}

/** Guesses at addresses that nobody has are counted and logged, not kept: a flood of them must not fill the table. */
async function noteFailure(auth: Auth, user: UserRow | undefined, client: Client): Promise<void> {
  if (user) await recordEvent(auth, auth.db, { type: "login_failed", userId: user.id, client });
  else {
    logEvent(auth, { type: "login_failed", client });
    await increaseCounter(auth.db, `login-failed:${networkOf(client.ip)}`, auth.clock(), 60 * 60_000);
  }
}

async function renewHash(auth: Auth, user: UserRow, password: string, signal?: AbortSignal): Promise<UserRow> {
  try {
    const hashed = await hashPassword(auth, password, signal);
    const renewed = await replaceHash(auth.db, user.id, user.hashed_password!, hashed);
    return renewed ? { ...user, hashed_password: hashed } : user;
  } catch (error) {
    // The password was right, and no one is kept out because its hash cannot be renewed now.
    const code = asAuthError(error)?.code;
    if (code !== undefined && LATER.includes(code)) return user;
    throw error;
  }
}

function taken(email: string): AuthError {
  return new AuthError("email_taken", `User ${email} already exists`);
}
