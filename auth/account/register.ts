/**
 * Registering in the public profile: a password waits in a one-time token until the mailbox is proven. Must not make a
 * user, or tell whether there is one.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveEvents } from "../../db/events.ts";
import { addToken, deleteTokensFor, findTokenOf } from "../../db/tokens.ts";
import { addUser, findUserBy, lockUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { reopenToken } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitRegistrations, mayMail, mayTellOfAccount } from "../limits/rate_limits.ts";
import type { MailRequest } from "../mail_kinds.ts";
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
  if (await findUserBy(auth.db, { email_key })) throw taken(email);
  const hashed_password = await hashPassword(auth, password, caller.signal);
  const user = await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const { locale = null } = caller;
    const added = await addUser(db, { id: newId(now), email, email_key, hashed_password, locale, created_at: now });
    if (added) {
      // What was guessed at the address before there was an account was no guess at this password.
      await Promise.all([
        forgetGuesses(db, email_key),
        recordEvent(auth, db, { type: "registered", userId: added.id, caller }),
      ]);
    }
    return added;
  });
  if (!user) throw taken(email);
  return { id: user.id, email: user.email };
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
 * In a transaction: an address has a user from now on, so whatever else was prepared for it ends. What was noted then is
 * about this person, and goes with the account.
 */
export async function endRegistrations(db: DB, emailKey: string, userId: string): Promise<void> {
  for (const purpose of ["register", "verify"] as const) {
    await giveEvents(db, purpose, emailKey, userId);
    await deleteTokensFor(db, purpose, emailKey);
  }
}

/** The mail that tells an owner that somebody signed up, or asked for a change, to this address. */
export function knownMail({ email, locale, name }: UserRow): MailRequest {
  return { kind: "already_registered", to: email, locale: localeOf(locale), name };
}

/** The mail that says until when, with a fresh link; the one of an earlier mail ends when it leaves. */
export function closedMail(user: UserRow, purgeAt: number): MailRequest {
  const { id: subject, email: to, name } = user;
  return { kind: "account_closed", to, locale: localeOf(user.locale), name, subject, purgeAt };
}

function taken(email: string): AuthError {
  return new AuthError("email_taken", `User ${email} already exists`);
}
