/**
 * Closing an account: it closes at once, can be reopened for 14 days, and is then erased.
 *
 * @module
 */
import { addToken } from "../../db/tokens.ts";
import { closeUser, deleteUser, listPurgeable, reopenUser } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { findMailToken, invalidToken, reopenToken, takeMailToken } from "../credentials/mail_tokens.ts";
import { recordEvent } from "../events.ts";
import type { SignedIn } from "../sign_in/current_user.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { reauthenticate, type Reauthentication } from "../sign_in/reauthentication.ts";
import { requireSession } from "../sign_in/sessions.ts";
import { forgetPerson } from "./erase_account.ts";
import { closedMail } from "./register.ts";

/** How long a closed account can be reopened, in milliseconds. */
export const REOPENABLE: number = 14 * 24 * 60 * 60_000;

/**
 * Closes the user's account. Its sessions end, nobody can log in, and the mailbox gets a link that reopens it. Returns
 * the address and the time of erasure in milliseconds since 1970. Throws `no_session`, `wrong_password`,
 * `login_required`, `throttled`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function closeAccount(
  auth: Auth,
  signedIn: SignedIn,
  proof: Reauthentication,
  caller: Caller,
): Promise<{ email: string; purgeAt: number }> {
  const user = await reauthenticate(auth, signedIn, proof, caller);
  const now = auth.clock();
  const purgeAt = now + REOPENABLE;
  await auth.db.transaction(async (db) => {
    await closeUser(db, user.id, now, purgeAt);
    await requireSession(auth, db, user.id, caller);
    await endAccess(auth, db, user.id);
    await addToken(db, reopenToken(user, now, purgeAt));
    await recordEvent(auth, db, { type: "account_closed", userId: user.id, caller, mail: closedMail(user, purgeAt) });
  });
  return { email: user.email, purgeAt };
}

/** Reopens a closed account and returns its address. Throws `invalid_token`. */
export async function reopenAccount(auth: Auth, reopenToken: string, caller: Caller = {}): Promise<string> {
  const token = await findMailToken(auth, ["reopen"], { token: reopenToken });
  return await auth.db.transaction(async (db) => {
    const { user, taken } = await takeMailToken(auth, db, token);
    if (!taken || !user || user.disabled_at !== null || user.purge_at === null || user.purge_at <= auth.clock()) {
      throw invalidToken();
    }
    await reopenUser(db, user.id, auth.clock());
    await recordEvent(auth, db, { type: "account_reopened", userId: user.id, caller });
    return user.email;
  });
}

/**
 * Erases up to `limit` closed accounts that are due, and the personal data in their events. Returns how many were due.
 */
export async function purgeAccounts(auth: Auth, limit: number): Promise<number> {
  const ids = await listPurgeable(auth.db, auth.clock(), limit);
  for (const id of ids) {
    await auth.db.transaction(async (db) => {
      const emailKey = await deleteUser(db, id, auth.clock());
      // Undefined: meanwhile it was reopened, or another instance erased it.
      if (emailKey !== undefined) await forgetPerson(auth, db, { id, emailKey });
    });
  }
  return ids.length;
}
