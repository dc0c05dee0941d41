/**
 * Migrates a database to the schema of this code: each file of `migrations/` once, in the order of the list. Must not
 * know a rule, nor change rows that a rule would have to judge.
 *
 * @module
 */
import type { DB } from "./db.ts";
import type { Driver } from "./engines/driver.ts";
import { DatabaseRefused } from "./errors.ts";
import users from "./migrations/0001_users.sql" with { type: "text" };
import sessions from "./migrations/0002_sessions.sql" with { type: "text" };
import tokens from "./migrations/0003_tokens.sql" with { type: "text" };
import keys from "./migrations/0004_keys.sql" with { type: "text" };
import accounts from "./migrations/0005_accounts.sql" with { type: "text" };
import events from "./migrations/0006_events.sql" with { type: "text" };
import counters from "./migrations/0007_counters.sql" with { type: "text" };
import guesses from "./migrations/0008_guesses.sql" with { type: "text" };
import disabled from "./migrations/0009_disabled.sql" with { type: "text" };
import signIn from "./migrations/0010_sign_in.sql" with { type: "text" };
import emailChanges from "./migrations/0011_email_changes.sql" with { type: "text" };
import knownDevices from "./migrations/0012_known_devices.sql" with { type: "text" };
import formPosts from "./migrations/0013_form_posts.sql" with { type: "text" };

/** One step of the schema. The database records its name. */
export interface Migration {
  /** The file's name without its extension. */
  name: string;
  /** Statements in PostgreSQL's dialect, with TEXT and BIGINT only. */
  sql: string;
}

/** Every step from an empty database to today's schema. A released step never changes. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0001_users", sql: users },
  { name: "0002_sessions", sql: sessions },
  { name: "0003_tokens", sql: tokens },
  { name: "0004_keys", sql: keys },
  { name: "0005_accounts", sql: accounts },
  { name: "0006_events", sql: events },
  { name: "0007_counters", sql: counters },
  { name: "0008_guesses", sql: guesses },
  { name: "0009_disabled", sql: disabled },
  { name: "0010_sign_in", sql: signIn },
  { name: "0011_email_changes", sql: emailChanges },
  { name: "0012_known_devices", sql: knownDevices },
  { name: "0013_form_posts", sql: formPosts },
];

const LEDGER = "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL);";

/**
 * Applies the missing steps, each in its own transaction, and gives their names. Any number of processes may call it at
 * once (F19). Throws `DatabaseRefused` when the database is newer than this code.
 */
export async function migrate(db: DB, now: number, migrations = MIGRATIONS): Promise<string[]> {
  // Without the lock: an instance that restarts must not wait for another one's migration. On SQLite the lock is always
  // taken, so that a file that cannot be written is found at the start.
  if (db.engine === "postgres") {
    const { pending, unknown } = await db.snapshot((moment) => schemaState(moment, migrations));
    if (pending.length + unknown.length === 0) return [];
  }
  await db.exclusively((tx) => apply(tx, LEDGER));
  const applied: string[] = [];
  for (const { name, sql } of migrations) {
    await db.exclusively(async (tx) => {
      const known = await tx.all<{ name: string }>("SELECT name FROM migrations ORDER BY name");
      refuseNewer(known.map((row) => row.name), migrations);
      if (known.some((row) => row.name === name)) return;
      await apply(tx, sql);
      await tx.run("INSERT INTO migrations (name, applied_at) VALUES ($1, $2)", name, now);
      applied.push(name);
    });
  }
  return applied;
}

/** Whether the newest step of this code was applied. Reads one row. */
export async function isMigrated(db: DB): Promise<boolean> {
  const { name } = MIGRATIONS.at(-1)!;
  return await db.get("SELECT name FROM migrations WHERE name = $1", name) !== undefined;
}

/** Differences between a database's schema and this program's. */
interface SchemaState {
  /** Missing steps; all of them for a new database. */
  pending: string[];
  /** Steps of a newer program. */
  unknown: string[];
}

/** Compares the schema with this program's. Changes nothing. */
export async function schemaState(db: DB, migrations = MIGRATIONS): Promise<SchemaState> {
  const there = (await db.tables()).includes("migrations");
  const known = there ? await db.all<{ name: string }>("SELECT name FROM migrations ORDER BY name") : [];
  const names = known.map((row) => row.name);
  const ours = migrations.map((migration) => migration.name);
  return {
    pending: ours.filter((name) => !names.includes(name)),
    unknown: names.filter((name) => !ours.includes(name)),
  };
}

function refuseNewer(known: string[], migrations: readonly Migration[]): void {
  const unknown = known.filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length === 0) return;
  throw new DatabaseRefused(
    `the database is newer than this program (it has ${
      unknown.join(", ")
    }); start the newer program, or restore a backup`,
  );
}

async function apply(tx: DB, sql: string): Promise<void> {
  for (const statement of statementsOf(sql, tx.engine)) await tx.run(statement);
}

/** The statements of a migration for an engine: SQLite's STRICT tables need INTEGER for BIGINT. */
export function statementsOf(sql: string, engine: Driver["engine"]): string[] {
  const plain = sql.replace(/^--.*$/gm, "");
  const statements = plain.split(/;\s*(?:\n|$)/).map((text) => text.trim()).filter((text) => text !== "");
  if (engine !== "sqlite") return statements;
  return statements.map((text) => {
    const typed = text.replaceAll("BIGINT", "INTEGER");
    return typed.startsWith("CREATE TABLE") ? `${typed} STRICT` : typed;
  });
}
