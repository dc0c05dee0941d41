/**
 * A new password for a user who is signed in.
 *
 * @module
 */
import { changePassword as changeRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { recordUndoable } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { newId } from "../secrets.ts";
import type { SignedIn } from "../sign_in/current_user.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { reauthenticate, type Reauthentication, wrongPassword } from "../sign_in/reauthentication.ts";
import { type NewSession, requireSession } from "../sign_in/sessions.ts";
import { renewSession } from "../sign_in/sign_in.ts";

/**
 * Changes the user's password, or sets the first one. The other sessions end and this one gets a new id (S28, S39).
 * Throws `no_session`, `wrong_password`, `login_required`, `throttled`, `weak_password`, `invalid_password`,
 * `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function changePassword(
  auth: Auth,
  signedIn: SignedIn,
  proof: Reauthentication,
  password: string,
  caller: Caller,
): Promise<NewSession> {
  const user = await reauthenticate(auth, signedIn, proof, caller);
  requirePolicy(auth, password, user.email);
  const hashed = await hashPassword(auth, password, caller.signal);
  return await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const id = newId(now);
    // First, because this write locks the user's row: a concurrent change fails here.
    if (!await changeRow(db, user.id, user.hashed_password, hashed, now)) throw wrongPassword();
    const session = await requireSession(auth, db, user.id, caller);
    await endAccess(auth, db, user.id);
    await recordUndoable(auth, db, user, { type: "password_changed", id, caller }, { kind: "password_changed" });
    return await renewSession(auth, db, user, session, caller, { authenticated: true });
  });
}
