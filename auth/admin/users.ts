/**
 * What an actor may do to another user's account, by the same rules as its owner. Must not show a token, nor set the
 * password of a user who has one (S64). Otherwise the actor could sign in as any user.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import * as users from "../../db/users.ts";
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import { forgetPerson } from "../account/erase_account.ts";
import { createAccount, emailTaken } from "../account/register.ts";
import { sendReset } from "../account/reset_password.ts";
import type { Auth } from "../auth.ts";
import { requirePolicy } from "../credentials/password_policy.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { emailKey } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { endAccess } from "../sign_in/end_access.ts";
import { isActive, type User } from "../users.ts";
import { type Actor, byActor } from "./actor.ts";

/**
 * Adds a user whose address counts as proven, even if sign-up is closed. Without a password the user gets a mail to set
 * one. Throws `email_taken`, `invalid_email`, `invalid_password`, `weak_password`, `hashing_unavailable`.
 */
export async function createUser(auth: Auth, by: Actor, email: string, password: string | undefined): Promise<User> {
  const email_key = emailKey(email);
  if (password !== undefined) requirePolicy(auth, password, email);
  const hashed_password = password === undefined ? null : await hashPassword(auth, password);
  const user = await auth.db.transaction(async (db) => {
    const account = { email, email_key, hashed_password, proven: true };
    const added = await createAccount(auth, db, account, { details: byActor(by) });
    if (added && password === undefined) await sendReset(auth, db, added, {}, byActor(by));
    return added;
  });
  if (!user) throw emailTaken(email);
  return { id: user.id, email: user.email };
}

/**
 * Disables a user. Sessions and tokens end at once, and every login is refused like a wrong password (S16, V48). Undo
 * and reopen links stay, for when the account is enabled again. False when the user was disabled already.
 */
export function disableUser(auth: Auth, by: Actor, { id }: Pick<User, "id">): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    // First, because it locks the row. A concurrent login comes before, so its session ends here, or it fails (F23).
    if (!await users.disableUser(db, id, auth.clock())) return false;
    await endAccess(auth, db, id, { tokens: "reopen" });
    await recordEvent(auth, db, { type: "account_disabled", userId: id, details: byActor(by) });
    return true;
  });
}

/** Lets a disabled user log in again, with the same password. False when the user was not disabled. */
export function enableUser(auth: Auth, by: Actor, { id }: Pick<User, "id">): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    if (!await users.enableUser(db, id, auth.clock())) return false;
    await recordEvent(auth, db, { type: "account_enabled", userId: id, details: byActor(by) });
    return true;
  });
}

/** Ends all sessions of a user and returns how many were live. */
export function endSessionsOf(auth: Auth, by: Actor, { id }: Pick<User, "id">): Promise<number> {
  return auth.db.transaction(async (db) => {
    // Lock first: a concurrent login comes before and ends, or comes after. Two transactions never deadlock on
    // sessions.
    await lockUserBy(db, { id });
    const count = await endAccess(auth, db, id, { tokens: "all" });
    await recordEvent(auth, db, { type: "sessions_ended", userId: id, details: { count, ...byActor(by) } });
    return count;
  });
}

/** Requests a reset mail to the stored address. The actor never sees its link. Throws `unknown_email`. */
export async function mailReset(auth: Auth, by: Actor, user: User): Promise<void> {
  await auth.db.transaction(async (db) => sendReset(auth, db, await lockActive(db, user), {}, byActor(by)));
}

/**
 * Removes a password that others know (S7). All sessions and tokens end except undo links, and the user gets a mail to
 * set a new password. Throws `unknown_email`.
 */
export async function dropPassword(auth: Auth, by: Actor, user: User): Promise<void> {
  await auth.db.transaction(async (db) => {
    const current = await lockActive(db, user);
    await updateUser(db, user.id, { hashed_password: null, updated_at: auth.clock() });
    // Undo links stay: somebody who knew the password may have made a change.
    await endAccess(auth, db, user.id);
    await recordEvent(auth, db, { type: "password_compromised", userId: user.id, details: byActor(by) });
    await sendReset(auth, db, current, {}, byActor(by));
  });
}

/** Erases an account now, with all data about the person. False when it was gone already. */
export function eraseUser(auth: Auth, by: Actor, { id }: Pick<User, "id">): Promise<boolean> {
  return auth.db.transaction(async (db) => {
    // The current address: it may have changed since the actor looked.
    const emailKey = await users.eraseUser(db, id);
    if (emailKey === undefined) return false;
    await forgetPerson(auth, db, { id, emailKey }, byActor(by));
    return true;
  });
}

/** Locks the current row: the address may have changed since the actor looked. */
async function lockActive(db: DB, { id, email }: User): Promise<UserRow> {
  const user = await lockUserBy(db, { id });
  if (user && isActive(user)) return user;
  const what = !user ? "gone" : user.disabled_at === null ? "closed by its owner" : "disabled; enable it first";
  throw new AuthError("unknown_email", `${email} gets no reset mail, since the account is ${what}`);
}
