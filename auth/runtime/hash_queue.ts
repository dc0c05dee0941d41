/**
 * The line in front of bcrypt. Hashing is the scarce resource: as many run as there are cores, over all workers of the
 * process together, a bounded number waits, and work whose client has gone is dropped. Must not know what is hashed.
 *
 * @module
 */
import { Bcrypt, type BcryptHash } from "./bcrypt.ts";
import { AuthError } from "../errors.ts";
import { METRIC, Metrics } from "./metrics.ts";

/** How many may wait, over all workers; whoever comes later is told to try again. */
export const MOST_WAITING = 128;
/** How many more may wait who come from a device that the account knows: strangers fill no place of theirs. */
const MOST_KNOWN = 32;
/**
 * How many of them go first, over all workers, before a stranger has a turn: whoever has an account, and so a device that
 * it knows, must not be able to keep everybody else out.
 */
const MOST_IN_A_ROW = 3;
/** What bcrypt gives: scheme, cost, 22 characters of salt, 31 of digest. */
const HASH = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/;
/**
 * Places in the shared counts: hashes that run, that wait, and of those the ones of known devices; how many of those began
 * in a row; and a number that is another one after every change.
 */
const RUNNING = 0, WAITING = 1, KNOWN = 2, IN_A_ROW = 3, CHANGES = 4;

/** The counts that all workers of a process share. */
export type HashCounts = Int32Array<SharedArrayBuffer>;

/** Fresh counts; hand the same to every worker. */
export function newHashCounts(): HashCounts {
  return new Int32Array(new SharedArrayBuffer((CHANGES + 1) * Int32Array.BYTES_PER_ELEMENT));
}

/** One that stands in line. */
interface Waiter {
  start(): void;
  known: boolean;
}

/** Parts of a {@linkcode HashQueue} that may be brought; the rest is made. */
export interface HashQueueParts {
  /** How many may run at once over all workers; one a core unless given. */
  most?: number;
  /** The counts that the workers share. */
  counts?: HashCounts;
  /** What hashes. */
  bcrypt?: BcryptHash;
  /** Where hashes that were made or refused are counted. */
  metrics?: Metrics;
}

/** How a hash is asked for. */
export interface HashOptions {
  /** Fires when nobody waits for the answer any more. */
  signal?: AbortSignal;
  /** Goes before what is not, in three turns of four: a device that the account knows. */
  known?: boolean;
  /** Salts of further hashes, of no text in particular, to be made in the same turn once this one is there. */
  more?: (hash: string) => readonly string[];
}

/** A worker's end of the bounded line of password hashes. */
export class HashQueue {
  readonly #most: number;
  readonly #counts: HashCounts;
  readonly #bcrypt: BcryptHash;
  readonly #metrics: Metrics;
  readonly #line: Waiter[] = [];
  #pumping = false;
  #done = 0;

  /** Takes the parts that are not the usual ones. */
  constructor(parts: HashQueueParts = {}) {
    this.#most = parts.most ?? navigator.hardwareConcurrency;
    this.#counts = parts.counts ?? newHashCounts();
    this.#bcrypt = parts.bcrypt ?? new Bcrypt().hash;
    this.#metrics = parts.metrics ?? new Metrics();
  }

  /** Hashes running and waiting in all workers, and finished in this one, for tests and metrics. */
  get counts(): { running: number; waiting: number; done: number } {
    return { running: this.#load(RUNNING), waiting: this.#load(WAITING), done: this.#done };
  }

  /**
   * Hashes when its turn comes. Throws `overloaded` when the line is full, `client_gone` when the signal fires before
   * the turn has come, `hashing_unavailable` when bcrypt itself fails: that must look neither like a right password nor
   * like a wrong one, and the line goes on (F26).
   */
  async hash(password: string, salt: string, options: HashOptions = {}): Promise<string> {
    const { signal, known = false, more } = options;
    if (signal?.aborted) throw gone();
    if (this.#line.length > 0 || !this.#mayGo(known) || !this.#take(known)) await this.#turn(signal, known);
    try {
      const hash = await this.#made(password, salt);
      // Their failure changes nothing about the hash that is there already.
      for (const next of more?.(hash) ?? []) await this.#made("nobody", next).catch(() => {});
      return hash;
    } finally {
      Atomics.sub(this.#counts, RUNNING, 1);
      this.#tell();
    }
  }

  async #made(password: string, salt: string): Promise<string> {
    try {
      const hash = await this.#bcrypt(password, salt);
      if (!HASH.test(hash)) throw new TypeError("bcrypt gave something that is not a hash");
      return hash;
    } catch (error) {
      throw new AuthError("hashing_unavailable", "passwords cannot be checked now, try again", { cause: error });
    } finally {
      this.#done++;
      this.#metrics.add(METRIC.hashesDone);
    }
  }

  /** Whether it is its turn, if there is a place: a known device's, or a stranger's after three of them in a row. */
  #mayGo(known: boolean): boolean {
    const strangersTurn = this.#load(IN_A_ROW) >= MOST_IN_A_ROW;
    if (known) return !strangersTurn || this.#load(WAITING) <= this.#load(KNOWN);
    return strangersTurn || this.#load(KNOWN) === 0;
  }

  /** Takes a place among those that run, if there is one. */
  #take(known: boolean): boolean {
    for (let running = this.#load(RUNNING); running < this.#most;) {
      const found = Atomics.compareExchange(this.#counts, RUNNING, running, running + 1);
      if (found === running) {
        if (!known) Atomics.store(this.#counts, IN_A_ROW, 0);
        else if (this.#load(IN_A_ROW) < MOST_IN_A_ROW) Atomics.add(this.#counts, IN_A_ROW, 1);
        this.#tell();
        return true;
      }
      running = found;
    }
    return false;
  }

  #turn(signal: AbortSignal | undefined, known: boolean): Promise<void> {
    if (Atomics.add(this.#counts, WAITING, 1) >= MOST_WAITING + (known ? MOST_KNOWN : 0)) {
      Atomics.sub(this.#counts, WAITING, 1);
      // For a moment it looked like a stranger who waits.
      if (this.#load(KNOWN) > 0) this.#tell();
      this.#metrics.add(METRIC.hashesRefused);
      return Promise.reject(new AuthError("overloaded", "too many passwords are being checked now, try again"));
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (!this.#line.includes(waiter)) return;
        this.#leave(waiter);
        reject(gone());
      };
      const waiter = {
        start: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
        known,
      };
      signal?.addEventListener("abort", leave, { once: true });
      const stranger = known ? this.#firstStranger() : -1;
      this.#line.splice(stranger < 0 ? this.#line.length : stranger, 0, waiter);
      if (known) {
        Atomics.add(this.#counts, KNOWN, 1);
        this.#tell();
      }
      this.#pump();
    });
  }

  /** Out of the line, for its turn or for good. */
  #leave(waiter: Waiter): void {
    this.#line.splice(this.#line.indexOf(waiter), 1);
    Atomics.sub(this.#counts, WAITING, 1);
    if (waiter.known) Atomics.sub(this.#counts, KNOWN, 1);
    this.#tell();
  }

  /** Wakes the lines of all workers, since whose turn it is may have changed. */
  #tell(): void {
    Atomics.add(this.#counts, CHANGES, 1);
    Atomics.notify(this.#counts, CHANGES);
  }

  /** Starts those whose turn it is while there are places, and comes back at every change in any worker. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#line.length === 0) return;
    this.#pumping = true;
    // Waiting for a notice of another thread keeps no process alive: without this, work in line is lost with the loop.
    const alive = setInterval(() => {}, 60_000);
    while (this.#line.length > 0) {
      // Before anything is looked at: a change after that ends the wait at once.
      const changes = this.#load(CHANGES);
      const next = [this.#line[0], this.#line[this.#firstStranger()]].find((waiter) =>
        waiter !== undefined && this.#mayGo(waiter.known)
      );
      if (next !== undefined && this.#take(next.known)) {
        this.#leave(next);
        next.start();
        // Whoever is notified first takes a place: coming back last, workers take turns, and none is left waiting (F24).
        await new Promise((resolve) => setTimeout(resolve, 0));
      } else {
        await Atomics.waitAsync(this.#counts, CHANGES, changes).value;
      }
    }
    clearInterval(alive);
    this.#pumping = false;
  }

  #firstStranger(): number {
    return this.#line.findIndex((waiter) => !waiter.known);
  }

  #load(place: number): number {
    return Atomics.load(this.#counts, place);
  }
}

function gone(): AuthError {
  return new AuthError("client_gone", "the client left before its turn came");
}
