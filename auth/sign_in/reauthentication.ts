/**
 * Asks a signed-in user for another proof before an action for which a stolen cookie must not be enough. Must not
 * change anything of the account.
 *
 * @module
 */
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { verifyPassword } from "../credentials/passwords.ts";
import { AuthError } from "../errors.ts";
import { logEvent, type NewEvent, recordEvent } from "../events.ts";
import { LIMITS } from "../limits/limits.ts";
import { withGuessCounted } from "../limits/password_guesses.ts";
import { countWithin } from "../limits/rate_limits.ts";
import { requireRow, type SignedIn } from "./current_user.ts";

/** How long a sign-in counts as recent, in milliseconds. */
const RECENT = 10 * 60_000;

/** How users prove again who they are: by the password, or by a sign-in within the last ten minutes. */
export type Reauthentication = { password: string } | "recent";

/** The proof from a password field. An empty field offers no password. */
export function passwordOrRecent(password: string | undefined): Reauthentication {
  return password === undefined || password === "" ? "recent" : { password };
}

/**
 * The row of a user who has proven again who they are (S34). An account with a password needs it. Without one, a recent
 * sign-in is enough. Throws `wrong_password`, `login_required`, `no_session`, `throttled`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
 */
export async function reauthenticate(
  auth: Auth,
  signedIn: SignedIn,
  proof: Reauthentication,
  caller: Caller,
): Promise<UserRow> {
  const user = await requireRow(auth, signedIn);
  if (proof !== "recent") {
    await requirePassword(auth, user, proof.password, caller);
  } else if (user.hashed_password !== null) {
    // Nothing was compared, so this is no guess, and no event is recorded.
    throw wrongPassword();
  } else requireRecent(auth, signedIn, "change your account");
  return user;
}

/** Throws `login_required` unless the user signed in in the last ten minutes. `to` names the action in the message. */
export function requireRecent(auth: Auth, { authenticatedAt }: SignedIn, to: string): void {
  if (auth.clock() - authenticatedAt >= RECENT) throw new AuthError("login_required", `log in again to ${to}`);
}

/** One refusal for a missing and a wrong password. */
export function wrongPassword(): AuthError {
  return new AuthError("wrong_password", "the password is missing or wrong");
}

async function requirePassword(auth: Auth, user: UserRow, password: string, caller: Caller): Promise<void> {
  const { valid } = await withGuessCounted(
    auth,
    { emailKey: user.email_key, user },
    caller,
    (known) => verifyPassword(auth, password, user.hashed_password, { caller, account: user.email_key, known }),
  ).catch((error) => {
    // A password that cannot be hashed was compared with nothing. It is refused like any wrong one.
    throw error instanceof AuthError && error.code === "invalid_password" ? wrongPassword() : error;
  });
  if (valid) return;
  const event: NewEvent = { type: "login_failed", userId: user.id, caller, details: { at: "account" } };
  const { within } = await countWithin(auth, LIMITS.ownFailures, { of: [user.id] });
  if (within) await recordEvent(auth, auth.db.relaxed, event);
  else logEvent(auth, event);
  throw wrongPassword();
}
