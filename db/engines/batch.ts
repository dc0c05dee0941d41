/**
 * Groups the lookups that arrive in one turn of the event loop. A turn hands out every request that has arrived, and
 * then runs what `nextTick` queued: here the group is asked. So it is asked after the last of its lookups has arrived,
 * and each sees whatever was acknowledged before it arrived (S40). A read transaction that begins before the arrivals
 * would miss the latest changes of other processes.
 *
 * After a small group, the next lookups are asked at once: a single client never waits. While PostgreSQL has not
 * answered a group, further lookups wait for its answer, but not longer than {@linkcode LONGEST_WAIT}. SQLite answers at
 * once. Must not know an engine.
 *
 * @module
 */
import { nextTick } from "node:process";
import { DatabaseUnavailable } from "../errors.ts";
import type { Answer, Row, Value } from "./driver.ts";

/** The values of one lookup, and who waits for its row. */
export interface Lookup {
  readonly values: Value[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Settles every lookup that it gets. A promise ends when the group is answered, and never rejects. */
type Ask = (sql: string, lookups: Lookup[]) => Promise<void> | void;

/** A smaller group is asked one by one: to begin and end something for all of them would cost more. */
export const LEAST_GROUP = 3;

/** How many lookups are asked at once after a small group. */
const AT_ONCE = 8;

/** How long a lookup waits for the answer to an earlier group, in milliseconds: that connection may be lost. */
const LONGEST_WAIT = 10;

/** How many lookups may wait for an answer. A database that hangs must not fill the memory. */
export const MOST_UNANSWERED = 10_000;

/** The lookups that have arrived and are not asked yet. */
export class Batch {
  readonly #ask: Ask;
  #waiting = new Map<string, Lookup[]>();
  /** How many lookups have no answer yet, and how many of the groups that are asked. */
  #lookups = 0;
  #groups = 0;
  #atOnce = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Whether to ask a lookup at once, without a group. Each call that says so uses up one of {@linkcode AT_ONCE}. */
  takeAlone(): boolean {
    if (this.#atOnce === 0) return false;
    this.#atOnce--;
    return true;
  }

  /** Adds a lookup. Rejects with `DatabaseUnavailable` when too many wait. */
  add(sql: string, values: Value[]): Promise<Row | undefined> {
    if (this.#lookups >= MOST_UNANSWERED) {
      return Promise.reject(new DatabaseUnavailable("too many lookups wait for an answer"));
    }
    this.#lookups++;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.#schedule();
      const same = this.#waiting.get(sql);
      if (same) same.push({ values, resolve, reject });
      else this.#waiting.set(sql, [{ values, resolve, reject }]);
    });
  }

  #schedule(): void {
    if (this.#groups === 0) nextTick(this.flush);
    else this.#timer = setTimeout(this.flush, LONGEST_WAIT);
  }

  /** Asks the engine for the lookups that wait. SQLite calls it before it closes. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [sql, lookups] of waiting) {
      if (lookups.length < LEAST_GROUP) this.#atOnce = AT_ONCE;
      const answered = this.#asked(sql, lookups);
      if (!answered) {
        this.#lookups -= lookups.length;
        continue;
      }
      this.#groups++;
      void answered.then(() => {
        this.#lookups -= lookups.length;
        this.#groups--;
        this.flush();
      });
    }
  };

  /** What is thrown at the end of a turn would end the process. */
  #asked(sql: string, lookups: Lookup[]): Promise<void> | void {
    try {
      return this.#ask(sql, lookups);
    } catch (error) {
      for (const { reject } of lookups) reject(error);
    }
  }
}
