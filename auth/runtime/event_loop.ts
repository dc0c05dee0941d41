/**
 * Event-loop lag and heap size of this worker, for the metrics, the load of its thread, and turns of the loop for long
 * work. Must not measure when nobody asks.
 *
 * @module
 */
import { cpuUsage, threadCpuUsage } from "node:process";
import { METRIC, type Metrics } from "./metrics.ts";

/** Lets other requests go on before long work does. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The shortest time over which the load of a thread is measured, in milliseconds. */
const LOAD_WINDOW = 250;
/** A thread that used less of the time is not busy, whatever the others did. */
const LEAST_LOAD = 0.05;

/** CPU time since the start, in microseconds. */
export interface CpuTimes {
  ofThread(): number;
  ofProcess(): number;
}

const CPU_TIMES: CpuTimes = { ofThread: () => sum(threadCpuUsage()), ofProcess: () => sum(cpuUsage()) };

function sum({ user, system }: { user: number; system: number }): number {
  return user + system;
}

/** How much of the CPU time of the process this thread takes. */
export class ThreadLoad {
  readonly #share: number;
  readonly #times: CpuTimes;
  readonly #now: () => number;
  #at: number;
  #ofThread: number;
  #ofProcess: number;
  #busy = false;

  /** The thread is busy above this share of the process. `now` is in milliseconds. */
  constructor(share: number, times: CpuTimes = CPU_TIMES, now: () => number = () => performance.now()) {
    this.#share = share;
    this.#times = times;
    this.#now = now;
    this.#at = now();
    this.#ofThread = times.ofThread();
    this.#ofProcess = times.ofProcess();
  }

  /** Whether the thread was busy between its last two measurements. Measures anew after at least 250 milliseconds. */
  isBusy(): boolean {
    const now = this.#now();
    if (now - this.#at < LOAD_WINDOW) return this.#busy;
    const ofThread = this.#times.ofThread(), ofProcess = this.#times.ofProcess();
    const used = ofThread - this.#ofThread;
    // Not only a share of the time: on a machine that others use, a busy thread gets little of it.
    this.#busy = used > (now - this.#at) * 1_000 * LEAST_LOAD && used > (ofProcess - this.#ofProcess) * this.#share;
    this.#at = now;
    this.#ofThread = ofThread;
    this.#ofProcess = ofProcess;
    return this.#busy;
  }
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
