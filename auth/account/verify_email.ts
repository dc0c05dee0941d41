/**
 * Proof of a mailbox: sends the mail again, and accepts its link or code. Must not log anybody in.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveEvent } from "../../db/events.ts";
import { addToken, dropTokenPassword, listTokensFor, type TokenRow } from "../../db/tokens.ts";
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { forgetCodeTries } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, type MailProof, takeMailToken } from "../credentials/mail_tokens.ts";
import { emailKey } from "../email_addresses.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitMailRequests, mayMail } from "../limits/rate_limits.ts";
import { askedMail, type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { isActive } from "../users.ts";
import { createAccount } from "./register.ts";
import { sendReset } from "./reset_password.ts";

/** How long a mailbox can be proven, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Sends the newest verification mail again if this address waits for one, with the same work for every address. After
 * several registrations, the account from this mail has no password: nobody knows whose the newest is (S35). Throws
 * `invalid_email`, `rate_limited`.
 */
export async function requestVerification(auth: Auth, email: string, caller: Caller = {}): Promise<void> {
  const key = emailKey(email);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "verify", key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const user = await lockUserBy(db, { email_key: key });
    const [pending, another] = await listTokensFor(db, "register", key, now, 2);
    // Beyond the limit the last token stays valid (S36).
    const waits = mail && user !== undefined && user.email_verified_at === null && isActive(user);
    const unproven = waits ? user : undefined;
    const id = newId(now);
    await addToken(db, {
      purpose: "verify",
      // Without an unproven account the row opens nothing. The account of a waiting registration finds this event by
      // it.
      subject: unproven?.id ?? id,
      secret_hash: unusableSecret(),
      user_id: unproven?.id ?? null,
      created_at: now,
      expires_at: now + LIFETIME,
      email: unproven?.email ?? null,
      email_key: unproven || pending ? key : null,
    });
    // The user takes this mail for the answer to their own registration, but it may answer a stranger's.
    const doubtful = mail && !unproven && another ? pending.subject : newId(now);
    await dropTokenPassword(db, "register", doubtful);
    const request = unproven ? mailTo(unproven, "verify", { subject: unproven.id }) : pending && registerMail(pending);
    await recordEvent(auth, db, {
      type: "verification_requested",
      id,
      userId: user?.id,
      caller,
      mail: askedMail(mail, request),
    });
  });
}

interface Proven {
  email: string;
  /** If false, a mail to set a password is on its way. */
  hasPassword: boolean;
}

/**
 * Accepts the proof of a mailbox. Makes the account of a registration, or marks the address of an existing account as
 * proven. Throws `invalid_token`, `too_many_attempts`.
 */
export async function verifyEmail(auth: Auth, proof: MailProof, caller: Caller = {}): Promise<Proven> {
  const token = await findMailToken(auth, ["register", "verify"], proof, caller);
  return await auth.db.transaction(async (db) => {
    const { user, taken } = await takeMailToken(auth, db, token);
    if (!taken?.email || !taken.email_key) throw invalidToken();
    await forgetCodeTries(db, taken.email_key);
    await forgetGuesses(db, taken.email_key);
    const proven = taken.purpose === "register"
      ? await makeUser(auth, db, taken, caller)
      : await noteProof(auth, db, taken, user, caller);
    if (proven.hashed_password === null) await sendReset(auth, db, proven, caller);
    return { email: taken.email, hasPassword: proven.hashed_password !== null };
  });
}

/** Makes the account of a registration. Only the password of this registration counts (S35, V26). */
async function makeUser(auth: Auth, db: DB, token: TokenRow, caller: Caller): Promise<UserRow> {
  const user = await createAccount(auth, db, {
    email: token.email!,
    email_key: token.email_key!,
    hashed_password: token.hashed_password,
    locale: token.locale,
    proven: true,
  }, { caller });
  if (!user) throw invalidToken();
  await giveEvent(db, token.subject, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  return user;
}

/**
 * Ends all earlier sessions, and in public removes an earlier password. Whoever made the account may have typed
 * somebody else's address (S35). The token proves its own mailbox and no other (V41, V48).
 */
async function noteProof(
  auth: Auth,
  db: DB,
  token: TokenRow,
  user: UserRow | undefined,
  caller: Caller,
): Promise<UserRow> {
  const now = auth.clock();
  if (!user || !isActive(user) || user.email_key !== token.email_key) throw invalidToken();
  const first = auth.config.profile === "public" && user.email_verified_at === null;
  const hashed_password = first ? null : user.hashed_password;
  await updateUser(db, user.id, { email_verified_at: now, hashed_password, updated_at: now });
  await endAccess(auth, db, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  return { ...user, email_verified_at: now, hashed_password };
}

function registerMail(token: TokenRow): MailRequest {
  return { kind: "register", to: token.email!, locale: localeOf(token.locale), subject: token.subject };
}
