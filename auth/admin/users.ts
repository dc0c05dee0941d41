/**
 * What an operator may do to an account, by the same rules as its owner's own doors. Must not show a token or set the
 * password of somebody who has one (S64): whoever could would be able to pass for any user.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { deleteTokensOf } from "../../db/tokens.ts";
import * as users from "../../db/users.ts";
import { addUser, findUserBy, lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import { forgetPerson } from "../account/erase_account.ts";
import { endRegistrations } from "../account/register.ts";
import { sendReset } from "../account/reset_password.ts";
import type { Auth } from "../auth.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey, emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { newId } from "../secrets.ts";
import { destroySessions } from "../sign_in/sessions.ts";
import { isActive, type User } from "../users.ts";

/** Who did it, in the audit log. */
const BY = { by: "operator" } as const;

/** The user with this address or id. Throws `unknown_email`. */
export async function requireUserRow(auth: Auth, emailOrId: string): Promise<UserRow> {
  const email_key = emailKeyOrUndefined(emailOrId);
  const user = await findUserBy(auth.db, email_key === undefined ? { id: emailOrId } : { email_key });
  if (!user) throw new AuthError("unknown_email", `no user has the e-mail address or id "${emailOrId}"`);
  return user;
}

/**
 * Adds a user whose address counts as proven, also where strangers may not register. Without a password the user gets a
 * mail to set one. Throws `email_taken`, `invalid_email`, `invalid_password`, `weak_password`, `hashing_unavailable`.
 */
export async function addUserByOperator(auth: Auth, email: string, password: string | undefined): Promise<User> {
  const email_key = emailKey(email);
  if (password !== undefined) requirePolicy(auth, password, email);
  const hashed_password = password === undefined ? null : await hashPassword(auth, password);
  const user = await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const added = await addUser(db, {
      id: newId(now),
      email,
      email_key,
      hashed_password,
      created_at: now,
      email_verified_at: now,
    });
    if (!added) return undefined;
    // Whatever a stranger prepared for this address ends (S35).
    await endRegistrations(db, email_key, added.id);
    await forgetGuesses(db, email_key);
    await record(auth, db, { type: "registered", userId: added.id });
    if (password === undefined) await sendReset(auth, db, added, {}, BY);
    return added;
  });
  if (!user) throw new AuthError("email_taken", `User ${email} already exists`);
  return { id: user.id, email: user.email };
}

/**
 * Keeps a user out: sessions and tokens end at once, and every way in refuses as it refuses a wrong password (S16, V48).
 * Links that undo a change or open a closed account stay for the day when the account is enabled. False when the user
 * was disabled already.
 */
export function disableUser(auth: Auth, user: User): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    // First, since the write locks the row: a login at this moment ends before it, with its session, or fails (F23).
    if (!await users.disableUser(db, user.id, auth.clock())) return false;
    await destroySessions(auth, user.id, undefined, db);
    await deleteTokensOf(db, user.id, "reopen");
    await record(auth, db, { type: "account_disabled", userId: user.id });
    return true;
  });
}

/** Lets a disabled user log in again, by the same password. False when the user was not disabled. */
export function enableUser(auth: Auth, user: User): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    if (!await users.enableUser(db, user.id, auth.clock())) return false;
    await record(auth, db, { type: "account_enabled", userId: user.id });
    return true;
  });
}

/** Ends all sessions of a user and gives how many there were. */
export function endSessionsOf(auth: Auth, user: User): Promise<number> {
  return auth.db.transaction(async (db) => {
    // A login at this moment comes before it, and ends, or after it; and no two wait for each other's sessions.
    await lockUserBy(db, { id: user.id });
    const count = await destroySessions(auth, user.id, undefined, db);
    await record(auth, db, { type: "sessions_ended", userId: user.id, details: { count } });
    return count;
  });
}

/** Has a reset mail sent to the stored address; the operator never sees its link. Throws `unknown_email`. */
export async function mailReset(auth: Auth, user: UserRow): Promise<void> {
  await auth.db.transaction(async (db) => sendReset(auth, db, await lockOpen(db, user), {}, BY));
}

/**
 * For a password that others know (S7): it opens nothing from now on, all sessions and tokens end but those that undo a
 * change, and the user gets a mail to set a new one. Throws `unknown_email`.
 */
export async function dropPassword(auth: Auth, user: UserRow): Promise<void> {
  await auth.db.transaction(async (db) => {
    const current = await lockOpen(db, user);
    await updateUser(db, user.id, { hashed_password: null, updated_at: auth.clock() });
    await destroySessions(auth, user.id, undefined, db);
    // Not the links that undo a change: the change may have been made by whoever knows the password.
    await deleteTokensOf(db, user.id);
    await record(auth, db, { type: "password_compromised", userId: user.id });
    await sendReset(auth, db, current, {}, BY);
  });
}

/** Erases an account now, with all that tells of the person. False when it was gone already. */
export function eraseUser(auth: Auth, { id }: Pick<User, "id">): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    // The address of now: it may have changed since the operator's command looked.
    const emailKey = await users.eraseUser(db, id);
    if (emailKey === undefined) return false;
    await forgetPerson(auth, db, { id, emailKey }, BY);
    return true;
  });
}

async function record(auth: Auth, db: DB, event: NewEvent): Promise<void> {
  await recordEvent(auth, db, { ...event, details: { ...event.details, ...BY } });
}

/** The user as it is now: the address may have changed since the operator's command looked. */
async function lockOpen(db: DB, { id, email }: UserRow): Promise<UserRow> {
  const user = await lockUserBy(db, { id });
  if (user && isActive(user)) return user;
  const what = !user ? "gone" : user.disabled_at === null ? "closed by its owner" : "disabled; enable it first";
  throw new AuthError("unknown_email", `${email} gets no reset mail, since the account is ${what}`);
}
