/**
 * Gives out the connections of a pool in the order of the requests, and refuses whoever waits too long. Must not know
 * an engine.
 *
 * @module
 */
import { DatabaseUnavailable } from "../errors.ts";

/** Limits of {@linkcode Slots}. Times are milliseconds. */
export interface SlotLimits {
  /** How many may wait. Further ones are refused at once. */
  most: number;
  /** How long one waits while the server answers nobody. */
  silent: number;
  /** How long one waits at most, while the server answers others. */
  longest: number;
}

interface Waiting {
  since: number;
  go: () => void;
  refuse: (error: DatabaseUnavailable) => void;
}

/** How often waiting requests are looked at, in milliseconds. */
const INTERVAL = 100;

/** A fixed number of places, each for one connection in use. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #waiting: Waiting[] = [];
  #free: number;
  #answeredAt = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(count: number, limits: SlotLimits) {
    this.#free = count;
    this.#limits = limits;
  }

  /** Takes a place; undefined when one is free at once. Throws `DatabaseUnavailable`, also by the promise. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    // A database that hangs must not fill the memory.
    if (this.#waiting.length >= this.#limits.most) {
      throw new DatabaseUnavailable("too many requests wait for a connection");
    }
    this.#timer ??= setInterval(() => this.refuseLate(), INTERVAL);
    return new Promise((go, refuse) => this.#waiting.push({ since: performance.now(), go, refuse }));
  }

  /** Gives a place back, to whoever waits longest. */
  give(): void {
    const next = this.#waiting.shift();
    this.#rest();
    if (next) next.go();
    else this.#free++;
  }

  /** Notes that the server answered something. */
  noteAnswer(): void {
    this.#answeredAt = performance.now();
  }

  /** Whether the server answered somebody within the time after which it counts as silent. */
  get isAlive(): boolean {
    return performance.now() - this.#answeredAt < this.#limits.silent;
  }

  /** Refuses those who waited too long. A timer calls it. */
  refuseLate(): void {
    const now = performance.now(), { silent, longest } = this.#limits;
    const isLate = ({ since }: Waiting): boolean =>
      now - since >= longest || now - Math.max(since, this.#answeredAt) >= silent;
    // In order of arrival, so whoever is late is in front.
    while (this.#waiting.length > 0 && isLate(this.#waiting[0])) {
      this.#waiting.shift()!.refuse(new DatabaseUnavailable("no connection came free in time"));
    }
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
