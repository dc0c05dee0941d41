/**
 * The table `users` of the exercise's own programs: `id, email, hashed_password, session_id, reset_token`, the last two
 * in plain text. Sets it aside before the first migration, and imports its rows afterwards. Must not judge an address
 * or a hash, and must not copy a secret.
 *
 * @module
 */
import type { DB } from "../db.ts";
import { DatabaseRefused } from "../errors.ts";
import { statementsOf } from "../migrations.ts";
import { addUser, type UserRow } from "../users.ts";

/** A row of the exercise's table. */
export type ClassicRow = {
  id: number;
  /** As typed, never validated. */
  email: string;
  hashed_password: string | null;
};

/** Result of the import. */
export interface Takeover {
  taken: number;
  /** Ids of rows that could not become a user. */
  refused: number[];
  /** Ids of rows whose address belongs to a row with a lower id. */
  doubled: number[];
}

/** Makes a user from a row, or undefined when that is not possible. */
export type ToUser = (
  row: ClassicRow,
) => Pick<UserRow, "id" | "email" | "email_key" | "hashed_password" | "created_at"> | undefined;

/** Keeps the rows that did not become users, for the operator. No program reads it. */
export const LEFT_OUT = "classic_users_left_out";

const CLASSIC = ["id", "email", "hashed_password", "session_id", "reset_token"];
const BATCH = 500;
// Where Python stored bytes, SQLite keeps bytes. The cast makes both engines give text.
const ASIDE = `
CREATE TABLE classic_users (id BIGINT PRIMARY KEY, email TEXT NOT NULL, hashed_password TEXT);
INSERT INTO classic_users (id, email, hashed_password)
  SELECT id, COALESCE(CAST(email AS TEXT), ''), CAST(hashed_password AS TEXT) FROM users;
DROP TABLE users;
`;

/**
 * Keeps only ids, addresses and hashes of the old table: its sessions and reset tokens in plain text are deleted.
 * SQLite overwrites their bytes in the file. PostgreSQL removes the table's file; only its write-ahead log and old
 * backups still hold them. Throws `DatabaseRefused` for a table `users` of another program.
 */
export async function setClassicTableAside(db: DB): Promise<void> {
  // Without the lock, as in migrate.
  if (db.engine === "postgres" && !await db.snapshot(foundUnmigrated)) return;
  const found = await db.exclusively(async (tx) => {
    if (!await foundUnmigrated(tx)) return false;
    if (tx.engine === "sqlite") await tx.all("PRAGMA secure_delete = ON");
    for (const statement of statementsOf(ASIDE, tx.engine)) await tx.run(statement);
    return true;
  });
  if (!found || db.engine !== "sqlite") return;
  await db.all("PRAGMA secure_delete = OFF");
  // The overwritten pages stay in the write-ahead log until a checkpoint writes them to the file.
  await db.all("PRAGMA wal_checkpoint(TRUNCATE)");
}

/**
 * Makes users from the rows that were set aside, in one transaction and in the order of their ids. Gives the result, or
 * undefined when there is nothing to do or another process does it. The other rows stay in a table that no program
 * reads: none is lost, and none becomes a user later by surprise.
 */
export async function takeOverClassicTable(db: DB, toUser: ToUser): Promise<Takeover | undefined> {
  const isThere = async (on: DB): Promise<boolean> => (await on.tables()).includes("classic_users");
  if (db.engine === "postgres" && !await db.snapshot(isThere)) return undefined;
  return await db.exclusively(async (tx) => {
    if (!await isThere(tx)) return undefined;
    const result: Takeover = { taken: 0, refused: [], doubled: [] };
    let last = Number.MIN_SAFE_INTEGER, rows: ClassicRow[];
    do {
      rows = await tx.all<ClassicRow>("SELECT * FROM classic_users WHERE id > $1 ORDER BY id LIMIT $2", last, BATCH);
      await Promise.all(rows.map((row) => takeOver(tx, row, toUser, result)));
      last = rows.at(-1)?.id ?? last;
    } while (rows.length === BATCH);
    const left = result.refused.length + result.doubled.length > 0;
    await tx.run(left ? `ALTER TABLE classic_users RENAME TO ${LEFT_OUT}` : "DROP TABLE classic_users");
    return result;
  });
}

async function takeOver(tx: DB, row: ClassicRow, toUser: ToUser, result: Takeover): Promise<void> {
  const user = toUser(row);
  if (user === undefined) return void result.refused.push(row.id);
  // The rows are sent in the order of their ids, so of two with one address the lower id is kept.
  if (await addUser(tx, user) === undefined) return void result.doubled.push(row.id);
  result.taken++;
  await tx.run("DELETE FROM classic_users WHERE id = $1", row.id);
}

/** Whether the exercise's table exists and no migration has run yet. */
async function foundUnmigrated(db: DB): Promise<boolean> {
  const columns = await db.columns("users");
  if (columns.length === 0) return false;
  if ((await db.tables()).includes("migrations") && await db.get("SELECT name FROM migrations LIMIT 1")) return false;
  if (CLASSIC.every((column) => columns.includes(column))) return true;
  throw new DatabaseRefused("the database has a table users that is not this program's; name a database of its own");
}
