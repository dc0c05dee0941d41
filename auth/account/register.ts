/**
 * Registering in the public profile: a password waits in a one-time token until the mailbox is proven. Must not make a
 * user, or tell whether there is one.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveRegistrationEvents } from "../../db/events.ts";
import { addToken, deleteRegistrations, findTokenOf } from "../../db/tokens.ts";
import { addUser, findUserBy, lockUserBy, type NewUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { reopenToken } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitRegistrations, mayMail, mayTellOfAccount } from "../limits/rate_limits.ts";
import { type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import type { User } from "../users.ts";

/** How long a registration waits for its mailbox, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Registers somebody. Locally the user is there at once: of any number of callers with one address, one succeeds (F22).
 * In the public profile it gives undefined, always for the same work, and the user is there once the mailbox is proven.
 * Throws `email_taken` (local), `sign_up_closed`, `weak_password`, `rate_limited` (public), `invalid_email`,
 * `invalid_password`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function registerUser(
  auth: Auth,
  email: string,
  password: string,
  caller: Caller = {},
): Promise<User | undefined> {
  if (auth.config.signUp === "closed") throw new AuthError("sign_up_closed", "new accounts are made by the operator");
  const email_key = emailKey(email);
  requirePolicy(auth, password, email);
  await limitRegistrations(auth, caller);
  if (auth.config.profile === "public") {
    await requestRegistration(auth, email, await hashPassword(auth, password, caller.signal), caller);
    return undefined;
  }
  // Before the hash only to spare it; the unique key decides.
  if (await findUserBy(auth.db, { email_key })) throw emailTaken(email);
  const hashed_password = await hashPassword(auth, password, caller.signal);
  const user = await auth.db.transaction((db) =>
    createAccount(auth, db, { email, email_key, hashed_password, locale: caller.locale }, { caller })
  );
  if (!user) throw emailTaken(email);
  return { id: user.id, email: user.email };
}

/** What is said of a new account. */
export type NewAccount =
  & Pick<NewUser, "email" | "email_key" | "hashed_password" | "email_verified_at" | "locale">
  & { id?: string };

/**
 * In a transaction: adds an account, and ends whatever waited for its address: other registrations (S35, V26), guesses and
 * code tries from when nobody had it. Undefined when the address is taken: the unique key decides (F22).
 */
export async function createAccount(
  auth: Auth,
  db: DB,
  account: NewAccount,
  event: Pick<NewEvent, "caller" | "details"> = {},
): Promise<UserRow | undefined> {
  const now = auth.clock();
  const user = await addUser(db, { id: newId(now), created_at: now, ...account });
  if (!user) return undefined;
  await Promise.all([
    endRegistrations(db, user.email_key, user.id),
    forgetGuesses(db, user.email_key),
    recordEvent(auth, db, { ...event, type: "registered", userId: user.id }),
  ]);
  return user;
}

/**
 * Notes a registration and has its mail sent: to a new address the link that makes the account, to a known one the word
 * that it has an account already, to that of a closed account the link that opens it again. The same statements for all,
 * whatever is in the table (S16). Each registration has a token of its own, so that no later one can take an earlier
 * one's place. Throws `invalid_email`.
 */
export async function requestRegistration(auth: Auth, email: string, hashed: string, caller: Caller): Promise<void> {
  const email_key = emailKey(email);
  const mail = await mayMail(auth, "register", email_key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const subject = newId(now);
    const user = await lockUserBy(db, { email_key });
    const told = await mayTellOfAccount(auth, db, user?.id ?? email_key) && mail;
    const reopening = await findTokenOf(db, "reopen", user?.id ?? email_key, now);
    const closed = told && user && user.disabled_at === null ? user.purge_at : null;
    // The link that the owner got when the account was closed stays good until the new one leaves.
    const missing = closed !== null && closed > now && !reopening ? reopenToken(user!, now, closed) : undefined;
    await addToken(
      db,
      missing ?? {
        purpose: "register",
        subject,
        secret_hash: unusableSecret(),
        user_id: user?.id ?? null,
        created_at: now,
        expires_at: now + LIFETIME,
        // For a known address the row is a stand-in that nothing finds.
        email: user ? null : email,
        email_key: user ? null : email_key,
        hashed_password: user ? null : hashed,
        locale: caller.locale ?? null,
      },
    );
    const request: MailRequest = !user
      ? { kind: "register", to: email, locale: caller.locale ?? "en", subject }
      : closed === null
      ? knownMail(user)
      : closedMail(user, closed);
    await recordEvent(auth, db, {
      type: "registration_requested",
      // By which the account will find its first events, once there is one.
      id: subject,
      userId: user?.id,
      caller,
      mail: (user ? told : mail) ? request : undefined,
    });
  });
}

/**
 * In a transaction: an address has a user from now on, so whatever else was prepared for it ends. The events of those
 * registrations are about this person, and go with the account.
 */
export async function endRegistrations(db: DB, emailKey: string, userId: string): Promise<void> {
  // Sent in one go, and done in this order: the first reads the rows that the second deletes.
  await Promise.all([giveRegistrationEvents(db, emailKey, userId), deleteRegistrations(db, emailKey)]);
}

/** The mail that tells an owner that somebody signed up with this address, or asked for a change to it. */
export function knownMail(user: UserRow): MailRequest {
  return mailTo(user, "already_registered");
}

/** The mail that says until when, with a fresh link; the link of an earlier mail ends when it leaves. */
export function closedMail(user: UserRow, purgeAt: number): MailRequest {
  return mailTo(user, "account_closed", { subject: user.id, purgeAt });
}

function emailTaken(email: string): AuthError {
  return new AuthError("email_taken", `User ${email} already exists`);
}
