/**
 * The way back in for who forgot the password: a one-time token or code, and a new password for it. Must not log
 * anybody in (S29).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { addToken, consumeToken } from "../../db/tokens.ts";
import { lockUserBy, type UserRow } from "../../db/users.ts";
import * as users from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { forgetCodeTries } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, type MailProof, undoToken } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey, emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitMailRequests, mayMail } from "../limits/rate_limits.ts";
import { giveUpAfter, mailTo } from "../mail_kinds.ts";
import { hashToken, newId, randomToken, unusableSecret } from "../secrets.ts";
import { endAccess } from "../sign_in/access.ts";
import { isActive } from "../users.ts";

/** How long a token is good for, in milliseconds (S27); of one that goes out by mail, from when the mail is sent. */
const LIFETIME = 30 * 60_000;

/**
 * Makes a reset token for whoever has this address and hands it out, which is right on the developer's own machine
 * only; an older one ends. Throws `unknown_email`, and a plain Error in the public profile.
 */
export async function getResetPasswordToken(auth: Auth, email: string, caller: Caller = {}): Promise<string> {
  if (auth.config.profile === "public") throw new Error("a reset token never leaves by HTTP in the public profile");
  const email_key = emailKeyOrUndefined(email);
  const token = randomToken();
  await auth.db.transaction(async (db) => {
    const user = email_key === undefined ? undefined : await lockUserBy(db, { email_key });
    if (!user || !isActive(user)) throw new AuthError("unknown_email", "no user has this e-mail address");
    await Promise.all([
      addResetToken(auth, db, user, user.id, { hash: hashToken(token), lifetime: LIFETIME }),
      recordEvent(auth, db, { type: "password_reset_requested", userId: user.id, caller }),
    ]);
  });
  return token;
}

/**
 * Has a reset mail sent to whoever has this address; the same work for every address (S16, V52). Throws
 * `invalid_email`, `rate_limited`.
 */
export async function requestPasswordReset(auth: Auth, email: string, caller: Caller = {}): Promise<void> {
  const key = emailKey(email);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "reset", key);
  await auth.db.transaction(async (db) => {
    // Read here and locked: a token for a mailbox that the account leaves at this moment would open it to who has that.
    const found = await lockUserBy(db, { email_key: key });
    const user = found && isActive(found) ? found : undefined;
    // Beyond the limit the last token stays good, so the row is a stand-in, as it is for a stranger.
    const subject = user && mail ? user.id : newId(auth.clock());
    await Promise.all([
      addResetToken(auth, db, mail ? user : undefined, subject),
      recordEvent(auth, db, {
        type: "password_reset_requested",
        userId: found?.id,
        caller,
        mail: user && mail ? mailTo(user, "reset", { subject: user.id }) : undefined,
      }),
    ]);
  });
}

/**
 * In a transaction that locked this user: has a reset mail sent, for a flow that took the password away, or the operator.
 */
export async function sendReset(
  auth: Auth,
  db: DB,
  user: UserRow,
  caller: Caller,
  details?: Record<string, string>,
): Promise<void> {
  await addResetToken(auth, db, user, user.id);
  await recordEvent(auth, db, {
    type: "password_reset_requested",
    userId: user.id,
    caller,
    details,
    mail: mailTo(user, "reset", { subject: user.id }),
  });
}

/**
 * Sets a new password for whoever the token was made for, ends all of the user's sessions and tokens (S28), and lifts a
 * freeze. The token alone finds the user; an address that is not that user's refuses it and leaves it good for its
 * owner (S31). Throws `invalid_token`, `too_many_attempts`, `weak_password`, `invalid_password`, `overloaded`,
 * `client_gone`, `hashing_unavailable`.
 */
export async function updatePassword(
  auth: Auth,
  proof: MailProof | string,
  password: string,
  options: { email?: string; caller?: Caller } = {},
): Promise<void> {
  const { caller = {} } = options;
  const mail = typeof proof === "string" ? { token: proof } : proof;
  const email = options.email ?? ("email" in mail ? mail.email : undefined);
  // Before the proof: a right code with a weak password must not cost one of the few tries.
  if (email !== undefined) requirePolicy(auth, password, email);
  const token = await findMailToken(auth, ["reset"], mail, caller);
  if (!token.email_key || !token.email) throw invalidToken();
  if (email !== undefined && emailKeyOrUndefined(email) !== token.email_key) throw invalidToken();
  requirePolicy(auth, password, token.email);
  const hashed = await hashPassword(auth, password, caller.signal);
  await auth.db.transaction(async (db) => {
    const user = token.user_id ? await lockUserBy(db, { id: token.user_id }) : undefined;
    // The look above spared a hash; this takes the token, and of many at once one gets it.
    const taken = await consumeToken(db, "reset", token.secret_hash, auth.clock());
    // It is a proof of one mailbox, and worth nothing once the account has another (V41).
    if (!user || !isActive(user) || user.email_key !== taken?.email_key) throw invalidToken();
    await setPassword(auth, db, user, hashed, caller);
  });
}

async function setPassword(auth: Auth, db: DB, user: UserRow, hashed: string, caller: Caller): Promise<void> {
  const now = auth.clock();
  const id = newId(now);
  // A token that came by mail proves the mailbox too; one that was handed out over HTTP proves nothing.
  const proven = auth.config.profile === "local" ? user.email_verified_at : user.email_verified_at ?? now;
  await Promise.all([
    users.resetPassword(db, user.id, hashed, proven, now),
    endAccess(auth, db, user.id),
    forgetCodeTries(db, user.email_key),
    forgetGuesses(db, user.email_key),
    addToken(db, undoToken(auth, user, id)),
    recordEvent(auth, db, {
      type: "password_reset",
      id,
      userId: user.id,
      caller,
      mail: mailTo(user, "password_changed", { subject: id }),
    }),
  ]);
}

/** The token of a mail, unless another one is handed out: without a secret, and waiting as long as its mail is tried. */
function addResetToken(
  auth: Auth,
  db: DB,
  user: UserRow | undefined,
  subject: string,
  { hash, lifetime } = { hash: unusableSecret(), lifetime: giveUpAfter("reset") + LIFETIME },
): Promise<void> {
  const now = auth.clock();
  return addToken(db, {
    purpose: "reset",
    subject,
    secret_hash: hash,
    user_id: user?.id ?? null,
    created_at: now,
    expires_at: now + lifetime,
    email: user?.email ?? null,
    email_key: user?.email_key ?? null,
  });
}
