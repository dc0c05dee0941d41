/**
 * Who has an account: registering, and proving a password. Must not make a session.
 *
 * @module
 */
import { findUserBy, replaceHash, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { hashPassword, verifyPassword } from "../credentials/passwords.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { asAuthError, AuthError, type AuthErrorCode } from "../errors.ts";
import { logEvent, recordEvent } from "../events.ts";
import { type Target, withGuessCounted } from "../limits/password_guesses.ts";
import { countFailedLogin } from "../limits/rate_limits.ts";
import { isActive } from "../users.ts";

/** Why the renewal of a hash may wait for a later login. */
const LATER: readonly AuthErrorCode[] = ["overloaded", "hashing_unavailable", "database_unavailable"];

/**
 * Whether this is the password of this address: true or false, whatever was typed. Throws only when nobody looked:
 * `throttled`, `overloaded`, `client_gone`, `hashing_unavailable`, `DatabaseUnavailable`.
 */
export async function validLogin(auth: Auth, email: string, password: string, caller: Caller = {}): Promise<boolean> {
  try {
    return await checkPassword(auth, email, password, caller) !== undefined;
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
  caller: Caller = {},
): Promise<UserRow | undefined> {
  const email_key = emailKeyOrUndefined(email);
  const user = email_key === undefined ? undefined : await findUserBy(auth.db, { email_key });
  // A right password that opens nothing is as good as none to compare with: what an old hash costs would tell of it.
  const hashed = user && mayLogIn(auth, user) ? user.hashed_password : undefined;
  const { valid, outdated } = await withGuessCounted(
    auth,
    targetOf(email_key, user),
    caller,
    (known) => verifyPassword(auth, password, hashed, caller.signal, known),
  );
  if (!valid || !user) {
    await noteFailure(auth, user, caller);
    return undefined;
  }
  return outdated ? await renewHash(auth, user, password, caller.signal) : user;
}

/**
 * In public nobody logs in before the mailbox is proven; a closed account waits to be reopened or erased, a disabled one
 * for the operator.
 */
function mayLogIn(auth: Auth, user: UserRow): boolean {
  return isActive(user) && (auth.config.profile === "local" || user.email_verified_at !== null);
}

function targetOf(emailKey: string | undefined, user: UserRow | undefined): Target {
  return { emailKey, userId: user?.id, hashed: user?.hashed_password };
}

/** Guesses at addresses that nobody has are counted and logged, not kept: a flood of them must not fill the table. */
async function noteFailure(auth: Auth, user: UserRow | undefined, caller: Caller): Promise<void> {
  if (user) await recordEvent(auth, auth.db, { type: "login_failed", userId: user.id, caller });
  else {
    logEvent(auth, { type: "login_failed", caller });
    await countFailedLogin(auth, caller);
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
