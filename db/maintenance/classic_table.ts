/**
 * The table `users` as the exercise's own programs left it: `id, email, hashed_password, session_id, reset_token`, the
 * last two in plain text. Puts it aside before the first migration and hands its rows over afterwards. Must not judge
 * an address or a hash, and must not copy a secret.
 *
 * @module
 */
import type { DB } from "../db.ts";
import { DatabaseRefused } from "../errors.ts";
import { statementsOf } from "../migrations.ts";
import { addUser, type UserRow } from "../users.ts";

/** A user of the exercise. */
export type ClassicRow = {
  /** A small number. */
  id: number;
  /** As typed, never looked at before. */
  email: string;
  /** What bcrypt gave, as text. */
  hashed_password: string | null;
};

/** What became of the rows. */
export interface Takeover {
  /** How many are users now. */
  taken: number;
  /** Ids of rows that nobody could make a user of. */
  refused: number[];
  /** Ids of rows whose address a row with a lower id has. */
  doubled: number[];
}

/** Makes a user of a row, or undefined when it cannot be one. */
export type ToUser = (
  row: ClassicRow,
) => Pick<UserRow, "id" | "email" | "email_key" | "hashed_password" | "created_at"> | undefined;

/** Where rows that did not become users are kept for the operator; no program reads it. */
export const LEFT_OUT = "classic_users_left_out";

const CLASSIC = ["id", "email", "hashed_password", "session_id", "reset_token"];
/** How many rows are read at once. */
const BATCH = 500;
// SQLite keeps bytes where Python stored bytes; as text both engines give the same.
const ASIDE = `
CREATE TABLE classic_users (id BIGINT PRIMARY KEY, email TEXT NOT NULL, hashed_password TEXT);
INSERT INTO classic_users (id, email, hashed_password)
  SELECT id, COALESCE(CAST(email AS TEXT), ''), CAST(hashed_password AS TEXT) FROM users;
DROP TABLE users;
`;

/**
 * Keeps nothing of the old table but ids, addresses and hashes: sessions and reset tokens in plain
 * text end here. On SQLite their bytes are overwritten in the file; PostgreSQL removes the table's file, and only its
 * write-ahead log and old backups remember. Throws `DatabaseRefused` for a table `users` that is somebody else's.
 */
export async function setClassicTableAside(db: DB): Promise<void> {
  const found = await db.exclusively(async (tx) => {
    if (!await foundUnmigrated(tx)) return false;
    if (tx.engine === "sqlite") await tx.all("PRAGMA secure_delete = ON");
    for (const statement of statementsOf(ASIDE, tx.engine)) await tx.run(statement);
    return true;
  });
  if (!found || db.engine !== "sqlite") return;
  await db.all("PRAGMA secure_delete = OFF");
  // The overwritten pages wait in the write-ahead log until they reach the file.
  await db.all("PRAGMA wal_checkpoint(TRUNCATE)");
}

/**
 * Makes users of the rows that were put aside, in one transaction and in the order of their ids, and gives what became
 * of them, or undefined when there is nothing to do or another process does it. What is left out stays in a table that
 * no program reads, so that nobody's row is lost and none comes back later by surprise.
 */
export async function takeOverClassicTable(db: DB, toUser: ToUser): Promise<Takeover | undefined> {
  return await db.exclusively(async (tx) => {
    if (!(await tx.tables()).includes("classic_users")) return undefined;
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
  // Sent in the order of the ids, and so the lowest of two with one address is the one that is kept.
  if (await addUser(tx, user) === undefined) return void result.doubled.push(row.id);
  result.taken++;
  await tx.run("DELETE FROM classic_users WHERE id = $1", row.id);
}

/** Whether there is the exercise's table, and no migration ran yet. */
async function foundUnmigrated(db: DB): Promise<boolean> {
  const columns = await db.columns("users");
  if (columns.length === 0) return false;
  if ((await db.tables()).includes("migrations") && await db.get("SELECT name FROM migrations LIMIT 1")) return false;
  if (CLASSIC.every((column) => columns.includes(column))) return true;
  throw new DatabaseRefused("the database has a table users that is not this program's; name a database of its own");
}
