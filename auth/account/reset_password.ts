/**
 * Reset of a forgotten password, by a one-time token or code. Must not log anybody in (S29).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { addToken } from "../../db/tokens.ts";
import { lockUserBy, type UserRow } from "../../db/users.ts";
import * as users from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { forgetCodeTries } from "../credentials/mail_codes.ts";
import {
  findMailToken,
  invalidToken,
  type MailProof,
  recordUndoable,
  takeMailToken,
} from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey, emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitMailRequests, mayMail } from "../limits/rate_limits.ts";
import { askedMail, giveUpAfter, mailTo } from "../mail_kinds.ts";
import { hashToken, newId, randomToken, unusableSecret } from "../secrets.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { isActive } from "../users.ts";

/** How long a token is valid, in milliseconds (S27). For a mail, the time begins when it is sent. */
const LIFETIME = 30 * 60_000;

/**
 * Returns a reset token for this address instead of mailing it; an older one ends. For the local profile only, on the
 * developer's own machine. Throws `unknown_email`, and a plain Error in the public profile.
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

/** Requests a reset mail, with the same work for every address (S16, V52). Throws `invalid_email`, `rate_limited`. */
export async function requestPasswordReset(auth: Auth, email: string, caller: Caller = {}): Promise<void> {
  const key = emailKey(email);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "reset", key);
  await auth.db.transaction(async (db) => {
    // Lock first: a concurrent change of address must not leave a valid token with the old mailbox.
    const found = await lockUserBy(db, { email_key: key });
    const user = found && isActive(found) ? found : undefined;
    // Beyond the limit the last token stays valid. The row is then a dummy, as for an unknown address.
    const subject = user && mail ? user.id : newId(auth.clock());
    await Promise.all([
      addResetToken(auth, db, mail ? user : undefined, subject),
      recordEvent(auth, db, {
        type: "password_reset_requested",
        userId: found?.id,
        caller,
        mail: askedMail(mail, user && mailTo(user, "reset", { subject: user.id })),
      }),
    ]);
  });
}

/** In a transaction that locked this user: requests a reset mail, after the password was removed or by the operator. */
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
 * Sets a new password for the owner of the token, ends all their sessions and tokens (S28), and lifts a freeze. The
 * token alone finds the user. An address of somebody else is refused, and the token stays valid for its owner (S31).
 * Throws `invalid_token`, `too_many_attempts`, `weak_password`, `invalid_password`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
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
  const hashed = await hashPassword(auth, password, { caller, account: token.email_key });
  await auth.db.transaction(async (db) => {
    // The check above only saved a hash; this one counts.
    const { user, taken } = await takeMailToken(auth, db, token);
    // The token proves one mailbox. It is invalid once the account has another address (V41).
    if (!user || !isActive(user) || user.email_key !== taken?.email_key) throw invalidToken();
    await setPassword(auth, db, user, hashed, caller);
  });
}

async function setPassword(auth: Auth, db: DB, user: UserRow, hashed: string, caller: Caller): Promise<void> {
  const now = auth.clock();
  const id = newId(now);
  // A mailed token also proves the mailbox. Locally the token comes from an HTTP answer and proves nothing.
  const proven = auth.config.profile === "local" ? user.email_verified_at : user.email_verified_at ?? now;
  await Promise.all([
    users.resetPassword(db, user.id, hashed, proven, now),
    endAccess(auth, db, user.id),
    forgetCodeTries(db, user.email_key),
    forgetGuesses(db, user.email_key),
    recordUndoable(auth, db, user, { type: "password_reset", id, caller }, { kind: "password_changed" }),
  ]);
}

/** By default the token of a mail: no usable secret yet, valid for the time of sending plus `LIFETIME`. */
function addResetToken(
  auth: Auth,
  db: DB,
  user: UserRow | undefined,
  subject: string,
  { hash, lifetime } = { hash: unusableSecret(), lifetime: giveUpAfter({ kind: "reset" }) + LIFETIME },
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
