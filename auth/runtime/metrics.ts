/**
 * Numbers that grow while the service works. Each worker counts in cells of its own within one piece of shared memory, so
 * that counting costs an addition, needs no lock, and any worker can add up all. Must not know how they are shown.
 *
 * @module
 */

/** How many numbers a worker has: the first are named below, the others belong to the routes. */
const CELLS = 16_384;

/** Upper ends of the buckets of every histogram, in seconds. */
export const BOUNDS: readonly number[] = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

/** Cells of a histogram: one a bucket, one for what is beyond the last, one for the sum. */
export const HISTOGRAM_CELLS: number = BOUNDS.length + 2;

/** What the rules and the database count. */
export const METRIC = {
  sessionsValid: 0,
  sessionsInvalid: 1,
  hashesDone: 2,
  hashesRefused: 3,
  throttled: 4,
  databaseErrors: 5,
  heapBytes: 6,
  databaseTimes: 16,
  loopDelays: 16 + HISTOGRAM_CELLS,
} as const;

/** The first cell that is free for the routes. */
export const FIRST_ROUTE_METRIC: number = 16 + 2 * HISTOGRAM_CELLS;

/** The memory in which this many workers count. */
export function newMetricsMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * CELLS * Float64Array.BYTES_PER_ELEMENT);
}

/** One worker's way to count, and to read what all have counted. */
export class Metrics {
  readonly #all: Float64Array;
  readonly #own: Float64Array;

  /** Takes the memory of all workers, and which of them this is, from 0. */
  constructor(memory: SharedArrayBuffer = newMetricsMemory(1), worker = 0) {
    this.#all = new Float64Array(memory);
    this.#own = this.#all.subarray(worker * CELLS, (worker + 1) * CELLS);
  }

  /** Counts one more. */
  add(cell: number): void {
    this.#own[cell]++;
  }

  /** Notes what a number is now. */
  set(cell: number, value: number): void {
    this.#own[cell] = value;
  }

  /** Notes how long something took, in milliseconds, in the histogram that begins at this cell. */
  time(cell: number, milliseconds: number): void {
    const seconds = milliseconds / 1_000;
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) bucket++;
    this.#own[cell + bucket]++;
    this.#own[cell + HISTOGRAM_CELLS - 1] += seconds;
  }

  /** What all workers have counted in a cell. */
  sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#all.length; at += CELLS) sum += this.#all[at];
    return sum;
  }
}
