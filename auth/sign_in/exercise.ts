/**
 * Steps of the exercise that this service grew out of, by their names there: `valid_login`, `create_session` and
 * `destroy_session` of a user.
 * Only tests import this file: nowhere else does an address alone give a session.
 *
 * @module
 */
import { findUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { checkPassword } from "./by_password.ts";
import { endAccess } from "./end_access.ts";
import { signIn } from "./sign_in.ts";

/**
 * Whether this is the password of this address, for any input. Throws only when nothing was compared: `throttled`,
 * `overloaded`, `client_gone`, `hashing_unavailable`, `DatabaseUnavailable`.
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
 * The id of a new session for this address, through the gate, as after a right password. Undefined when no user has the
 * address, or when the gate asks for more.
 */
export async function createSession(auth: Auth, email: string, caller: Caller = {}): Promise<string | undefined> {
  const email_key = emailKeyOrUndefined(email);
  const user = email_key === undefined ? undefined : await findUserBy(auth.db, { email_key });
  const result = user && await signIn(auth, { user, method: "password" }, caller);
  return result?.state === "signed_in" ? result.session.sessionId : undefined;
}

/** Ends all sessions of a user and returns how many were live. */
export function destroySessions(auth: Auth, userId: string): Promise<number> {
  return auth.db.transaction((db) => endAccess(auth, db, userId, { tokens: "all" }));
}
