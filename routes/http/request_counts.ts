/**
 * Counts requests, their statuses and times for each route, in memory that all workers share. The cells of a route are
 * found once. Must not know a user, a path or an address: the counts are shown to others.
 *
 * @module
 */
import { FIRST_ROUTE_METRIC, HISTOGRAM_CELLS, type Metrics } from "../../auth/runtime/metrics.ts";
import { ERROR_CODES } from "./errors.ts";

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
const CODE_CELL = new Map(ERROR_CODES.map((code, index) => [code, FIRST_ROUTE_METRIC + index]));

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

/** Counts requests. The same routes in the same order get the same cells, so that all workers agree. */
export class RequestCounts {
  readonly #metrics: Metrics;
  readonly #places = new Map<string, Map<string, number>>();
  #next = FIRST_ROUTE_METRIC + ERROR_CODES.length;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    for (const method of [...METHODS, "other"]) this.#add(method, NONE);
  }

  /** Adds cells for an app's routes. A route that answers GET also answers HEAD. */
  learn(routes: readonly { method: string; path: string }[]): void {
    for (const { method, path } of routes) {
      if (!METHODS.includes(method)) continue;
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
    const cell = CODE_CELL.get(code);
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
    return [...CODE_CELL].map(([code, cell]) => [code, this.#metrics.sum(cell)]);
  }

  #add(method: string, route: string): void {
    const methods = this.#places.get(route) ?? new Map<string, number>();
    this.#places.set(route, methods);
    if (methods.has(method)) return;
    methods.set(method, this.#next);
    this.#next += CELLS_A_ROUTE;
  }
}
