/**
 * Event-loop lag and heap size of this worker, for the metrics. Must not run when nobody reads the metrics.
 *
 * @module
 */
import { METRIC, type Metrics } from "./metrics.ts";

/** Time between two measurements, in milliseconds. */
const EVERY = 100;

/** Measures until the returned function is called. */
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
