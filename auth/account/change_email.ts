/**
 * Another address for an account: asked for with the password, in force once the new mailbox is proven, told to the old.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { UniqueViolation } from "../../db/errors.ts";
import { addToken, consumeToken, findTokenOf, type TokenRow } from "../../db/tokens.ts";
import { findUserBy, lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { countCodeTry, forgetCodeTries, matchCode } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, undoToken } from "../credentials/mail_tokens.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitMailRequests, mayMail, mayTellOfAccount } from "../limits/rate_limits.ts";
import { type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import { endAccess } from "../sign_in/access.ts";
import type { SignedIn } from "../sign_in/current_user.ts";
import { reauthenticate, type Reauthentication } from "../sign_in/reauthentication.ts";
import { holdSession, type NewSession, takeSession } from "../sign_in/sessions.ts";
import { renewSession } from "../sign_in/sign_in.ts";
import { isActive } from "../users.ts";
import { endRegistrations, knownMail } from "./register.ts";

/** How long a change waits for its proof, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/** How a change is proven: by the link's token alone, or by the code together with the session of its user. */
export type ChangeProof = { token: string } | { code: string; user: SignedIn };

/**
 * Has the new mailbox asked for its proof and the old one told; the same answer when the new address is somebody
 * else's, whose owner is told (V52). Throws `no_session`, `wrong_password`, `login_required`, `throttled`,
 * `invalid_email`, `rate_limited`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function requestEmailChange(
  auth: Auth,
  signedIn: SignedIn,
  newEmail: string,
  proof: Reauthentication,
  caller: Caller,
): Promise<void> {
  const key = emailKey(newEmail);
  const user = await reauthenticate(auth, signedIn, proof, caller);
  if (key === user.email_key) {
    throw new AuthError("invalid_email", "new_email is the address of this account already", { reason: "same" });
  }
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "change", key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    await lockUserBy(db, { id: user.id });
    // Not from a session that ended while the password was checked: an undo would be followed by the change (V15).
    await holdSession(auth, db, caller);
    const owner = await findUserBy(db, { email_key: key });
    const told = await mayTellOfAccount(auth, db, owner?.id ?? key);
    await addToken(db, {
      purpose: "change_email",
      // Beyond the limit the last link stays good (S36), so the row is a stand-in that nothing finds.
      subject: mail ? user.id : newId(now),
      secret_hash: unusableSecret(),
      user_id: mail ? user.id : null,
      created_at: now,
      expires_at: now + LIFETIME,
      email: mail ? newEmail : null,
      email_key: mail ? key : null,
    });
    // What becomes of either is untold: the one who asks must not see in the own events which of the two was sent.
    const asking: MailRequest = { ...owner ? knownMail(owner) : proofMail(user, newEmail), untold: true };
    const goes = owner ? mail && told : mail;
    await recordEvent(auth, db, {
      type: "email_change_requested",
      userId: user.id,
      caller,
      mail: goes ? asking : undefined,
    });
    await recordEvent(auth, db, {
      type: "email_change_announced",
      userId: user.id,
      mail: mailTo(user, "change_email_notice", { newEmail }),
    });
  });
}

/**
 * Puts the proven address in force: all sessions end, and the one that asks, if it is the user's, gets a new id. Gives
 * the address, and that session. Throws `invalid_token`, `too_many_attempts`, `no_session`.
 */
export async function changeEmail(
  auth: Auth,
  proof: ChangeProof,
  caller: Caller,
): Promise<{ email: string; session?: NewSession }> {
  const token = "token" in proof
    ? await findMailToken(auth, ["change_email"], proof)
    : await findByCode(auth, proof.user, proof.code, caller);
  try {
    return await auth.db.transaction(async (db) => {
      const user = token.user_id ? await lockUserBy(db, { id: token.user_id }) : undefined;
      const taken = await consumeToken(db, "change_email", token.secret_hash, auth.clock());
      if (!taken?.email || !taken.email_key || !user || !isActive(user)) throw invalidToken();
      const old = await takeSession(auth, db, user.id, caller);
      // A code is short: without the session in which it was typed it proves nothing.
      if (!old && !("token" in proof)) throw invalidToken();
      await putInForce(auth, db, user, taken.email, taken.email_key, caller);
      // As old as the login: a link proves a mailbox, and nobody was authenticated now.
      return { email: taken.email, session: old && await renewSession(auth, db, user.id, old, caller) };
    });
  } catch (error) {
    // Somebody else proved the same address first.
    throw error instanceof UniqueViolation ? invalidToken() : error;
  }
}

/** To the new mailbox, which is to be proven. */
function proofMail(user: UserRow, newEmail: string): MailRequest {
  return { ...mailTo(user, "change_email", { subject: user.id, newEmail }), to: newEmail };
}

async function findByCode(auth: Auth, user: SignedIn, code: string, caller: Caller): Promise<TokenRow> {
  const pending = await findTokenOf(auth.db, "change_email", user.id, auth.clock());
  await countCodeTry(auth, emailKey(user.email), caller);
  const found = pending && await matchCode(auth, [pending], code);
  if (!found) throw invalidToken();
  return found;
}

/** The undo link goes to the address as it was before, with the password as it was before. */
async function putInForce(auth: Auth, db: DB, user: UserRow, email: string, email_key: string, caller: Caller) {
  const now = auth.clock();
  const id = newId(now);
  await updateUser(db, user.id, { email, email_key, email_verified_at: now, updated_at: now });
  await endAccess(auth, db, user.id);
  // Registrations that waited for this address would otherwise fail one by one, each with a mail behind it.
  await endRegistrations(db, email_key, user.id);
  await forgetCodeTries(db, user.email_key);
  // Guesses at the new address from when nobody had it must not keep its owner out now.
  await forgetGuesses(db, email_key);
  await forgetGuesses(db, user.email_key);
  await addToken(db, undoToken(auth, user, id));
  await recordEvent(auth, db, {
    type: "email_changed",
    id,
    userId: user.id,
    caller,
    mail: mailTo(user, "email_changed", { subject: id, newEmail: email }),
  });
}
