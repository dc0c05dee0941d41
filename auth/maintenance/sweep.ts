/**
 * Removes rows that have ended. Any instance may do so at any time, several at once too. Must not decide what is valid:
 * a row ends at its time, even if it was not removed yet.
 *
 * @module
 */
import { sweepCounters } from "../../db/counters.ts";
import { sweepEvents } from "../../db/events.ts";
import { sweepFormPosts } from "../../db/form_posts.ts";
import { sweepGuesses } from "../../db/guesses.ts";
import { sweepPendingLogins } from "../../db/pending_logins.ts";
import { sweepSessions } from "../../db/sessions.ts";
import { sweepTokens } from "../../db/tokens.ts";
import { purgeAccounts } from "../account/close_account.ts";
import type { Auth } from "../auth.ts";
import { Loop } from "../runtime/loop.ts";

/** How many rows one statement removes. The number is small so that no lock lasts long. */
const BATCH = 500;
/** Average pause between two sweeps, in milliseconds. It varies at random, so that instances take turns. */
const PAUSE = 60_000;

/**
 * Removes all rows that have ended, in small batches, and erases the closed accounts that are due. Gives the number of
 * rows.
 */
export async function sweep(auth: Auth): Promise<number> {
  const { clock, config } = auth;
  // What comes back after a power failure has ended all the same, and is removed again.
  const db = auth.db.relaxed;
  const steps = [
    () => sweepSessions(db, clock(), BATCH),
    () => sweepPendingLogins(db, clock(), BATCH),
    () => sweepTokens(db, clock(), BATCH),
    () => sweepCounters(db, clock(), BATCH),
    () => sweepGuesses(db, clock(), BATCH),
    () => sweepFormPosts(db, clock(), BATCH),
    () => sweepEvents(db, clock() - config.eventRetention, BATCH),
    () => purgeAccounts(auth, BATCH),
  ];
  let total = 0;
  for (const step of steps) {
    let removed: number;
    do {
      removed = await step();
      total += removed;
      // Lets requests run between two batches.
      await new Promise((resolve) => setTimeout(resolve, 0));
    } while (removed === BATCH);
  }
  return total;
}

/** Sweeps from time to time until the returned function is called. A sweep that fails is logged and tried again. */
export function sweepRegularly(auth: Auth): () => Promise<void> {
  return new Loop().start(
    () =>
      sweep(auth).catch((error) =>
        auth.log.write({ time: new Date().toISOString(), level: "warning", sweep: String(error) })
      ),
    () => PAUSE / 2 + Math.random() * PAUSE,
  );
}
