/**
 * Gathers the lookups that arrive in one turn of the event loop, so that an engine answers them together. A turn hands
 * out every request that has arrived, and then runs what `nextTick` queued: here the engine is asked.
 *
 * So the engine is asked after the last of these lookups has arrived. Each sees whatever was acknowledged before it
 * arrived (S40). A read transaction that begins before the arrivals would miss the latest changes of other processes.
 *
 * While the engine has not answered yet, further lookups gather for a short time. Must not know an engine.
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

/** Settles every lookup that it gets. A promise says when it has, and never rejects. */
type Ask = (sql: string, lookups: Lookup[]) => Promise<void> | void;

/** Fewer lookups are asked one by one: to begin and end something for all of them would cost more. */
export const FEWEST_TOGETHER = 3;

/** How many lookups do not wait for the end of their turn, after a turn that had few. */
const AT_ONCE = 8;

/** How long lookups wait for the answer to those before them, in milliseconds. A lost connection stops only its own. */
const PATIENCE = 10;

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

  /** Whether the next lookup is asked alone and at once, because few arrive together. A single client never waits. */
  get isAlone(): boolean {
    if (this.#atOnce === 0) return false;
    this.#atOnce--;
    return true;
  }

  /** Adds a lookup. Throws `DatabaseUnavailable` by the promise when too many wait. */
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
    else this.#timer = setTimeout(this.flush, PATIENCE);
  }

  /** Asks the engine for the lookups that wait. SQLite calls it before it closes. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [sql, lookups] of waiting) {
      if (lookups.length < FEWEST_TOGETHER) this.#atOnce = AT_ONCE;
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
