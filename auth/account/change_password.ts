/**
 * A new password for who knows the old one.
 *
 * @module
 */
import { addToken, deleteTokensOf } from "../../db/tokens.ts";
import { changePassword as changeRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { undoToken } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { newId } from "../secrets.ts";
import { requirePassword, wrongPassword } from "../sign_in/reauthentication.ts";
import { addSession, destroySessions, type NewSession, takeSession } from "../sign_in/sessions.ts";

/**
 * Changes the password of whoever is logged in; the other sessions end and this one gets a new id (S28, S39). Throws
 * `no_session`, `wrong_password`, `throttled`, `weak_password`, `invalid_password`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
 */
export async function changePassword(
  auth: Auth,
  current: string,
  password: string,
  caller: Caller,
): Promise<NewSession> {
  const user = await requirePassword(auth, current, caller);
  requirePolicy(auth, password, user.email);
  const hashed = await hashPassword(auth, password, caller.signal);
  return await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const id = newId(now);
    if (!await changeRow(db, user.id, user.hashed_password!, hashed, now)) throw wrongPassword();
    await takeSession(auth, db, caller);
    await destroySessions(auth, user.id, undefined, db);
    await deleteTokensOf(db, user.id);
    await addToken(db, undoToken(auth, user, id));
    await recordEvent(auth, db, {
      type: "password_changed",
      id,
      userId: user.id,
      caller,
      mail: { kind: "password_changed", to: user.email, locale: localeOf(user.locale), name: user.name, subject: id },
    });
    return await addSession(auth, db, user.id, caller);
  });
}
