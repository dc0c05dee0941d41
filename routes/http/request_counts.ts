/**
 * How often each route was asked, what it answered, and how long it took. Counts in memory that all workers share, by
 * places that are found once. Must not know a user, a path or an address: what is counted here is shown to others.
 *
 * @module
 */
import { FIRST_ROUTE_METRIC, HISTOGRAM_CELLS, type Metrics } from "../../auth/runtime/metrics.ts";
import { ERROR_CODES } from "./errors.ts";

/** The methods that are told apart. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** The statuses that are told apart; any other is counted as 0. */
const STATUSES = [200, 302, 303, 304, 400, 401, 403, 404, 405, 408, 413, 414, 415, 429, 431, 499, 500, 503, 504, 0];
const CELLS_A_ROUTE = STATUSES.length + HISTOGRAM_CELLS;
/** What stands for the route of a path that no route takes. */
const NONE = "none";

/** The place of each status within those of a route. */
const STATUS_PLACE = new Uint8Array(600).fill(STATUSES.length - 1);
STATUSES.forEach((status, place) => STATUS_PLACE[status] = place);
const CODE_CELL = new Map(ERROR_CODES.map((code, index) => [code, FIRST_ROUTE_METRIC + index]));

/** A route as it is shown: its method and pattern, how often it gave each status, and where its times are. */
export interface RouteCount {
  /** The method, or `other`. */
  method: string;
  /** The pattern, or `none`. */
  route: string;
  /** Answers of each status; 0 stands for all that have no number of their own here. */
  statuses: [status: number, count: number][];
  /** The first cell of its histogram. */
  times: number;
}

/** Counts requests. The same routes in the same order give the same places, so that all workers agree. */
export class RequestCounts {
  readonly #metrics: Metrics;
  readonly #places = new Map<string, Map<string, number>>();
  #next = FIRST_ROUTE_METRIC + ERROR_CODES.length;

  /** Takes the cells in which to count. */
  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    for (const method of [...METHODS, "other"]) this.#add(method, NONE);
  }

  /** Makes places for an app's routes; a route that answers GET answers HEAD. */
  learn(routes: readonly { method: string; path: string }[]): void {
    for (const { method, path } of routes) {
      if (!METHODS.includes(method)) continue;
      this.#add(method, path);
      if (method === "GET") this.#add("HEAD", path);
    }
  }

  /** Counts a request that took this long, in milliseconds; null stands for a path that no route takes. */
  count(method: string, route: string | null, status: number, milliseconds: number): void {
    const places = this.#places.get(route ?? NONE);
    const place = places?.get(method) ?? this.#places.get(NONE)!.get(METHODS.includes(method) ? method : "other")!;
    this.#metrics.add(place + STATUS_PLACE[status]);
    this.#metrics.time(place + STATUSES.length, milliseconds);
  }

  /** Counts a refusal by its code. */
  refused(code: string): void {
    const cell = CODE_CELL.get(code);
    if (cell !== undefined) this.#metrics.add(cell);
  }

  /** What all workers have counted of each route that was asked at all. */
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

  /** How often all workers have refused, by code. */
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
