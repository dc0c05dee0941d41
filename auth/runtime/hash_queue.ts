/**
 * A bounded, shared queue for password hashes, which are the scarce resource. Over all workers of the process, one hash
 * runs per core and a limited number waits. Known devices go first, three turns of four. A hash whose client has left
 * is dropped. Must not know what is hashed.
 *
 * @module
 */
import { AuthError } from "../errors.ts";
import { Bcrypt, type BcryptHash } from "./bcrypt.ts";
import { METRIC, Metrics } from "./metrics.ts";

/** How many hashes may wait, over all workers. Further ones get `overloaded`. */
export const MOST_WAITING = 128;
/** Additional places for devices that the account knows: strangers cannot take these. */
const MOST_KNOWN = 32;
/** Turns of known devices per turn of a stranger: anybody can own a known device, but must not block all others. */
const MOST_IN_A_ROW = 3;
/** Form of a hash: scheme, cost, 22 characters of salt, 31 of digest. */
const HASH = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/;
/** Indexes of the shared counts. KNOWN is part of WAITING; IN_A_ROW is known turns; CHANGES differs after each. */
const RUNNING = 0, WAITING = 1, KNOWN = 2, IN_A_ROW = 3, CHANGES = 4;

/** Counts that all workers of a process share. */
export type HashCounts = Int32Array<SharedArrayBuffer>;

/** New counts. All workers must get the same ones. */
export function newHashCounts(): HashCounts {
  return new Int32Array(new SharedArrayBuffer((CHANGES + 1) * Int32Array.BYTES_PER_ELEMENT));
}

interface Waiting {
  start(): void;
  known: boolean;
}

/** Parts of a {@linkcode HashQueue}; each has a default. */
interface HashQueueParts {
  /** How many hashes may run at once, over all workers; default one per core. */
  most?: number;
  counts?: HashCounts;
  bcrypt?: BcryptHash;
  metrics?: Metrics;
}

/** Options of one hash. */
export interface HashOptions {
  /** Fires when the client has left. */
  signal?: AbortSignal;
  /** Whether the account knows the device. Such a hash goes first, in three turns of four. */
  known?: boolean;
  /** Salts of further hashes of a fixed text, to be made in the same turn after this hash. */
  more?: (hash: string) => readonly string[];
}

/** One worker's access to the shared queue. */
export class HashQueue {
  readonly #most: number;
  readonly #counts: HashCounts;
  readonly #bcrypt: BcryptHash;
  readonly #metrics: Metrics;
  readonly #queue: Waiting[] = [];
  #dispatching = false;
  #done = 0;

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
   * Hashes when its turn comes. Throws `overloaded` when the queue is full, and `client_gone` when the signal fires
   * before the turn. Throws `hashing_unavailable` when bcrypt fails: that must look neither like a right password nor
   * like a wrong one, and the queue continues (F26).
   */
  async hash(password: string, salt: string, options: HashOptions = {}): Promise<string> {
    const { signal, known = false, more } = options;
    if (signal?.aborted) throw clientGone();
    if (this.#queue.length > 0 || !this.#mayStart(known) || !this.#take(known)) await this.#waitForTurn(signal, known);
    try {
      const hash = await this.#makeHash(password, salt);
      // A failure here does not change the result.
      for (const next of more?.(hash) ?? []) await this.#makeHash("nobody", next).catch(() => {});
      return hash;
    } finally {
      Atomics.sub(this.#counts, RUNNING, 1);
      this.#notify();
    }
  }

  async #makeHash(password: string, salt: string): Promise<string> {
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

  /** Whether it may start, if a place is free: a known device first, but a stranger after three of them in a row. */
  #mayStart(known: boolean): boolean {
    const strangersTurn = this.#load(IN_A_ROW) >= MOST_IN_A_ROW;
    if (known) return !strangersTurn || this.#load(WAITING) <= this.#load(KNOWN);
    return strangersTurn || this.#load(KNOWN) === 0;
  }

  #take(known: boolean): boolean {
    for (let running = this.#load(RUNNING); running < this.#most;) {
      const found = Atomics.compareExchange(this.#counts, RUNNING, running, running + 1);
      if (found === running) {
        if (!known) Atomics.store(this.#counts, IN_A_ROW, 0);
        else if (this.#load(IN_A_ROW) < MOST_IN_A_ROW) Atomics.add(this.#counts, IN_A_ROW, 1);
        this.#notify();
        return true;
      }
      running = found;
    }
    return false;
  }

  #waitForTurn(signal: AbortSignal | undefined, known: boolean): Promise<void> {
    if (Atomics.add(this.#counts, WAITING, 1) >= MOST_WAITING + (known ? MOST_KNOWN : 0)) {
      Atomics.sub(this.#counts, WAITING, 1);
      // For a moment, other workers counted one more waiting stranger.
      if (this.#load(KNOWN) > 0) this.#notify();
      this.#metrics.add(METRIC.hashesRefused);
      return Promise.reject(new AuthError("overloaded", "too many passwords are being checked now, try again"));
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (!this.#queue.includes(waiting)) return;
        this.#remove(waiting);
        reject(clientGone());
      };
      const waiting = {
        start: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
        known,
      };
      signal?.addEventListener("abort", abort, { once: true });
      const stranger = known ? this.#firstStranger() : -1;
      this.#queue.splice(stranger < 0 ? this.#queue.length : stranger, 0, waiting);
      if (known) {
        Atomics.add(this.#counts, KNOWN, 1);
        this.#notify();
      }
      this.#dispatch();
    });
  }

  #remove(waiting: Waiting): void {
    this.#queue.splice(this.#queue.indexOf(waiting), 1);
    Atomics.sub(this.#counts, WAITING, 1);
    if (waiting.known) Atomics.sub(this.#counts, KNOWN, 1);
    this.#notify();
  }

  /** Wakes the queues of all workers: whose turn it is may have changed. */
  #notify(): void {
    Atomics.add(this.#counts, CHANGES, 1);
    Atomics.notify(this.#counts, CHANGES);
  }

  /** Starts waiting hashes while places are free. Checks again after every change in any worker. */
  async #dispatch(): Promise<void> {
    if (this.#dispatching || this.#queue.length === 0) return;
    this.#dispatching = true;
    // Atomics.waitAsync does not keep the process alive. Without this timer, hashes in the queue could be lost.
    const alive = setInterval(() => {}, 60_000);
    while (this.#queue.length > 0) {
      // Read first: any later change ends the wait at once.
      const changes = this.#load(CHANGES);
      const next = [this.#queue[0], this.#queue[this.#firstStranger()]].find((waiting) =>
        waiting !== undefined && this.#mayStart(waiting.known)
      );
      if (next !== undefined && this.#take(next.known)) {
        this.#remove(next);
        next.start();
        // The notified worker takes a place and then waits behind the others, so that workers take turns (F24).
        await new Promise((resolve) => setTimeout(resolve, 0));
      } else {
        await Atomics.waitAsync(this.#counts, CHANGES, changes).value;
      }
    }
    clearInterval(alive);
    this.#dispatching = false;
  }

  #firstStranger(): number {
    return this.#queue.findIndex((waiting) => !waiting.known);
  }

  #load(place: number): number {
    return Atomics.load(this.#counts, place);
  }
}

function clientGone(): AuthError {
  return new AuthError("client_gone", "the client left before its turn came");
}
