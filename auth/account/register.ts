/**
 * Registration. In public a password waits in a one-time token until the mailbox is proven. Before that, must not make
 * a user or show whether one exists.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveRegistrationEvents } from "../../db/events.ts";
import {
  addToken,
  deleteRegistrations,
  dropRegistrationPasswords,
  findRestorer,
  findTokenOf,
} from "../../db/tokens.ts";
import { addUser, findUserBy, lockUserBy, type NewUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { reopenToken } from "../credentials/mail_tokens.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import type { Locale } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { isFirstRegistration, limitRegistrations, mayMail, mayTellOfAccount } from "../limits/rate_limits.ts";
import { askedMail, type MailRequest, mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import type { User } from "../users.ts";

/** How long a registration can be proven, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Registers a user. Locally the account exists at once: of concurrent calls with one address, exactly one succeeds
 * (F22). In public it returns undefined, always after the same work; the account exists once the mailbox is proven.
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
    await requestRegistration(auth, email, await hashPassword(auth, password, { caller, account: email_key }), caller);
    return undefined;
  }
  // This check only saves a hash; the unique key decides.
  if (await findUserBy(auth.db, { email_key })) throw emailTaken(email);
  const hashed_password = await hashPassword(auth, password, { caller, account: email_key });
  const user = await auth.db.transaction((db) =>
    createAccount(auth, db, { email, email_key, hashed_password, locale: caller.locale }, { caller })
  );
  if (!user) throw emailTaken(email);
  return { id: user.id, email: user.email };
}

interface NewAccount extends Pick<NewUser, "email" | "email_key" | "hashed_password" | "locale"> {
  /** Whether the mailbox is proven. */
  proven?: boolean;
}

/**
 * In a transaction: adds an account and ends what waited for its address. That is other registrations (S35, V26), and
 * guesses from before it had an owner. Undefined when the address is taken: the unique key decides (F22). Throws
 * `email_taken` while the address is reserved: its former account may get it back by an undo link.
 */
export async function createAccount(
  auth: Auth,
  db: DB,
  { proven = false, ...account }: NewAccount,
  event: Pick<NewEvent, "caller" | "details"> = {},
): Promise<UserRow | undefined> {
  const now = auth.clock();
  const user = await addUser(db, {
    id: newId(now),
    created_at: now,
    email_verified_at: proven ? now : null,
    ...account,
  });
  if (!user) return undefined;
  const [restorer] = await Promise.all([
    // Only now: a concurrent change that leaves this address ends before the insert, and its link is seen.
    findRestorer(db, user.email_key, user.id, now),
    endRegistrations(db, user.email_key, user.id),
    forgetGuesses(db, user.email_key),
    recordEvent(auth, db, { ...event, type: "registered", userId: user.id }),
  ]);
  if (restorer !== undefined) {
    throw new AuthError("email_taken", `another account had ${user.email} and may get it back for up to 4 days`);
  }
  return user;
}

/**
 * Records a registration and requests its mail, by the same statements whatever the table holds (S16). A new address
 * gets the link that makes the account. A known one is told that it has an account, a reserved one that it must wait,
 * and a closed account gets the link that reopens it. Each registration has its own token, so that a later one cannot
 * replace an earlier one. After a second one none keeps its password: the owner cannot tell whose mail is whose, and
 * perhaps got none (S35, V26). Throws `invalid_email`.
 */
async function requestRegistration(auth: Auth, email: string, hashed: string, caller: Caller): Promise<void> {
  const email_key = emailKey(email);
  const mail = await mayMail(auth, "register", email_key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const subject = newId(now);
    const user = await lockUserBy(db, { email_key });
    const restorer = await findRestorer(db, email_key, user?.id ?? "", now);
    const told = await mayTellOfAccount(auth, db, user?.id ?? restorer ?? email_key) && mail;
    const reserved = user === undefined && restorer !== undefined;
    const known = user !== undefined || reserved;
    const [first, others] = await Promise.all([
      isFirstRegistration(auth, db, email_key),
      dropRegistrationPasswords(db, email_key, now),
    ]);
    const reopening = await findTokenOf(db, "reopen", user?.id ?? email_key, now);
    const closed = told && user && user.disabled_at === null ? user.purge_at : null;
    // The owner's reopen link stays valid until the mail with a new one is sent.
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
        // For a known or reserved address the row is a dummy that nothing finds.
        email: known ? null : email,
        email_key: known ? null : email_key,
        hashed_password: !known && first && others === 0 ? hashed : null,
        locale: caller.locale ?? null,
      },
    );
    const locale = caller.locale ?? "en";
    const request: MailRequest = reserved
      ? reservedMail(email, locale)
      : !user
      ? { kind: "register", to: email, locale, subject }
      : closed === null
      ? knownMail(user)
      : closedMail(user, closed);
    await recordEvent(auth, db, {
      type: "registration_requested",
      // By this id the later account finds its first events.
      id: subject,
      userId: user?.id,
      caller,
      mail: askedMail(mail, known && !told ? undefined : request),
    });
  });
}

/**
 * In a transaction, once the address has a user: ends all registrations for it. Their events are about this person, so
 * they move to the account and are erased with it.
 */
export async function endRegistrations(db: DB, emailKey: string, userId: string): Promise<void> {
  // Sent together but run in this order: the first reads the rows that the second deletes.
  await Promise.all([giveRegistrationEvents(db, emailKey, userId), deleteRegistrations(db, emailKey)]);
}

/** The mail to an owner: somebody signed up with this address, or wants to change theirs to it. */
export function knownMail(user: UserRow): MailRequest {
  return mailTo(user, "already_registered");
}

/** The mail to an address that its former account may get back: no other account can have it until then. */
export function reservedMail(to: string, locale: Locale): MailRequest {
  return { kind: "address_reserved", to, locale };
}

/** The mail with a new reopen link and the time of erasure. When it is sent, the link of an earlier mail ends. */
export function closedMail(user: UserRow, purgeAt: number): MailRequest {
  return mailTo(user, "account_closed", { subject: user.id, purgeAt });
}

/** The refusal of an address that has an account already. */
export function emailTaken(email: string): AuthError {
  return new AuthError("email_taken", `User ${email} already exists`);
}
