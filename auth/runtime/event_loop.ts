/**
 * How late this worker gets to what is due, and how much memory its objects take, for the metrics. Must not run where
 * nobody asks for them.
 *
 * @module
 */
import { METRIC, type Metrics } from "./metrics.ts";

/** How often to look, in milliseconds. */
const EVERY = 100;

/** Looks from time to time until the function that it gives is called. */
export function watchEventLoop(metrics: Metrics): () => void {
  let due = performance.now() + EVERY;
  const timer = setInterval(() => {
    const now = performance.now();
    metrics.time(METRIC.loopDelays, Math.max(0, now - due));
    metrics.set(METRIC.heapBytes, Deno.memoryUsage().heapUsed);
    due = now + EVERY;
  }, EVERY);
  return () => clearInterval(timer);
}
