/**
 * Reads and writes whole tables page by page, for the move to another database. Must not be called for a request: it
 * reads every row.
 *
 * @module
 */
import type { CounterRow } from "../counters.ts";
import type { DB } from "../db.ts";
import type { Row, Value } from "../engines/driver.ts";
import type { EventRow } from "../events.ts";
import type { FormPostRow } from "../form_posts.ts";
import type { GuessRow } from "../guesses.ts";
import type { KeyRow } from "../keys.ts";
import { MIGRATIONS } from "../migrations.ts";
import type { PendingLoginRow } from "../pending_logins.ts";
import type { SessionRow } from "../sessions.ts";
import type { TokenRow } from "../tokens.ts";
import type { UserRow } from "../users.ts";

/** A table and the columns that are copied. */
export interface Table {
  name: string;
  /** In the order of the primary key. */
  key: readonly string[];
  columns: readonly string[];
}

/** Every table but the list of migrations, each after those that it refers to. A test finds a missing column. */
export const TABLES: readonly Table[] = [
  table<UserRow>("users", ["id"], [
    "id",
    "email",
    "email_key",
    "email_changes",
    "hashed_password",
    "created_at",
    "updated_at",
    "signed_in_at",
    "email_verified_at",
    "name",
    "locale",
    "frozen_at",
    "closed_at",
    "purge_at",
    "disabled_at",
    "device_mark",
  ]),
  table<SessionRow>("sessions", ["secret_hash"], [
    "secret_hash",
    "id",
    "user_id",
    "created_at",
    "last_seen_at",
    "expires_at",
    "ends_at",
    "methods",
    "authenticated_at",
    "ip",
    "user_agent",
  ]),
  table<PendingLoginRow>("pending_logins", ["secret_hash"], [
    "secret_hash",
    "user_id",
    "methods",
    "purpose",
    "password_mark",
    "created_at",
    "expires_at",
    "ip",
    "user_agent",
  ]),
  table<TokenRow>("tokens", ["purpose", "subject"], [
    "purpose",
    "subject",
    "secret_hash",
    "user_id",
    "created_at",
    "expires_at",
    "email",
    "email_key",
    "hashed_password",
    "locale",
    "code_hash",
    "code_expires_at",
    "email_change",
    "used_at",
  ]),
  table<KeyRow>("keys", ["id"], ["id", "purpose", "secret", "created_at"]),
  table<EventRow>("events", ["id"], [
    "id",
    "type",
    "user_id",
    "created_at",
    "ip",
    "user_agent",
    "details",
    "mail",
    "mail_at",
    "mail_until",
    "mail_tries",
  ]),
  table<CounterRow>("counters", ["id"], ["id", "count", "expires_at"]),
  table<GuessRow>("guesses", ["id"], ["id", "count", "next_at", "expires_at"]),
  table<FormPostRow>("form_posts", ["id"], ["id", "word", "expires_at"]),
];

/**
 * Rows per page, and so per INSERT. With 15 columns they stay far below the 65,535 values of PostgreSQL's protocol.
 * With 500 rows, SQLite needs three times as long per row, because it searches a list for each value's position.
 */
export const PAGE = 100;

/** Whether the database has exactly the migrations of this program. False if it has no list of migrations. */
export async function hasTodaysSchema(db: DB): Promise<boolean> {
  if (!(await db.tables()).includes("migrations")) return false;
  const known = await db.all<{ name: string }>("SELECT name FROM migrations ORDER BY name");
  return known.map((row) => row.name).join() === MIGRATIONS.map((migration) => migration.name).join();
}

/** The first of our tables that has a row, or undefined when none has. Tables of other programs do not count. */
export async function firstTableInUse(db: DB): Promise<string | undefined> {
  const there = await db.tables();
  for (const { name } of TABLES) {
    if (there.includes(name) && await db.get(`SELECT 1 AS one FROM ${name} LIMIT 1`)) return name;
  }
  return undefined;
}

/** Number of rows in all our tables. */
export async function countRows(db: DB): Promise<number> {
  let rows = 0;
  for (const { name } of TABLES) {
    rows += (await db.get<{ count: number }>(`SELECT count(*) AS count FROM ${name}`))!.count;
  }
  return rows;
}

/** All rows of a table, one page at a time, in the order of the primary key. */
export async function* pagesOf(db: DB, { name, key, columns }: Table): AsyncGenerator<Row[]> {
  const select = `SELECT ${columns.join(", ")} FROM ${name}`;
  const end = (values: number) => `ORDER BY ${key.join(", ")} LIMIT $${values + 1}`;
  const next = `${select} WHERE (${key.join(", ")}) > (${placeholders(0, key.length)}) ${end(key.length)}`;
  let page = await db.all(`${select} ${end(0)}`, PAGE);
  while (page.length > 0) {
    yield page;
    if (page.length < PAGE) return;
    const last = page[page.length - 1];
    page = await db.all(next, ...key.map((column) => last[column]), PAGE);
  }
}

/** Adds the rows of one page with one statement. */
export async function addPage(db: DB, { name, columns }: Table, page: Row[]): Promise<void> {
  const tuples = page.map((_, index) => `(${placeholders(index * columns.length, columns.length)})`);
  const values: Value[] = page.flatMap((row) => columns.map((column) => row[column]));
  await db.run(`INSERT INTO ${name} (${columns.join(", ")}) VALUES ${tuples.join(", ")}`, ...values);
}

function placeholders(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `$${from + index + 1}`).join(", ");
}

/** The type checker makes sure that each column exists. A test makes sure that none is missing. */
function table<T extends Row>(
  name: string,
  key: readonly (keyof T & string)[],
  columns: readonly (keyof T & string)[],
): Table {
  return { name, key, columns };
}
