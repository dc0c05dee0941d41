/**
 * The table `guesses`: wrong guesses in a row, and the waiting time that follows from them. Must not know who guesses.
 *
 * @module
 */
import type { DB } from "./db.ts";
import { ESCAPE, likeLiteral } from "./like.ts";

/** A row of guesses, as stored. */
export type GuessRow = {
  /** At whose password, or from which device. */
  id: string;
  /** How many in a row, the one that was just taken included. */
  count: number;
  /** When the next may be made, in milliseconds since 1970. */
  next_at: number;
  /** When the row is forgotten. */
  expires_at: number;
};

/** What there is to know of a row after a guess. */
export type Guesses = Pick<GuessRow, "count" | "next_at">;

/** How waiting grows; times in milliseconds. */
export interface Waiting {
  /** Guesses before the first wait. */
  free: number;
  /** The first wait; each further guess doubles it. */
  first: number;
  /** The longest wait. */
  longest: number;
  /** How long the row is remembered after its last guess while there is no wait yet. */
  shortMemory: number;
  /** How long the row is remembered after its last guess from the first wait on. */
  memory: number;
}

/**
 * Takes a guess if one may be made now, in one atomic statement: of many at once no more pass than are allowed (V37).
 * Undefined when it must wait. The longest wait counts from now, so that a clock which was set back ends none late (F12).
 */
export function takeGuess(db: DB, id: string, now: number, waiting: Waiting): Promise<Guesses | undefined> {
  const { free, first, longest, shortMemory, memory } = waiting;
  const doublings = Math.ceil(Math.log2(longest / first));
  return db.get<Guesses>(
    `INSERT INTO guesses (id, count, next_at, expires_at) VALUES ($1, 1, 0, $2)
     ON CONFLICT (id) DO UPDATE SET
       count = CASE WHEN guesses.expires_at <= $3 THEN 1 ELSE guesses.count + 1 END,
       next_at = CASE WHEN guesses.expires_at <= $3 OR guesses.count + 1 < $4 THEN 0
         WHEN guesses.count + 1 - $4 >= $5 THEN $3 + $6
         ELSE $3 + (CAST($7 AS BIGINT) << CAST(guesses.count + 1 - $4 AS INTEGER)) END,
       expires_at = CASE WHEN guesses.expires_at <= $3 OR guesses.count + 1 < $4 THEN excluded.expires_at ELSE $8 END
     WHERE guesses.next_at <= $3 OR guesses.next_at > $3 + $6 OR guesses.expires_at <= $3
     RETURNING count, next_at`,
    id,
    now + shortMemory,
    now,
    free,
    doublings,
    longest,
    first,
    now + memory,
  );
}

/** The guesses in a row and the wait of this id, or undefined when there are none that are still remembered. */
export function findGuesses(db: DB, id: string, now: number): Promise<Guesses | undefined> {
  return db.get<Guesses>("SELECT count, next_at FROM guesses WHERE id = $1 AND expires_at > $2", id, now);
}

/** Forgets the guesses of this id. */
export async function deleteGuesses(db: DB, id: string): Promise<void> {
  await db.run("DELETE FROM guesses WHERE id = $1", id);
}

/** Gives one guess back that was taken and not made; a row of none is no row. */
export async function returnGuess(db: DB, id: string): Promise<void> {
  if (await db.run("DELETE FROM guesses WHERE id = $1 AND count <= 1", id) > 0) return;
  await db.run("UPDATE guesses SET count = count - 1, next_at = 0 WHERE id = $1 AND count > 0", id);
}

/** Removes up to this many rows that are no longer remembered, and gives how many there were. */
export function sweepGuesses(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    "DELETE FROM guesses WHERE id IN (SELECT id FROM guesses WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    now,
    limit,
  );
}

/** Rows whose ids begin so. */
export function listGuesses(db: DB, prefix: string): Promise<GuessRow[]> {
  const sql = "SELECT * FROM guesses WHERE id LIKE $1 ESCAPE $2 ORDER BY id LIMIT 100";
  return db.all<GuessRow>(sql, `${likeLiteral(prefix)}%`, ESCAPE);
}
