/**
 * A bounded, shared queue for password hashes, which are the scarce resource. Over all workers of the process, one hash
 * runs per core and a limited number waits. Fewer run while the workers themselves need the cores. Client networks have
 * turns one after another. Known devices go first, three turns of four. A hash whose client has left is dropped. Must
 * not know what is hashed.
 *
 * @module
 */
import { AuthError } from "../errors.ts";
import { Bcrypt, type BcryptHash } from "./bcrypt.ts";
import { type HashCounts, HashShares, newHashCounts } from "./hash_shares.ts";
import { METRIC, Metrics } from "./metrics.ts";

export { type HashCounts, MOST_WAITING, newHashCounts } from "./hash_shares.ts";

/** Form of a hash: scheme, cost, 22 characters of salt, 31 of digest. */
const HASH = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/;
/** A hash of this worker that waits. */
interface Waiting {
  start(): void;
  refuse(): void;
}

/** Parts of a {@linkcode HashQueue}; each has a default. */
interface HashQueueParts {
  /** How many hashes may run at once, over all workers; default one per core. */
  most?: number;
  counts?: HashCounts;
  /** Whether this worker has much else to do, asked whenever a hash of this worker arrives or ends; default never. */
  isBusy?: () => boolean;
  bcrypt?: BcryptHash;
  metrics?: Metrics;
}

/** Options of one hash. */
export interface HashOptions {
  /** Fires when the client has left. */
  signal?: AbortSignal;
  /** The client's network. Each network has its turns, and gives places up to others above a quarter of the queue. */
  network?: string;
  /** Who may have this network beside many others; by default the network. It is treated as a network is. */
  site?: string;
  /** The account, whether it exists or not. It is treated as a network is, among those of its network. */
  account?: string;
  /** Whether the account knows the device. Such a hash goes first, in three turns of four. */
  known?: boolean;
  /** Salts of further hashes of a fixed text, to be made in the same turn after this hash. */
  more?: (hash: string) => readonly string[];
}

/** One worker's access to the shared queue. */
export class HashQueue {
  readonly #shares: HashShares;
  readonly #isBusy: () => boolean;
  readonly #bcrypt: BcryptHash;
  readonly #metrics: Metrics;
  /** By place. */
  readonly #waiting = new Map<number, Waiting>();
  #dispatching = false;
  /** Hashes of this worker that run or wait. */
  #own = 0;
  #done = 0;

  constructor(parts: HashQueueParts = {}) {
    this.#shares = new HashShares(parts.counts ?? newHashCounts(), parts.most ?? navigator.hardwareConcurrency);
    this.#isBusy = parts.isBusy ?? (() => false);
    this.#bcrypt = parts.bcrypt ?? new Bcrypt().hash;
    this.#metrics = parts.metrics ?? new Metrics();
  }

  /** Hashes running and waiting in all workers, and finished in this one, for tests and metrics. */
  get counts(): { running: number; waiting: number; done: number } {
    return { ...this.#shares.counts, done: this.#done };
  }

  /**
   * Hashes when its turn comes. Throws `overloaded` when the queue is full, or when others came and its network or
   * account held more than a quarter. Throws `client_gone` when the signal fires before the turn. Throws
   * `hashing_unavailable` when bcrypt fails: that must look neither like a right password nor like a wrong one, and the
   * queue continues (F26).
   */
  async hash(password: string, salt: string, options: HashOptions = {}): Promise<string> {
    const { signal, network = "", site = network, account = "", known = false, more } = options;
    if (signal?.aborted) throw clientGone();
    this.#noteOwn(1);
    let started = false;
    try {
      const place = this.#shares.enter({ site, network, account, known });
      if (place === undefined) throw this.#overloaded();
      this.#collect();
      const outcome = this.#shares.collect(place);
      if (outcome === "refused") throw this.#overloaded();
      if (outcome === "waits") await this.#waitForTurn(place, signal);
      started = true;
      const hash = await this.#makeHash(password, salt);
      // A failure here does not change the result.
      for (const next of more?.(hash) ?? []) await this.#makeHash("nobody", next).catch(() => {});
      return hash;
    } finally {
      this.#noteOwn(-1);
      if (started) {
        this.#shares.end();
        this.#collect();
      }
    }
  }

  /** Counts this worker's hashes, and says whether it is busy. A worker without hashes never counts as busy. */
  #noteOwn(change: 1 | -1): void {
    this.#own += change;
    this.#shares.busy = this.#own > 0 && this.#isBusy();
  }

  /**
   * Throws `overloaded` when a hash with these options would be refused now. A flood is refused by this at little cost,
   * before its guesses are counted. With room it promises nothing.
   */
  requireRoom({ network = "", site = network, account = "", known = false }: HashOptions): void {
    if (!this.#shares.hasRoom({ site, network, account, known })) throw this.#overloaded();
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

  #waitForTurn(place: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        // Its turn has come: it is hashed all the same.
        if (!this.#shares.leave(place)) return;
        this.#waiting.delete(place);
        reject(clientGone());
      };
      const settle = (settled: () => void) => () => {
        signal?.removeEventListener("abort", abort);
        settled();
      };
      this.#waiting.set(place, { start: settle(resolve), refuse: settle(() => reject(this.#overloaded())) });
      signal?.addEventListener("abort", abort, { once: true });
      this.#dispatch();
    });
  }

  #overloaded(): AuthError {
    this.#metrics.add(METRIC.hashesRefused);
    return new AuthError("overloaded", "too many passwords are being checked now, try again");
  }

  /** Starts those whose turn has come, in their order of arrival, and ends those that were refused. */
  #collect(): void {
    for (const [place, waiting] of this.#waiting) {
      const outcome = this.#shares.collect(place);
      if (outcome === "waits") continue;
      this.#waiting.delete(place);
      if (outcome === "started") waiting.start();
      else waiting.refuse();
    }
  }

  /** Looks after every change in any worker whether a turn has come. */
  async #dispatch(): Promise<void> {
    if (this.#dispatching) return;
    this.#dispatching = true;
    // Atomics.waitAsync does not keep the process alive. Without this timer, hashes in the queue could be lost.
    const alive = setInterval(() => {}, 60_000);
    while (this.#waiting.size > 0) {
      // Read first: any later change ends the wait at once.
      const changes = this.#shares.changes;
      this.#collect();
      if (this.#waiting.size > 0) await this.#shares.change(changes);
    }
    clearInterval(alive);
    this.#dispatching = false;
  }
}

function clientGone(): AuthError {
  return new AuthError("client_gone", "the client left before its turn came");
}
