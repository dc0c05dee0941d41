/**
 * The table `guesses`: consecutive wrong guesses, and the waiting time that follows. Must not know who guesses.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A row of guesses, as stored. */
export type GuessRow = {
  /** Names the guessed account or the guessing device. */
  id: string;
  /** Consecutive guesses, including the one just taken. */
  count: number;
  /** When the next guess is allowed, in milliseconds since 1970. */
  next_at: number;
  /** When the row is forgotten, in milliseconds since 1970. */
  expires_at: number;
};

/** The state of a row after a guess. */
type Guesses = Pick<GuessRow, "count" | "next_at">;

/** How the waiting time grows. Times in milliseconds. */
export interface Waiting {
  /** Guesses before the first wait. */
  free: number;
  /** The first wait; each further guess doubles it. */
  first: number;
  longest: number;
  /** How long a row without a wait is kept after its last guess. */
  shortMemory: number;
  /** How long a row with a wait is kept after its last guess. */
  memory: number;
}

/**
 * Takes a guess if one is allowed now; otherwise gives undefined. It is one atomic statement, so that simultaneous
 * guesses cannot exceed the limit (V37). No wait ends later than the longest wait from now, even if the clock was set
 * back (F12).
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

/** The count and the wait of an id, or undefined when nothing is remembered. */
export function findGuesses(db: DB, id: string, now: number): Promise<Guesses | undefined> {
  return db.get<Guesses>("SELECT count, next_at FROM guesses WHERE id = $1 AND expires_at > $2", id, now);
}

/** Forgets the guesses of an id, and returns how many they were. */
export async function deleteGuesses(db: DB, id: string): Promise<number> {
  const sql = "DELETE FROM guesses WHERE id = $1 RETURNING count";
  return (await db.get<Pick<GuessRow, "count">>(sql, id))?.count ?? 0;
}

/**
 * Takes back this many guesses, and lets the next one follow at once. Deletes the row when no guess is left, so that
 * nothing of an erased user stays.
 */
export async function returnGuesses(db: DB, id: string, count: number): Promise<void> {
  if (count === 0) return;
  if (await db.run("DELETE FROM guesses WHERE id = $1 AND count <= $2", id, count) > 0) return;
  await db.run("UPDATE guesses SET count = count - $2, next_at = 0 WHERE id = $1 AND count > $2", id, count);
}

/** Deletes up to `limit` expired rows, and gives their number. */
export function sweepGuesses(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    "DELETE FROM guesses WHERE id IN (SELECT id FROM guesses WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    now,
    limit,
  );
}
