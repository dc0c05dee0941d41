/**
 * Proof of a mailbox: sends the mail again, and accepts its link or code. Must not log anybody in to an account that has
 * a password.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveEvent } from "../../db/events.ts";
import { addToken, listTokensFor, lockRegistrations, type TokenRow } from "../../db/tokens.ts";
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { forgetCodeTries } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, type MailProof, takeMailToken } from "../credentials/mail_tokens.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { forgetRegistrations, limitMailRequests, mayMail } from "../limits/rate_limits.ts";
import { askedMail, type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import { byMail } from "../sign_in/by_mail.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { type NewSession, takeSession } from "../sign_in/sessions.ts";
import { renewSession } from "../sign_in/sign_in.ts";
import { isActive } from "../users.ts";
import { createAccount } from "./register.ts";

/** How long a mailbox can be proven, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Sends the newest verification mail again if this address waits for one, with the same work for every address. Throws
 * `invalid_email`, `rate_limited`.
 */
export async function requestVerification(auth: Auth, email: string, caller: Caller = {}): Promise<void> {
  const key = emailKey(email);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "verify", key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const user = await lockUserBy(db, { email_key: key });
    const [pending] = await listTokensFor(db, "register", key, now, 1);
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

/** What a proof of a mailbox led to. */
export interface Proven {
  email: string;
  /** If false, the user has to choose one: signed in, or by a reset where there is no session. */
  hasPassword: boolean;
  /** A new session: after a sign-in, or in place of the caller's own. */
  session?: NewSession;
  /** The value of the device cookie, after a sign-in. */
  device?: string;
}

/**
 * Accepts the proof of a mailbox. Makes the account of a registration, or marks the address of an existing account as
 * proven. An account without a password is then signed in to, so that its owner can choose one. Throws `invalid_token`,
 * `too_many_attempts`.
 */
export async function verifyEmail(auth: Auth, proof: MailProof, caller: Caller = {}): Promise<Proven> {
  const token = await findMailToken(auth, ["register", "verify"], proof, caller);
  const { email, user, session } = await auth.db.transaction(async (db) => {
    const waiting = token.purpose === "register" ? await takeRegistrations(auth, db, token.email_key!) : 0;
    const { user, taken } = await takeMailToken(auth, db, token);
    if (!taken?.email || !taken.email_key) throw invalidToken();
    await forgetCodeTries(db, taken.email_key);
    await forgetGuesses(db, taken.email_key);
    const { email } = taken;
    if (taken.purpose === "verify") return { email, ...await noteProof(auth, db, taken, user, caller) };
    // A stranger may have made one of them. Whose mail proved the mailbox says nothing about whose password is right.
    const hashed_password = waiting > 1 ? null : taken.hashed_password;
    return { email, user: await makeUser(auth, db, { ...taken, hashed_password }, caller), session: undefined };
  });
  if (user.hashed_password !== null) return { email, hasPassword: true, session };
  const login = await byMail(auth, user, caller);
  if (login?.state !== "signed_in") return { email, hasPassword: false };
  return { email, hasPassword: false, session: login.session, device: login.device };
}

/**
 * Locks the registrations of an address, and gives their number. First, and in the order of a registration: otherwise
 * proofs by several mails and new registrations would wait for each other.
 */
async function takeRegistrations(auth: Auth, db: DB, emailKey: string): Promise<number> {
  await forgetRegistrations(db, emailKey);
  return await lockRegistrations(db, emailKey, auth.clock());
}

/** Makes the account of a registration. Only the password of this registration counts (S35, V26). */
async function makeUser(auth: Auth, db: DB, token: TokenRow, caller: Caller): Promise<UserRow> {
  const user = await createAccount(auth, db, {
    email: token.email!,
    email_key: token.email_key!,
    hashed_password: token.hashed_password,
    locale: token.locale,
    proven: true,
  }, { caller }).catch((error) => {
    // Meanwhile another account had this address and may get it back.
    throw error instanceof AuthError && error.code === "email_taken" ? invalidToken() : error;
  });
  if (!user) throw invalidToken();
  await giveEvent(db, token.subject, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  return user;
}

/**
 * Ends all earlier sessions, and in public removes an earlier password. Whoever made the account may have typed
 * somebody else's address (S35). The caller's own session gets a new id and stays: who has it and the mailbox is the
 * owner. The token proves its own mailbox and no other (V41, V48).
 */
async function noteProof(
  auth: Auth,
  db: DB,
  token: TokenRow,
  user: UserRow | undefined,
  caller: Caller,
): Promise<{ user: UserRow; session: NewSession | undefined }> {
  const now = auth.clock();
  if (!user || !isActive(user) || user.email_key !== token.email_key) throw invalidToken();
  const first = auth.config.profile === "public" && user.email_verified_at === null;
  const hashed_password = first ? null : user.hashed_password;
  await updateUser(db, user.id, { email_verified_at: now, hashed_password, updated_at: now });
  const own = await takeSession(auth, db, user.id, caller);
  await endAccess(auth, db, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  // It keeps its age: a link proves a mailbox, it authenticates nobody.
  const session = own && hashed_password !== null ? await renewSession(auth, db, user, own, caller) : undefined;
  return { user: { ...user, email_verified_at: now, hashed_password }, session };
}

function registerMail(token: TokenRow): MailRequest {
  return { kind: "register", to: token.email!, locale: localeOf(token.locale), subject: token.subject };
}
