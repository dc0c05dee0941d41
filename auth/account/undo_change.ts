/**
 * Taking a change back from the mailbox that was told of it: for an owner who finds somebody else at work.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { UniqueViolation } from "../../db/errors.ts";
import { consumeToken, deleteUndoTokensExcept, listFormerPasswords, type TokenRow } from "../../db/tokens.ts";
import { findUserBy, freezeUser, lockUserBy, reopenUser, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { findMailToken, invalidToken } from "../credentials/mail_tokens.ts";
import { verifyPassword } from "../credentials/passwords.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { LIMITS } from "../limits/limits.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { forgetCount, requireWithin } from "../limits/rate_limits.ts";
import { endAccess } from "../sign_in/access.ts";
import { wrongPassword } from "../sign_in/reauthentication.ts";
import { isActive } from "../users.ts";
import { endRegistrations } from "./register.ts";
import { sendReset } from "./reset_password.ts";

/** How many of the first passwords an owner may prove the account by, beside the one that the link brings back. */
const MOST_PASSWORDS = 3;

/**
 * Whether undoing asks for the password that was valid before: it does once the address has changed. Throws
 * `invalid_token`.
 */
export async function undoNeedsPassword(auth: Auth, undoToken: string): Promise<boolean> {
  const token = await findMailToken(auth, ["undo"], { token: undoToken });
  const user = token.user_id ? await findUserBy(auth.db, { id: token.user_id }) : undefined;
  if (!user || user.disabled_at !== null) throw invalidToken();
  return user.email_key !== token.email_key;
}

/**
 * Ends all sessions, freezes the account and drops its password; a reset, whose mail is sent at once, lifts the freeze.
 * When the address was changed, the mailbox alone is not enough to get the account, since it may be the mailbox that
 * was stolen: only with a password that was valid before the change, or before one in the 72 hours until it, is the
 * old address put back. Without one the address of now gets the reset, and is not told. A wrong one changes nothing,
 * since an owner's slip would hand the account to whoever holds the new address. Gives the address that the link went
 * to. Throws `invalid_token`, `wrong_password`, `invalid_password`, `too_many_attempts`, `email_taken`, `overloaded`,
 * `client_gone`, `hashing_unavailable`.
 */
export async function undoChange(
  auth: Auth,
  undoToken: string,
  password: string | undefined,
  caller: Caller = {},
): Promise<{ email: string; restored: boolean }> {
  const token = await findMailToken(auth, ["undo"], { token: undoToken });
  const given = password !== undefined && password !== "";
  const proven = given && await undoNeedsPassword(auth, undoToken) &&
    await provePassword(auth, token, password, caller);
  try {
    return await auth.db.transaction(async (db) => {
      const user = token.user_id ? await lockUserBy(db, { id: token.user_id }) : undefined;
      const taken = await consumeToken(db, "undo", token.secret_hash, auth.clock());
      // The link stays good for the day when the operator enables the account again.
      if (!taken || !user || user.disabled_at !== null) throw invalidToken();
      const restored = proven && user.email_key !== taken.email_key;
      // The mailbox of before, by itself, must neither keep alive what its owner closed nor end the owner's way back.
      const opens = restored || user.email_key === taken.email_key;
      await freeze(auth, db, user, { back: restored ? taken : undefined, opens });
      // Undo links of later changes went to whoever made this one. By address and not by time, since the clocks of two
      // instances differ; and only now that the owner is known, or a thief's own link would take the owner's away.
      if (restored) await deleteUndoTokensExcept(db, user.id, taken.email_key!);
      await forgetCount(db, LIMITS.formerPasswords, taken.subject);
      await recordEvent(auth, db, {
        type: "change_undone",
        userId: user.id,
        caller,
        details: { address: restored ? "restored" : "kept" },
      });
      const after = await findUserBy(db, { id: user.id });
      if (isActive(after!)) await sendReset(auth, db, after!, caller);
      return { email: taken.email!, restored };
    });
  } catch (error) {
    // Its owner has registered the old address anew since; the link stays good for when that account is gone.
    if (error instanceof UniqueViolation) throw new AuthError("email_taken", "the old address has another account now");
    throw error;
  }
}

/** What an undo does beside taking the password away: puts an address back, opens what was closed. */
interface Freezing {
  back: TokenRow | undefined;
  opens: boolean;
}

async function freeze(auth: Auth, db: DB, user: UserRow, { back, opens }: Freezing): Promise<void> {
  const { email, email_key } = back?.email && back.email_key ? back : user;
  await freezeUser(db, user.id, auth.clock());
  if (opens) await reopenUser(db, user.id, auth.clock());
  // Only then, or an address that changed meanwhile would be lost.
  if (back) {
    await updateUser(db, user.id, { email: email!, email_key: email_key! });
    await endRegistrations(db, email_key!, user.id);
  }
  await endAccess(auth, db, user.id, opens ? {} : { tokens: "reopen" });
  await forgetGuesses(db, email_key!);
}

/**
 * Whether this was the account's password when the link was made, or at the beginning of the hours until then: who
 * takes an account changes its password first, and perhaps often. Tries are counted by link, which only a mailbox has:
 * in the account's own counter strangers could use up the owner's. Throws `wrong_password`, `too_many_attempts`.
 */
async function provePassword(auth: Auth, token: TokenRow, password: string, caller: Caller): Promise<true> {
  if (token.user_id === null) throw invalidToken();
  const { user_id, created_at, hashed_password } = token;
  await requireWithin(auth, LIMITS.formerPasswords, {
    of: [token.subject],
    noted: () => ({ caller, userId: user_id }),
  });
  const former = await listFormerPasswords(auth.db, user_id, created_at, auth.clock(), MOST_PASSWORDS);
  for (const hashed of new Set([hashed_password, ...former])) {
    if ((await verifyPassword(auth, password, hashed, caller.signal)).valid) return true;
  }
  throw wrongPassword();
}
