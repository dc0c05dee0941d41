/**
 * Counters for monitoring. Each worker has its own cells in one shared memory. So counting is one addition without a
 * lock, and any worker can add up all cells. Must not know how they are shown, nor a user or an address.
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
  logLinesDropped: 7,
  databaseTimes: 16,
  loopDelays: 16 + HISTOGRAM_CELLS,
} as const;

/** The first cell for the routes. */
const FIRST_ROUTE_METRIC: number = 16 + 2 * HISTOGRAM_CELLS;

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

  add(cell: number, count = 1): void {
    this.#own[cell] += count;
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

  /** Counts an answer of the database and its time, in milliseconds. */
  readonly countAnswer = (milliseconds: number, failed: boolean): void => {
    this.time(METRIC.databaseTimes, milliseconds);
    if (failed) this.add(METRIC.databaseErrors);
  };

  /** The sum of this cell over all workers. */
  sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#all.length; at += CELLS) sum += this.#all[at];
    return sum;
  }
}

/** The methods that are counted separately. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** The statuses that are counted separately. Any other is counted as 0. */
const STATUSES = [200, 302, 303, 304, 400, 401, 403, 404, 405, 408, 413, 414, 415, 429, 431, 499, 500, 503, 504, 0];
const CELLS_A_ROUTE = STATUSES.length + HISTOGRAM_CELLS;
/** The name for paths without a route. */
const NONE = "none";

/** The position of each status among the cells of a route. */
const STATUS_PLACE = new Uint8Array(600).fill(STATUSES.length - 1);
STATUSES.forEach((status, place) => STATUS_PLACE[status] = place);

/** The counts of one route and method. */
interface RouteCount {
  /** The method, or `other`. */
  method: string;
  /** The pattern, or `none`. */
  route: string;
  /** Answers by status; 0 stands for all that are not counted separately. */
  statuses: [status: number, count: number][];
  /** First cell of its histogram. */
  times: number;
}

/**
 * Counts requests, their statuses and times for each route. The same routes in the same order get the same cells, so
 * that all workers agree. Never gets a user, a path or an address: the counts are shown to others.
 */
export class RequestCounts {
  readonly #metrics: Metrics;
  readonly #places = new Map<string, Map<string, number>>();
  readonly #codeCells: ReadonlyMap<string, number>;
  #next: number;

  /** `codes` are the error codes that an answer may carry. */
  constructor(metrics: Metrics, codes: readonly string[]) {
    this.#metrics = metrics;
    this.#codeCells = new Map(codes.map((code, index) => [code, FIRST_ROUTE_METRIC + index]));
    this.#next = FIRST_ROUTE_METRIC + codes.length;
    for (const method of [...METHODS, "other"]) this.#add(method, NONE);
  }

  /** Adds cells for an app's routes. A route that answers GET also answers HEAD. */
  learn(routes: readonly { method: string; path: string }[]): void {
    for (const { method, path } of routes) {
      // What all paths pass is no route.
      if (!METHODS.includes(method) || path === "/*") continue;
      this.#add(method, path);
      if (method === "GET") this.#add("HEAD", path);
    }
  }

  /** Counts a request and its time in milliseconds; null stands for a path without a route. */
  count(method: string, route: string | null, status: number, milliseconds: number): void {
    const places = this.#places.get(route ?? NONE);
    const place = places?.get(method) ?? this.#places.get(NONE)!.get(METHODS.includes(method) ? method : "other")!;
    this.#metrics.add(place + STATUS_PLACE[status]);
    this.#metrics.time(place + STATUSES.length, milliseconds);
  }

  refused(code: string): void {
    const cell = this.#codeCells.get(code);
    if (cell !== undefined) this.#metrics.add(cell);
  }

  /** The counts of all workers, for each route with at least one request. */
  routes(): RouteCount[] {
    return [...this.#places].flatMap(([route, methods]) =>
      [...methods].map(([method, place]) => ({
        method,
        route,
        statuses: STATUSES.map((status, index): [number, number] => [status, this.#metrics.sum(place + index)])
          .filter(([, count]) => count > 0),
        times: place + STATUSES.length,
      }))
    ).filter(({ statuses }) => statuses.length > 0);
  }

  /** The refusals of all workers, by error code. */
  refusals(): [code: string, count: number][] {
    return [...this.#codeCells].map(([code, cell]) => [code, this.#metrics.sum(cell)]);
  }

  #add(method: string, route: string): void {
    const methods = this.#places.get(route) ?? new Map<string, number>();
    this.#places.set(route, methods);
    if (methods.has(method)) return;
    methods.set(method, this.#next);
    this.#next += CELLS_A_ROUTE;
  }
}
