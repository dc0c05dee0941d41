/**
 * Event-loop lag and heap size of this worker, for the metrics, and turns of the loop for long work. Must not measure
 * when nobody reads the metrics.
 *
 * @module
 */
import { METRIC, type Metrics } from "./metrics.ts";

/** Lets other requests go on before long work does. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

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
