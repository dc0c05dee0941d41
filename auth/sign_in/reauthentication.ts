/**
 * Asking whoever is logged in for the password again. Must not change anything of the account.
 *
 * @module
 */
import { findUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { verifyPassword } from "../credentials/passwords.ts";
import { requireUser } from "./sessions.ts";
import { withGuessCounted } from "../limits/password_guesses.ts";

/**
 * Whoever is logged in and knows the password, for what a stolen cookie must not be enough for (S34). Throws
 * `no_session`, `wrong_password`, `throttled`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function requirePassword(auth: Auth, password: string | undefined, caller: Caller): Promise<UserRow> {
  const { id } = await requireUser(auth, caller);
  const user = await findUserBy(auth.db, { id });
  // With nothing to compare there is no guess, and so no event either.
  if (!user || password === undefined || password === "") throw wrongPassword();
  const { valid } = await withGuessCounted(
    auth,
    { emailKey: user.email_key, userId: id, hashed: user.hashed_password },
    caller,
    (known) => verifyPassword(auth, password, user.hashed_password, caller.signal, known),
  ).catch((error) => {
    // What no hash could keep apart: wrong like any other, and compared with nothing.
    throw error instanceof AuthError && error.code === "invalid_password" ? wrongPassword() : error;
  });
  if (!valid) {
    await recordEvent(auth, auth.db, { type: "login_failed", userId: id, caller, details: { at: "account" } });
    throw wrongPassword();
  }
  return user;
}

/** The one refusal for a missing and a wrong password. */
export function wrongPassword(): AuthError {
  return new AuthError("wrong_password", "the password is missing or wrong");
}
