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
import { isKnownDevice, signDevice } from "../limits/known_devices.ts";
import { limitAccountChanges } from "../limits/rate_limits.ts";
import { newId, randomToken } from "../secrets.ts";
import type { SignedIn } from "../sign_in/current_user.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { reauthenticate, type Reauthentication, wrongPassword } from "../sign_in/reauthentication.ts";
import { type NewSession, requireSession } from "../sign_in/sessions.ts";
import { renewSession } from "../sign_in/sign_in.ts";

/** What the caller gets after a change of password. */
interface ChangedPassword {
  session: NewSession;
  /** The new value of the device cookie. Undefined if the device was unknown. */
  device: string | undefined;
}

/**
 * Changes the user's password, or sets the first one. The other sessions end and this one gets a new id (S28, S39). Of
 * the known devices only this one stays known.
 * Throws `no_session`, `wrong_password`, `login_required`, `throttled`, `weak_password`, `invalid_password`,
 * `rate_limited` (public), `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function changePassword(
  auth: Auth,
  signedIn: SignedIn,
  proof: Reauthentication,
  password: string,
  caller: Caller,
): Promise<ChangedPassword> {
  const user = await reauthenticate(auth, signedIn, proof, caller);
  requirePolicy(auth, password, user.email);
  await limitAccountChanges(auth, "password", user.id);
  const hashed = await hashPassword(auth, password, { caller, account: user.email_key });
  const mark = randomToken();
  // Reads the keys here: inside the transaction a second connection may never come free.
  const isKnown = await isKnownDevice(auth, user, caller.device);
  const device = isKnown ? await signDevice(auth, { ...user, device_mark: mark }, caller.device) : undefined;
  return await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const id = newId(now);
    // First, because this write locks the user's row: a concurrent change fails here.
    if (!await changeRow(db, user.id, user.hashed_password, hashed, now)) throw wrongPassword();
    const session = await requireSession(auth, db, user.id, caller);
    await endAccess(auth, db, user.id, { devices: { mark } });
    await recordUndoable(auth, db, user, { type: "password_changed", id, caller }, { kind: "password_changed" });
    return { session: await renewSession(auth, db, user, session, caller, { authenticated: true }), device };
  });
}
