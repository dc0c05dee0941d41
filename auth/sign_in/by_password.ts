/**
 * Sign-in by address and password. Must not make a session: `sign_in.ts` does.
 *
 * @module
 */
import { findUserBy, replaceHash, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { hashPassword, requireRoom, verifyPassword } from "../credentials/passwords.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { asAuthError, AuthError, type AuthErrorCode } from "../errors.ts";
import { logEvent, recordEvent } from "../events.ts";
import { withGuessCounted } from "../limits/password_guesses.ts";
import { countFailedLogin } from "../limits/rate_limits.ts";
import { maySignIn, type SignIn, signIn } from "./sign_in.ts";

/** Errors after which the hash is renewed at a later login. */
const LATER: readonly AuthErrorCode[] = ["overloaded", "hashing_unavailable", "database_unavailable"];

/**
 * Signs in by address and password, with a new session id. Throws `wrong_credentials`, the same for all causes,
 * `throttled`, `invalid_password`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function byPassword(auth: Auth, email: string, password: string, caller: Caller = {}): Promise<SignIn> {
  // A concurrent login may have renewed the hash. Then the password is checked again, against the new one.
  for (let tries = 0; tries < 2; tries++) {
    const user = await checkPassword(auth, email, password, caller);
    if (!user) break;
    const result = await signIn(auth, { user, method: "password", hashed: user.hashed_password! }, caller);
    if (result) return result;
  }
  throw new AuthError("wrong_credentials", "wrong e-mail address or password");
}

/**
 * The user with this address and password, or undefined. Every refusal costs one hash in the same queue and one write
 * (S16, S17). This holds for an address that is unknown, malformed, unproven, closed, disabled or without a password.
 * Renews a hash of another cost than the set one. Throws `throttled`, `invalid_password`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
 */
export async function checkPassword(
  auth: Auth,
  email: string,
  password: string,
  caller: Caller = {},
): Promise<UserRow | undefined> {
  const email_key = emailKeyOrUndefined(email);
  requireRoom(auth, caller, email_key ?? email);
  const user = email_key === undefined ? undefined : await findUserBy(auth.db, { email_key });
  // No hash is compared for an account that may not sign in: the cost of an old hash would show the account (S17).
  const hashed = user && maySignIn(auth, user) ? user.hashed_password : undefined;
  const { valid, outdated } = await withGuessCounted(
    auth,
    { emailKey: email_key, user },
    caller,
    (known) => verifyPassword(auth, password, hashed, { caller, account: email_key ?? email, known }),
  );
  if (!valid || !user) {
    await noteFailure(auth, user, caller);
    return undefined;
  }
  return outdated ? await renewHash(auth, user, password, caller) : user;
}

/**
 * Guesses at unknown addresses are counted and logged, but not stored: a flood of them must not fill the table. Neither
 * waits for the disk: it would show by its time which address is known (S17).
 */
async function noteFailure(auth: Auth, user: UserRow | undefined, caller: Caller): Promise<void> {
  if (user) await recordEvent(auth, auth.db.relaxed, { type: "login_failed", userId: user.id, caller });
  else {
    logEvent(auth, { type: "login_failed", caller });
    await countFailedLogin(auth, caller);
  }
}

async function renewHash(auth: Auth, user: UserRow, password: string, caller: Caller): Promise<UserRow> {
  try {
    const hashed = await hashPassword(auth, password, { caller, account: user.email_key });
    // Whether a power failure takes it or not, the same password is right.
    const renewed = await replaceHash(auth.db.relaxed, user.id, user.hashed_password!, hashed);
    return renewed ? { ...user, hashed_password: hashed } : user;
  } catch (error) {
    // The password was right: a failed renewal of its hash must not refuse the login.
    const code = asAuthError(error)?.code;
    if (code !== undefined && LATER.includes(code)) return user;
    throw error;
  }
}
