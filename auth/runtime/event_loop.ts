/**
 * How late this worker gets to what is due, and how much memory its objects take, for the metrics. Must not run where
 * nobody asks for them.
 *
 * @module
 */
import { CELL, type Tally } from "./metrics.ts";

/** How often to look, in milliseconds. */
const EVERY = 100;

/** Looks from time to time until the function that it gives is called. */
export function watchEventLoop(tally: Tally): () => void {
  let due = performance.now() + EVERY;
  const timer = setInterval(() => {
    const now = performance.now();
    tally.time(CELL.loopDelays, Math.max(0, now - due));
    tally.set(CELL.heapBytes, Deno.memoryUsage().heapUsed);
    due = now + EVERY;
  }, EVERY);
  return () => clearInterval(timer);
}
