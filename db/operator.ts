/**
 * What only the operator's command line asks of the tables: lists without a known user, and changes that no request
 * makes. It may read whole tables, so nothing that answers a request may call it.
 *
 * @module
 */
import type { DB } from "./db.ts";
import type { Value } from "./engines/driver.ts";
import type { EventRow } from "./events.ts";
import type { GuessRow } from "./guesses.ts";
import type { UserRow } from "./users.ts";

/** Marks, in a pattern, a character that stands for itself; engines differ in the one that they take unasked. */
const ESCAPE = "!";

/** Users whose key begins so, in the order of the keys, from behind the one with this key. */
export function listUsers(db: DB, prefix: string, after: string, limit: number): Promise<UserRow[]> {
  return db.all<UserRow>(
    `SELECT * FROM users WHERE email_key > $1 AND email_key LIKE $2 ESCAPE $3 ORDER BY email_key LIMIT $4`,
    after,
    `${literal(prefix)}%`,
    ESCAPE,
    limit,
  );
}

/** The addresses of users, by id. */
export async function findEmails(db: DB, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const where = `id IN (${ids.map((_, index) => `$${index + 1}`).join(", ")})`;
  const rows = await db.all<Pick<UserRow, "id" | "email">>(`SELECT id, email FROM users WHERE ${where}`, ...ids);
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** Adds a user as it comes from elsewhere, and gives whether it was new: neither its id nor its address was taken. */
export async function importUser(db: DB, user: UserRow): Promise<boolean> {
  const added = await db.run(
    `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, signed_in_at, email_verified_at,
       name, locale, frozen_at, closed_at, purge_at, disabled_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
    user.id,
    user.email,
    user.email_key,
    user.hashed_password,
    user.created_at,
    user.updated_at,
    user.signed_in_at,
    user.email_verified_at,
    user.name,
    user.locale,
    user.frozen_at,
    user.closed_at,
    user.purge_at,
    user.disabled_at,
  );
  return added > 0;
}

/** Keeps a user out, and gives whether it was not so already. Locks the row, as a login does. */
export async function disableUser(db: DB, id: string, now: number): Promise<boolean> {
  const sql = "UPDATE users SET disabled_at = $1, updated_at = $1 WHERE id = $2 AND disabled_at IS NULL";
  return await db.run(sql, now, id) > 0;
}

/** Lets a user in again, and gives whether it was kept out. */
export async function enableUser(db: DB, id: string, now: number): Promise<boolean> {
  const sql = "UPDATE users SET disabled_at = NULL, updated_at = $1 WHERE id = $2 AND disabled_at IS NOT NULL";
  return await db.run(sql, now, id) > 0;
}

/** Erases a user now, with sessions and tokens, and gives the `email_key`, undefined when there was no such user. */
export async function eraseUser(db: DB, id: string): Promise<string | undefined> {
  const sql = "DELETE FROM users WHERE id = $1 RETURNING email_key";
  return (await db.get<Pick<UserRow, "email_key">>(sql, id))?.email_key;
}

/** Which events are asked for; what is absent does not matter. */
export interface EventFilter {
  /** Whose. */
  userId?: string;
  /** What happened. */
  type?: string;
  /** Not before this time, in milliseconds since 1970. */
  since?: number;
  /** Behind the one with this id. */
  after?: string;
}

/** Events that fit, oldest first. */
export function listEventsFrom(db: DB, filter: EventFilter, limit: number): Promise<EventRow[]> {
  const { where, values } = conditions(filter);
  const sql = `SELECT * FROM events WHERE ${where} ORDER BY id LIMIT $1`;
  return db.all<EventRow>(sql, limit, ...values);
}

/** The newest events that fit, newest first. */
export function listEventsBack(db: DB, filter: EventFilter, limit: number): Promise<EventRow[]> {
  const { where, values } = conditions(filter);
  const sql = `SELECT * FROM events WHERE ${where} ORDER BY id DESC LIMIT $1`;
  return db.all<EventRow>(sql, limit, ...values);
}

/** What is known of the mail about a token that belongs to nobody yet: the request while it waits, or its outcome. */
export function listMailEvents(db: DB, subject: string, since: number): Promise<EventRow[]> {
  return db.all<EventRow>(
    `SELECT * FROM events WHERE created_at >= $1 AND (mail LIKE $2 ESCAPE $3 OR details LIKE $2 ESCAPE $3)
     ORDER BY id DESC LIMIT 20`,
    since,
    `%"subject":"${literal(subject)}"%`,
    ESCAPE,
  );
}

/** Mails that are due since before this time, the oldest first. */
export function listLateMails(db: DB, before: number, limit: number): Promise<EventRow[]> {
  return db.all<EventRow>("SELECT * FROM events WHERE mail_at <= $1 ORDER BY mail_at LIMIT $2", before, limit);
}

/** Guesses made from devices that a user is known by. */
export function listDeviceGuesses(db: DB, userId: string): Promise<GuessRow[]> {
  const sql = "SELECT * FROM guesses WHERE id LIKE $1 ESCAPE $2 ORDER BY id LIMIT 100";
  return db.all<GuessRow>(sql, `device:${literal(userId)}:%`, ESCAPE);
}

/**
 * Ends what an older copy of the data would bring back to life: all sessions, and all tokens but those that undo a
 * change or open a closed account, which are their owners' only way back.
 */
export async function endAllAccess(db: DB): Promise<void> {
  await db.run("DELETE FROM sessions");
  await db.run("DELETE FROM tokens WHERE purpose <> $1 AND purpose <> $2", "undo", "reopen");
}

/** The texts are this file's own; only the values come from outside (S14). $1 is the limit. */
function conditions({ userId, type, since, after }: EventFilter): { where: string; values: Value[] } {
  const given = ([["id >", after], ["user_id =", userId], ["type =", type], ["created_at >=", since]] as const)
    .filter(([, value]) => value !== undefined);
  const where = ["id IS NOT NULL", ...given.map(([text], index) => `${text} $${index + 2}`)].join(" AND ");
  return { where, values: given.map(([, value]) => value!) };
}

function literal(text: string): string {
  return text.replace(/[%_!]/g, (char) => ESCAPE + char);
}
