/**
 * Counters for monitoring. Each worker has its own cells in one shared memory. So counting is one addition without a
 * lock, and any worker can add up all cells. Must not know how they are shown.
 *
 * @module
 */

/** Cells per worker. The first ones are named below, the others belong to the routes. */
const CELLS = 16_384;

/** Upper bounds of the buckets of every histogram, in seconds. */
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

/** Cells of a histogram: one per bucket, one for larger values, one for the sum. */
export const HISTOGRAM_CELLS: number = BOUNDS.length + 2;

/** The cells of the rules and the database. */
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

/** The first cell for the routes. */
export const FIRST_ROUTE_METRIC: number = 16 + 2 * HISTOGRAM_CELLS;

/** Makes the memory for the counters of this many workers. */
export function newMetricsMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * CELLS * Float64Array.BYTES_PER_ELEMENT);
}

/** Writes one worker's counters, and reads the sums of all workers. */
export class Metrics {
  readonly #all: Float64Array;
  readonly #own: Float64Array;

  /** `worker` is the number of this worker, from 0. */
  constructor(memory: SharedArrayBuffer = newMetricsMemory(1), worker = 0) {
    this.#all = new Float64Array(memory);
    this.#own = this.#all.subarray(worker * CELLS, (worker + 1) * CELLS);
  }

  add(cell: number): void {
    this.#own[cell]++;
  }

  set(cell: number, value: number): void {
    this.#own[cell] = value;
  }

  /** Adds a duration in milliseconds to the histogram that begins at this cell. */
  time(cell: number, milliseconds: number): void {
    const seconds = milliseconds / 1_000;
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) bucket++;
    this.#own[cell + bucket]++;
    this.#own[cell + HISTOGRAM_CELLS - 1] += seconds;
  }

  /** The sum of this cell over all workers. */
  sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#all.length; at += CELLS) sum += this.#all[at];
    return sum;
  }
}
