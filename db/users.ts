/**
 * The table `users`: its row and all its queries. Must not judge an address or a password.
 *
 * @module
 */
import type { DB } from "./db.ts";
import type { Value } from "./engines/driver.ts";
import { ESCAPE, likeLiteral } from "./like.ts";

/** A user as stored. Times are milliseconds since 1970. */
export type UserRow = {
  /** UUID v7; never used again for another user (V57). */
  id: string;
  /** The address as its owner typed it; mail goes there. */
  email: string;
  /** The address in its unique spelling. */
  email_key: string;
  /** How many changes of address are in force. An undo takes back the newest ones. */
  email_changes: number;
  /** A modular crypt string; null for a user without a password. */
  hashed_password: string | null;
  created_at: number;
  updated_at: number;
  /** Null before the first login. */
  signed_in_at: number | null;
  /** Null until the mailbox is proven. */
  email_verified_at: number | null;
  name: string | null;
  locale: string | null;
  /** Since when the account waits for a reset, after a change was undone. */
  frozen_at: number | null;
  closed_at: number | null;
  /** When a closed account is erased. */
  purge_at: number | null;
  disabled_at: number | null;
  /** Covered by the signatures of this user's device cookies. Null until cookies were first made unknown. */
  device_mark: string | null;
};

/** The columns that find a user. Each is unique, so that no search scans the table. */
type UserKey = "id" | "email_key";

/** The columns that may change after a user was added. */
type UserChange = Partial<
  Pick<
    UserRow,
    "email" | "email_key" | "email_changes" | "email_verified_at" | "hashed_password" | "locale" | "name" | "updated_at"
  >
>;

const KEYS: readonly UserKey[] = ["id", "email_key"];
const CHANGEABLE = [
  "email",
  "email_key",
  "email_changes",
  "email_verified_at",
  "hashed_password",
  "locale",
  "name",
  "updated_at",
] as const;

/** The required columns of a new user; all others are null. */
export type NewUser =
  & Pick<UserRow, "id" | "email" | "email_key" | "hashed_password" | "created_at">
  & Partial<Pick<UserRow, "locale" | "email_verified_at">>;

/** Adds a user, or returns undefined when the address is taken. The unique key decides, not an earlier look (F22). */
export function addUser(db: DB, user: NewUser): Promise<UserRow | undefined> {
  return db.get<UserRow>(
    `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, locale, email_verified_at)
     VALUES ($1, $2, $3, $4, $5, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING RETURNING *`,
    user.id,
    user.email,
    user.email_key,
    user.hashed_password,
    user.created_at,
    user.locale ?? null,
    user.email_verified_at ?? null,
  );
}

/** The user with these values, or undefined. Throws a TypeError for a column that is not a key, and for no column. */
export async function findUserBy(db: DB, key: Partial<Record<UserKey, string>>): Promise<UserRow | undefined> {
  const [where, values] = pairs(key, KEYS, " AND ");
  return await db.get<UserRow>(`SELECT * FROM users WHERE ${where}`, ...values);
}

/**
 * As {@linkcode findUserBy}, and locks the row until the transaction ends, so that a decision about it stays right. The
 * first statement of every change to an account, so that no two changes wait for each other.
 */
export async function lockUserBy(db: DB, key: Partial<Record<UserKey, string>>): Promise<UserRow | undefined> {
  const [where, values] = pairs(key, KEYS, " AND ");
  return await db.get<UserRow>(`UPDATE users SET updated_at = updated_at WHERE ${where} RETURNING *`, ...values);
}

/** Changes a user and returns whether there is one. Throws a TypeError for no column, or one that may not change. */
export async function updateUser(db: DB, id: string, change: UserChange): Promise<boolean> {
  const [set, values] = pairs(change, CHANGEABLE, ", ");
  return await db.run(`UPDATE users SET ${set} WHERE id = $${values.length + 1}`, ...values, id) > 0;
}

/** Replaces a hash by a newer one of the same password, unless the password changed meanwhile. */
export async function replaceHash(db: DB, id: string, old: string, hashed: string): Promise<boolean> {
  const sql = "UPDATE users SET hashed_password = $1 WHERE id = $2 AND hashed_password = $3";
  return await db.run(sql, hashed, id, old) > 0;
}

/**
 * Stores a login, and gives the row as it is now. Undefined unless the user still exists, is active and has this hash.
 * The write locks the row: a concurrent change comes before it and is seen, or after it and ends the session (F23,
 * V48).
 */
export function noteSignIn(db: DB, id: string, hashed: string | null, now: number): Promise<UserRow | undefined> {
  const sql = hashed === null
    ? `UPDATE users SET signed_in_at = $1
       WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL RETURNING *`
    : `UPDATE users SET signed_in_at = $1
       WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL AND hashed_password = $3 RETURNING *`;
  return db.get<UserRow>(sql, ...(hashed === null ? [now, id] : [now, id, hashed]));
}

/** Sets a new password if the old one is unchanged, and returns whether it was. Locks the row, as `noteSignIn` does. */
export async function changePassword(
  db: DB,
  id: string,
  old: string | null,
  hashed: string,
  now: number,
): Promise<boolean> {
  const changed = old === null
    ? db.run(
      "UPDATE users SET hashed_password = $1, updated_at = $2 WHERE id = $3 AND hashed_password IS NULL",
      hashed,
      now,
      id,
    )
    : db.run(
      "UPDATE users SET hashed_password = $1, updated_at = $2 WHERE id = $3 AND hashed_password = $4",
      hashed,
      now,
      id,
      old,
    );
  return await changed > 0;
}

/** Sets a new password without the old one, and lifts a freeze. */
export async function resetPassword(db: DB, id: string, hashed: string, verified: number | null, now: number) {
  const sql = `UPDATE users SET hashed_password = $1, email_verified_at = $2, frozen_at = NULL, updated_at = $3
     WHERE id = $4`;
  await db.run(sql, hashed, verified, now, id);
}

/** Removes the password until a reset. */
export async function freezeUser(db: DB, id: string, now: number): Promise<void> {
  await db.run("UPDATE users SET hashed_password = NULL, frozen_at = $1, updated_at = $1 WHERE id = $2", now, id);
}

/** Gives a user another mark, so that every earlier device cookie becomes unknown. */
export async function replaceDeviceMark(db: DB, id: string, mark: string): Promise<void> {
  await db.run("UPDATE users SET device_mark = $1 WHERE id = $2", mark, id);
}

/** Closes an account until it is erased. */
export async function closeUser(db: DB, id: string, now: number, purgeAt: number): Promise<void> {
  const sql = "UPDATE users SET closed_at = $1, purge_at = $2, updated_at = $1 WHERE id = $3";
  await db.run(sql, now, purgeAt, id);
}

/** Reopens a closed account. */
export async function reopenUser(db: DB, id: string, now: number): Promise<void> {
  await db.run("UPDATE users SET closed_at = NULL, purge_at = NULL, updated_at = $1 WHERE id = $2", now, id);
}

/** The ids of up to `limit` accounts that are due to be erased. */
export async function listPurgeable(db: DB, now: number, limit: number): Promise<string[]> {
  const sql = "SELECT id FROM users WHERE purge_at <= $1 ORDER BY purge_at LIMIT $2";
  return (await db.all<Pick<UserRow, "id">>(sql, now, limit)).map((row) => row.id);
}

/** Erases an account that is due, with its sessions and tokens. Returns its `email_key`; undefined when not due. */
export async function deleteUser(db: DB, id: string, now: number): Promise<string | undefined> {
  const sql = "DELETE FROM users WHERE id = $1 AND purge_at <= $2 RETURNING email_key";
  return (await db.get<Pick<UserRow, "email_key">>(sql, id, now))?.email_key;
}

/** Column names go into the text of a statement, so they must come from a fixed list (S14). */
function pairs(
  given: Record<string, Value | undefined>,
  allowed: readonly string[],
  between: string,
): [sql: string, values: Value[]] {
  const columns = Object.keys(given);
  const unknown = columns.find((column) => !allowed.includes(column));
  if (unknown !== undefined) throw new TypeError(`users has no column "${unknown}" that could be used here`);
  if (columns.length === 0) throw new TypeError("name at least one column of users");
  const values = columns.map((column) => given[column]);
  if (values.includes(undefined)) throw new TypeError("a column of users was given without a value");
  return [columns.map((column, index) => `${column} = $${index + 1}`).join(between), values as Value[]];
}

/** Users whose key begins with `prefix`, ordered by key, beginning after the key `after`. */
export function listUsers(db: DB, prefix: string, after: string, limit: number): Promise<UserRow[]> {
  return db.all<UserRow>(
    `SELECT * FROM users WHERE email_key > $1 AND email_key LIKE $2 ESCAPE $3 ORDER BY email_key LIMIT $4`,
    after,
    `${likeLiteral(prefix)}%`,
    ESCAPE,
    limit,
  );
}

/** A user's hash, and what decides whether a login compares it. */
type HashOfUser = Pick<UserRow, "id" | "hashed_password" | "closed_at" | "disabled_at" | "email_verified_at">;

/** The hashes of users, by id, beginning after the id `after`. */
export function listHashes(db: DB, after: string, limit: number): Promise<HashOfUser[]> {
  return db.all<HashOfUser>(
    `SELECT id, hashed_password, closed_at, disabled_at, email_verified_at FROM users WHERE id > $1 ORDER BY id LIMIT $2`,
    after,
    limit,
  );
}

/** The highest id; undefined without users. */
export async function findLastId(db: DB): Promise<string | undefined> {
  return (await db.get<Pick<UserRow, "id">>("SELECT id FROM users WHERE id > $1 ORDER BY id DESC LIMIT 1", ""))?.id;
}

/** The addresses of users, by id. */
export async function findEmails(db: DB, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const where = `id IN (${ids.map((_, index) => `$${index + 1}`).join(", ")})`;
  const rows = await db.all<Pick<UserRow, "id" | "email">>(`SELECT id, email FROM users WHERE ${where}`, ...ids);
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** A user from elsewhere, none of whose changes can be undone here. */
export type ImportedUser = Omit<UserRow, "email_changes">;

/** How many users one statement adds. More of them make no row cheaper. */
const ROWS_A_STATEMENT = 25;
/** Only two texts, so that both stay prepared. */
const IMPORT_ONE = importOf(1), IMPORT_MANY = importOf(ROWS_A_STATEMENT);

function importOf(count: number): string {
  const places = (row: number): string =>
    Array.from({ length: 15 }, (_, index) => `$${row * 15 + index + 1}`).join(", ");
  const rows = Array.from({ length: count }, (_, row) => `(${places(row)})`).join(", ");
  return `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, signed_in_at,
       email_verified_at, name, locale, frozen_at, closed_at, purge_at, disabled_at, device_mark)
     VALUES ${rows} ON CONFLICT DO NOTHING RETURNING id, email_key`;
}

function importedValues(user: ImportedUser): Value[] {
  return [
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
    user.device_mark,
  ];
}

/**
 * In a transaction: adds imported users in their order. Returns for each whether it was new: neither its id nor its
 * address was taken, not even by one before it.
 */
export async function importUsers(db: DB, users: readonly ImportedUser[]): Promise<boolean[]> {
  const whole = users.length - users.length % ROWS_A_STATEMENT;
  const parts: (readonly ImportedUser[])[] = [];
  for (let start = 0; start < whole; start += ROWS_A_STATEMENT) {
    parts.push(users.slice(start, start + ROWS_A_STATEMENT));
  }
  for (const user of users.slice(whole)) parts.push([user]);
  const rows = await Promise.all(
    parts.map((part) =>
      db.all<Pick<UserRow, "id" | "email_key">>(
        part.length === 1 ? IMPORT_ONE : IMPORT_MANY,
        ...part.flatMap(importedValues),
      )
    ),
  );
  const keyOf = ({ id, email_key }: Pick<UserRow, "id" | "email_key">): string => `${id} ${email_key}`;
  const added = new Set(rows.flat().map(keyOf));
  // Of two with the same id and address, the first one was added.
  return users.map((user) => added.delete(keyOf(user)));
}

/** Disables a user, and returns false when that was so already. Locks the row, as a login does. */
export async function disableUser(db: DB, id: string, now: number): Promise<boolean> {
  const sql = "UPDATE users SET disabled_at = $1, updated_at = $1 WHERE id = $2 AND disabled_at IS NULL";
  return await db.run(sql, now, id) > 0;
}

/** Enables a user, and returns false when it was not disabled. */
export async function enableUser(db: DB, id: string, now: number): Promise<boolean> {
  const sql = "UPDATE users SET disabled_at = NULL, updated_at = $1 WHERE id = $2 AND disabled_at IS NOT NULL";
  return await db.run(sql, now, id) > 0;
}

/** Erases a user now, with sessions and tokens. Returns the `email_key`; undefined if there is no such user. */
export async function eraseUser(db: DB, id: string): Promise<string | undefined> {
  const sql = "DELETE FROM users WHERE id = $1 RETURNING email_key";
  return (await db.get<Pick<UserRow, "email_key">>(sql, id))?.email_key;
}
