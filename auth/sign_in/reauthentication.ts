/**
 * Asking a user who is signed in for proof once more, before what a stolen cookie must not be enough for. Must not change
 * anything of the account.
 *
 * @module
 */
import { findUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { verifyPassword } from "../credentials/passwords.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { withGuessCounted } from "../limits/password_guesses.ts";
import { noSession, type SignedIn } from "./current_user.ts";

/** How long a proof counts as recent, in milliseconds. */
const RECENT = 10 * 60_000;

/** How a user proves who they are once more: by the password, or by having signed in within the last ten minutes. */
export type Reauthentication = { password: string } | "recent";

/** What was typed into a password field: an empty one offers no password. */
export function passwordOrRecent(password: string | undefined): Reauthentication {
  return password === undefined || password === "" ? "recent" : { password };
}

/**
 * The row of a user who has proven once more who they are (S34). An account that has a password needs it; for one that has
 * none, a recent sign-in counts. Throws `wrong_password`, `login_required`, `no_session`, `throttled`, `overloaded`,
 * `client_gone`, `hashing_unavailable`.
 */
export async function reauthenticate(
  auth: Auth,
  signedIn: SignedIn,
  proof: Reauthentication,
  caller: Caller,
): Promise<UserRow> {
  const user = await findUserBy(auth.db, { id: signedIn.id });
  if (!user) throw noSession();
  if (proof !== "recent") {
    await requirePassword(auth, user, proof.password, caller);
  } else if (user.hashed_password !== null) {
    // With nothing to compare there is no guess, and so no event either.
    throw wrongPassword();
  } else requireRecent(auth, signedIn, "change your account");
  return user;
}

/** Throws `login_required` unless the user was authenticated within the last ten minutes. `to` says for what. */
export function requireRecent(auth: Auth, { authenticatedAt }: SignedIn, to: string): void {
  if (auth.clock() - authenticatedAt >= RECENT) throw new AuthError("login_required", `log in again to ${to}`);
}

/** The one refusal for a missing and a wrong password. */
export function wrongPassword(): AuthError {
  return new AuthError("wrong_password", "the password is missing or wrong");
}

async function requirePassword(auth: Auth, user: UserRow, password: string, caller: Caller): Promise<void> {
  const { valid } = await withGuessCounted(
    auth,
    { emailKey: user.email_key, userId: user.id, hashed: user.hashed_password },
    caller,
    (known) => verifyPassword(auth, password, user.hashed_password, caller.signal, known),
  ).catch((error) => {
    // A password that no hash can hold is wrong like any other, and was compared with nothing.
    throw error instanceof AuthError && error.code === "invalid_password" ? wrongPassword() : error;
  });
  if (valid) return;
  await recordEvent(auth, auth.db, { type: "login_failed", userId: user.id, caller, details: { at: "account" } });
  throw wrongPassword();
}
