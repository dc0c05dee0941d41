/**
 * The table `counters`: how often something was tried within a time window. Must not know what is counted.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A counter as stored. */
export type CounterRow = {
  id: string;
  count: number;
  /** End of the window, in milliseconds since 1970. Then counting begins again. */
  expires_at: number;
};

/** The state of a counter. */
export type Count = Pick<CounterRow, "count" | "expires_at">;

/**
 * Counts one more and gives the result. It is one atomic statement, so that simultaneous calls get different counts
 * (V37). No window ends later than its length from now, even if the clock was set back (F12).
 */
export async function increaseCounter(db: DB, id: string, now: number, window: number): Promise<Count> {
  const row = await db.get<Count>(
    `INSERT INTO counters (id, count, expires_at) VALUES ($1, 1, $2)
     ON CONFLICT (id) DO UPDATE SET
       count = CASE WHEN counters.expires_at <= $3 THEN 1 ELSE counters.count + 1 END,
       expires_at = CASE WHEN counters.expires_at <= $3 OR counters.expires_at > $2 THEN $2
         ELSE counters.expires_at END
     RETURNING count, expires_at`,
    id,
    now + window,
    now,
  );
  return row!;
}

/** What a budget allows: `most` at once, and one more after each `interval` in milliseconds. */
export interface Budget {
  most: number;
  interval: number;
}

/**
 * Takes one from a budget that refills, by one atomic statement (V37). `expires_at` is when the budget is full again.
 * `count` is 0 when one was taken, and otherwise how often it was refused since. No budget is full later than after
 * `most` intervals, even if the clock was set back (F12). The method is the "generic cell rate algorithm" (ITU-T I.371).
 */
export async function takeFromBudget(db: DB, id: string, now: number, { most, interval }: Budget): Promise<Count> {
  const row = await db.get<Count>(
    `INSERT INTO counters (id, count, expires_at) VALUES ($1, 0, $2)
     ON CONFLICT (id) DO UPDATE SET
       count = CASE WHEN counters.expires_at <= $4 THEN 0 ELSE counters.count + 1 END,
       expires_at = CASE WHEN counters.expires_at <= $3 THEN $2
         WHEN counters.expires_at <= $4 THEN counters.expires_at + $5
         WHEN counters.expires_at > $6 THEN $6 ELSE counters.expires_at END
     RETURNING count, expires_at`,
    id,
    now + interval,
    now,
    now + (most - 1) * interval,
    interval,
    now + most * interval,
  );
  return row!;
}

/** The state of a counter, or undefined when there is none. Its window may have ended. */
export function findCounter(db: DB, id: string): Promise<Count | undefined> {
  return db.get<Count>("SELECT count, expires_at FROM counters WHERE id = $1", id);
}

/** Subtracts one, for an attempt that should not count. */
export async function decreaseCounter(db: DB, id: string): Promise<void> {
  await db.run("UPDATE counters SET count = count - 1 WHERE id = $1 AND count > 0", id);
}

/** Forgets a counter. */
export async function deleteCounter(db: DB, id: string): Promise<void> {
  await db.run("DELETE FROM counters WHERE id = $1", id);
}

/** Deletes up to `limit` counters whose window has ended, and gives their number. */
export function sweepCounters(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    "DELETE FROM counters WHERE id IN (SELECT id FROM counters WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    now,
    limit,
  );
}
