/**
 * Undoing a change from the mailbox that was told of it, for an owner whose account somebody else has changed.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { UniqueViolation } from "../../db/errors.ts";
import { addToken, deleteUndoTokensAfter, listFormerPasswords, type TokenRow } from "../../db/tokens.ts";
import { findUserBy, freezeUser, reopenUser, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { findMailToken, invalidToken, takeMailToken } from "../credentials/mail_tokens.ts";
import { verifyPassword } from "../credentials/passwords.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { LIMITS } from "../limits/limits.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { forgetCount, requireWithin } from "../limits/rate_limits.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { wrongPassword } from "../sign_in/reauthentication.ts";
import { isActive } from "../users.ts";
import { sendReset } from "./reset_password.ts";

/** How many of the oldest former passwords also prove the owner, beside the password in the link's token. */
const MOST_PASSWORDS = 3;

/**
 * Whether undoing needs the former password: it does once the address has changed, even if it is the same again. Throws
 * `invalid_token`.
 */
export async function undoNeedsPassword(auth: Auth, undoToken: string): Promise<boolean> {
  const token = await findMailToken(auth, ["undo"], { token: undoToken });
  const user = token.user_id ? await findUserBy(auth.db, { id: token.user_id }) : undefined;
  if (!user || user.disabled_at !== null) throw invalidToken();
  return hasMoved(user, token);
}

/** Whether changes of address since this link are in force. */
function hasMoved(user: UserRow, token: TokenRow): boolean {
  return user.email_changes !== token.email_change;
}

/**
 * Ends all sessions, freezes the account and removes its password. A reset lifts the freeze; its mail is sent at once.
 * After a change of address the mailbox alone does not prove the owner, because it may be the one that was stolen. The
 * old address comes back only with a password from before the change, or from before another change in the last 72
 * hours. Without a password, the current address gets the reset mail, and the answer does not show that address. The
 * link then stays valid for the password, because the owner may have no other. A wrong password changes nothing.
 * Otherwise an owner's typing error would give the account to the holder of the new address. Returns the address that
 * the link went to. Throws `invalid_token`, `wrong_password`, `invalid_password`, `too_many_attempts`, `email_taken`,
 * `overloaded`, `client_gone`, `hashing_unavailable`.
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
      const { user, taken } = await takeMailToken(auth, db, token);
      // The link stays valid, for when the operator enables the account again.
      if (!taken || !user || user.disabled_at !== null) throw invalidToken();
      const moved = hasMoved(user, taken);
      // Once is enough: a stolen mailbox must not freeze the account again and again.
      if (moved && !proven && taken.used_at !== null) throw wrongPassword();
      const restored = proven && moved;
      // The former mailbox alone must not reopen an account that its owner closed, nor end the owner's reopen link.
      const opens = restored || user.email_key === taken.email_key;
      await freeze(auth, db, user, { back: restored ? taken : undefined, opens });
      // Undo links of later changes went to the person who made this change. The links of earlier changes stay: a thief
      // who moves the account twice could otherwise end the owner's links with the thief's own. The number of the
      // change decides, because a thief chooses the addresses, and the clocks of two instances differ.
      if (restored) await deleteUndoTokensAfter(db, user.id, taken.email_change!);
      else if (moved) await addToken(db, { ...taken, used_at: auth.clock() });
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
    // The old address has a new account since. The link stays valid, for when that account is gone.
    if (error instanceof UniqueViolation) throw new AuthError("email_taken", "the old address has another account now");
    throw error;
  }
}

/** What an undo does beside removing the password: it restores this address, and reopens a closed account. */
interface Freezing {
  back: TokenRow | undefined;
  opens: boolean;
}

async function freeze(auth: Auth, db: DB, user: UserRow, { back, opens }: Freezing): Promise<void> {
  const { email, email_key } = back ?? user;
  await freezeUser(db, user.id, auth.clock());
  if (opens) await reopenUser(db, user.id, auth.clock());
  // Only then: otherwise an address that changed meanwhile would be lost.
  if (back) {
    await updateUser(db, user.id, { email: email!, email_key: email_key!, email_changes: back.email_change! });
  }
  await endAccess(auth, db, user.id, opens ? {} : { tokens: "reopen" });
  await forgetGuesses(db, email_key!);
}

/**
 * Checks the password from when the link was made, and the oldest ones of the hours before. An attacker changes the
 * password of an account first, and perhaps often. Tries are counted by link, which only a mailbox has: in the
 * account's counter, strangers could use up the owner's tries. Throws `wrong_password`, `too_many_attempts`.
 */
async function provePassword(auth: Auth, token: TokenRow, password: string, caller: Caller): Promise<true> {
  if (token.user_id === null) throw invalidToken();
  const { user_id, hashed_password } = token;
  await requireWithin(auth, LIMITS.formerPasswords, {
    of: [token.subject],
    noted: () => ({ caller, userId: user_id }),
  });
  const former = await listFormerPasswords(auth.db, token, auth.clock(), MOST_PASSWORDS);
  for (const hashed of new Set([hashed_password, ...former])) {
    if ((await verifyPassword(auth, password, hashed, { caller, account: token.email_key ?? undefined })).valid) {
      return true;
    }
  }
  throw wrongPassword();
}
