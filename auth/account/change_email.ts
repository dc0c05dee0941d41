/**
 * Change of the e-mail address. The user asks for it with the password, and the old mailbox is told. Must not change
 * the address before the new mailbox is proven (S34, V16).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { UniqueViolation } from "../../db/errors.ts";
import { addToken, findRestorer, findTokenOf, listTokensFor, type TokenRow } from "../../db/tokens.ts";
import { findUserBy, lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { countCodeTry, forgetCodeTries, matchCode } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, recordUndoable, takeMailToken } from "../credentials/mail_tokens.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitAccountChanges, limitMailRequests, mayMail, mayTellOfAccount } from "../limits/rate_limits.ts";
import { askedMail, type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import type { SignedIn } from "../sign_in/current_user.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { reauthenticate, type Reauthentication } from "../sign_in/reauthentication.ts";
import { holdSession, type NewSession, takeSession } from "../sign_in/sessions.ts";
import { renewSession } from "../sign_in/sign_in.ts";
import { isActive } from "../users.ts";
import { endRegistrations, knownMail, reservedMail } from "./register.ts";

/** How long a change can be proven, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Proof of the new mailbox: the link's token, or the code in the user's own session. `user` is who is signed in where
 * it is given; a link needs nobody.
 */
type ChangeProof = { token: string; user?: SignedIn } | { code: string; user: SignedIn };

/**
 * Requests a proof mail to the new address and a notice to the old one. If the new address has another account, or had
 * it and may get it back, its mailbox gets another mail instead, and the answer is the same (V52). Another spelling of
 * the user's own address is a new address: a mail server may tell letter case apart (RFC 5321 2.4). Throws `no_session`,
 * `wrong_password`, `login_required`, `throttled`, `invalid_email`, `rate_limited`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
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
  if (newEmail === user.email) {
    throw new AuthError("invalid_email", "new_email is the address of this account already", { reason: "same" });
  }
  await limitAccountChanges(auth, "address", user.id);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "change", key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    await lockUserBy(db, { id: user.id });
    // An undo may have ended the session while the password was checked. The change must not follow the undo (V15).
    await holdSession(auth, db, caller);
    const [found, restorer] = await Promise.all([
      findUserBy(db, { email_key: key }),
      findRestorer(db, key, user.id, now),
    ]);
    const owner = found?.id === user.id ? undefined : found;
    const told = await mayTellOfAccount(auth, db, owner?.id ?? restorer ?? key);
    await addToken(db, {
      purpose: "change_email",
      // Beyond the limit the last link stays valid (S36). The row is then a dummy that nothing finds.
      subject: mail ? user.id : newId(now),
      secret_hash: unusableSecret(),
      user_id: mail ? user.id : null,
      created_at: now,
      expires_at: now + LIFETIME,
      email: mail ? newEmail : null,
      email_key: mail ? key : null,
    });
    // The delivery status of both mails is hidden. The user's own events must not show which of the two was sent.
    const request = owner
      ? knownMail(owner)
      : restorer
      ? reservedMail(newEmail, localeOf(user.locale))
      : proofMail(user, newEmail);
    const asking: MailRequest = { ...request, untold: true };
    await recordEvent(auth, db, {
      type: "email_change_requested",
      userId: user.id,
      caller,
      mail: askedMail(mail, (owner || restorer) && !told ? undefined : asking),
    });
    await recordEvent(auth, db, {
      type: "email_change_announced",
      userId: user.id,
      mail: mailTo(user, "change_email_notice", { newEmail }),
    });
  });
}

/**
 * Puts the proven address in force and ends all sessions. If the caller's session belongs to the user, a new one
 * replaces it. A link that somebody else may have had sent is refused, and stays valid for its account. Returns the
 * address and that session. Throws `invalid_token`, `too_many_attempts`, `no_session`.
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
      const { user, taken } = await takeMailToken(auth, db, token);
      if (!taken?.email || !taken.email_key || !user || !isActive(user)) throw invalidToken();
      const old = await takeSession(auth, db, user.id, caller);
      // A code is short, so it proves nothing without the session in which it was typed.
      if (!old && !("token" in proof)) throw invalidToken();
      const isOthers = proof.user !== undefined && proof.user.id !== user.id;
      if (!old && (isOthers || await isContested(auth, db, user, taken.email_key))) throw invalidToken();
      await putInForce(auth, db, user, taken.email, taken.email_key, caller);
      // The new session keeps the age of the old one: a link proves a mailbox, it authenticates nobody.
      return { email: taken.email, session: old && await renewSession(auth, db, user, old, caller) };
    });
  } catch (error) {
    // Somebody else proved the same address first.
    throw error instanceof UniqueViolation ? invalidToken() : error;
  }
}

/**
 * Whether others wait for this address too: by a registration, or by a change of another account. Then the reader of
 * the mailbox cannot tell whose mail is whose, as with several registrations. A proof of the wrong one would give the
 * address to an account whose password and undo links a stranger has. Only a session of the account shows whose it is.
 */
async function isContested(auth: Auth, db: DB, user: UserRow, emailKey: string): Promise<boolean> {
  const now = auth.clock();
  const [registrations, changes] = await Promise.all([
    listTokensFor(db, "register", emailKey, now, 1),
    // The token of this account is used up by now. What is left is of others.
    listTokensFor(db, "change_email", emailKey, now, 1),
  ]);
  return registrations.length > 0 || changes.some(({ user_id }) => user_id !== user.id);
}

/** The mail that proves the new mailbox. */
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

/** The undo mail goes to the old address. Its token keeps the old address and password hash. */
async function putInForce(auth: Auth, db: DB, user: UserRow, email: string, email_key: string, caller: Caller) {
  const now = auth.clock();
  const id = newId(now);
  // The row is locked, so each change of this user has a number of its own.
  const email_changes = user.email_changes + 1;
  await updateUser(db, user.id, { email, email_key, email_changes, email_verified_at: now, updated_at: now });
  // Only now: a concurrent change that leaves this address ends before the write, and its link is seen.
  if (await findRestorer(db, email_key, user.id, now)) throw invalidToken();
  await endAccess(auth, db, user.id, { devices: "all" });
  // Other registrations for this address end here. Otherwise each would fail later, after its own mail.
  await endRegistrations(db, email_key, user.id);
  await forgetCodeTries(db, user.email_key);
  // Guesses at the new address from before it had an owner must not keep the owner out.
  await forgetGuesses(db, email_key);
  await forgetGuesses(db, user.email_key);
  const mail = { kind: "email_changed", newEmail: email } as const;
  await recordUndoable(auth, db, user, { type: "email_changed", id, caller }, mail);
}
