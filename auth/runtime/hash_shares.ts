/**
 * The hashes that wait, in memory that all workers of the process share: who may wait, and whose turn is next. Sites
 * have turns one after another, so have the networks of a site, and the accounts of a network. Must not hash, nor know a
 * password.
 *
 * @module
 */
import { hash } from "node:crypto";

/** How many hashes may wait, over all workers. */
export const MOST_WAITING = 128;
/** Additional places for devices that the account knows: strangers cannot take these. */
const MOST_KNOWN = 32;
/** More than this share of the queue is given up when others come. Known devices go first only within it. */
const SHARE = MOST_WAITING / 4;
/** Turns of known devices per turn of a stranger: anybody can own a known device, but must not block all others. */
const MOST_IN_A_ROW = 3;

/**
 * Indexes of the counts. IN_A_ROW is known turns; TURN numbers arrivals and turns; CHANGES differs after each; BUSY is
 * the number of busy workers.
 */
const RUNNING = 0, WAITING = 1, IN_A_ROW = 2, TURN = 3, CHANGES = 4, LOCK = 5, BUSY = 6, HEADER = 7;
/** Fields of a place. STATE is one of those below; SITE, NET and ACCOUNT take two numbers each. */
const STATE = 0, SITE = 1, NET = 3, ACCOUNT = 5, KNOWN = 7, ARRIVED = 8, TURNS = 9, FIELDS = 12;
/** Who has turns one after another, each among those of the one before. Their turns are at TURNS, in this order. */
const LEVELS: readonly number[] = [SITE, NET, ACCOUNT];
const FREE = 0, WAITS = 1, STARTED = 2, REFUSED = 3;
/** More than may wait: a worker may be late to free the places of those that were refused. */
const PLACES = 2 * MOST_WAITING;

/** The index of each place. */
const PLACE: readonly number[] = Array.from({ length: PLACES }, (_, index) => HEADER + index * FIELDS);

/** Memory that all workers of a process share. */
export type HashCounts = Int32Array<SharedArrayBuffer>;

/** New memory. All workers must get the same. */
export function newHashCounts(): HashCounts {
  return new Int32Array(new SharedArrayBuffer((HEADER + PLACES * FIELDS) * Int32Array.BYTES_PER_ELEMENT));
}

/** Whose hash waits. */
export interface Waiter {
  /** Whose network it is: the owner of many networks has one share. */
  site: string;
  network: string;
  account: string;
  /** Whether the account knows the device. */
  known: boolean;
}

/** What became of a place. */
type Outcome = "waits" | "started" | "refused";

/** The shared memory, as one worker uses it. */
export class HashShares {
  readonly #memory: HashCounts;
  readonly #most: number;
  #busy = false;

  constructor(memory: HashCounts, most: number) {
    this.#memory = memory;
    this.#most = most;
  }

  /** Hashes running and waiting in all workers. */
  get counts(): { running: number; waiting: number } {
    return { running: Atomics.load(this.#memory, RUNNING), waiting: Atomics.load(this.#memory, WAITING) };
  }

  /** Whether this worker has much else to do. For each such worker one hash fewer runs, down to half of them. */
  set busy(busy: boolean) {
    if (busy === this.#busy) return;
    this.#busy = busy;
    Atomics.add(this.#memory, BUSY, busy ? 1 : -1);
  }

  /**
   * Takes a place, which may start at once. Undefined when the queue is full. If it is full, whoever holds more than a
   * quarter of it and more than the newcomer loses the newest place.
   */
  enter(waiter: Waiter): number | undefined {
    return this.#locked(() => {
      const memory = this.#memory;
      const place = this.#describe(waiter);
      if (place === undefined) return undefined;
      if (this.#isFullFor(waiter)) {
        const victim = this.#victimOf(place);
        if (victim === undefined) return undefined;
        memory[victim + STATE] = REFUSED;
        memory[WAITING]--;
        this.#changed();
      }
      // Who comes has the same turns as those of its site, network and account that wait, and else the last ones.
      const turn = memory[place + ARRIVED] = ++memory[TURN];
      let like = this.#waiting();
      for (const [level, field] of LEVELS.entries()) {
        like = like.filter((at) => isSame(memory, at, place, field));
        memory[place + TURNS + level] = like.length > 0 ? memory[like[0] + TURNS + level] : turn;
      }
      memory[place + STATE] = WAITS;
      memory[WAITING]++;
      this.#startNext();
      return place;
    });
  }

  /** Whether {@linkcode HashShares.enter} would give a place now. Takes none. */
  hasRoom(waiter: Waiter): boolean {
    if (!this.#isFullFor(waiter)) return true;
    return this.#locked(() => {
      const place = this.#describe(waiter);
      return place !== undefined && this.#victimOf(place) !== undefined;
    });
  }

  /** Gives up a place that waits, because its client has left. Returns whether it waited. */
  leave(place: number): boolean {
    return this.#locked(() => {
      if (this.#memory[place + STATE] !== WAITS) return false;
      this.#memory[place + STATE] = FREE;
      this.#memory[WAITING]--;
      this.#changed();
      return true;
    });
  }

  /** What became of a place. A place that does not wait is free afterwards. */
  collect(place: number): Outcome {
    return this.#locked(() => {
      const state = this.#memory[place + STATE];
      if (state === WAITS) return "waits";
      this.#memory[place + STATE] = FREE;
      return state === STARTED ? "started" : "refused";
    });
  }

  /** A hash has ended: the next may start. */
  end(): void {
    this.#locked(() => {
      this.#memory[RUNNING]--;
      this.#startNext();
      this.#changed();
    });
  }

  /** A number that differs after every change, for {@linkcode HashShares.change}. */
  get changes(): number {
    return Atomics.load(this.#memory, CHANGES);
  }

  /** Waits until something has changed since this number was read. */
  async change(since: number): Promise<void> {
    await Atomics.waitAsync(this.#memory, CHANGES, since).value;
  }

  /** Starts waiting hashes while fewer than the allowed number run. */
  #startNext(): void {
    const memory = this.#memory;
    const allowed = Math.max(Math.ceil(this.#most / 2), this.#most - memory[BUSY]);
    while (memory[RUNNING] < allowed && memory[WAITING] > 0) {
      const next = this.#next();
      const turn = ++memory[TURN];
      let like = this.#waiting();
      for (const [level, field] of LEVELS.entries()) {
        like = like.filter((at) => isSame(memory, at, next, field));
        for (const at of like) memory[at + TURNS + level] = turn;
      }
      memory[IN_A_ROW] = memory[next + KNOWN] === 0 ? 0 : Math.min(MOST_IN_A_ROW, memory[IN_A_ROW] + 1);
      memory[next + STATE] = STARTED;
      memory[WAITING]--;
      memory[RUNNING]++;
      this.#changed();
    }
  }

  /** Whose turn is next: that of known devices first, but after three of them that of a stranger. */
  #next(): number {
    const memory = this.#memory;
    const all = this.#waiting();
    const known = all.filter((at) => memory[at + KNOWN] === 1);
    // Beyond its share, an account, network or site with known devices waits as strangers do.
    const counts = LEVELS.map((field) => countBy(memory, known, field));
    const first = known.filter((at) =>
      LEVELS.every((field, level) => counts[level].get(keyOf(memory, at, field))! <= SHARE)
    );
    const rest = all.filter((at) => !first.includes(at));
    const strangersTurn = memory[IN_A_ROW] >= MOST_IN_A_ROW && rest.length > 0;
    const candidates = first.length === 0 || strangersTurn ? rest : first;
    // The site that waits longest for a turn, in it the network, in that the account, and of that the first to come.
    return candidates.reduce((best, at) => this.#isBefore(at, best) ? at : best);
  }

  #isBefore(one: number, other: number): boolean {
    const memory = this.#memory;
    for (const [level, field] of LEVELS.entries()) {
      if (isSame(memory, one, other, field)) continue;
      return isEarlier(memory[one + TURNS + level], memory[other + TURNS + level]);
    }
    if (memory[one + KNOWN] !== memory[other + KNOWN]) return memory[one + KNOWN] === 1;
    return isEarlier(memory[one + ARRIVED], memory[other + ARRIVED]);
  }

  #isFullFor({ known }: Waiter): boolean {
    return Atomics.load(this.#memory, WAITING) >= MOST_WAITING + (known ? MOST_KNOWN : 0);
  }

  /** Writes a newcomer into a free place, and does not take it. Undefined when there is none. */
  #describe({ site, network, account, known }: Waiter): number | undefined {
    const memory = this.#memory;
    const place = PLACE.find((at) => memory[at + STATE] === FREE);
    if (place === undefined) return undefined;
    write(memory, place + SITE, site);
    write(memory, place + NET, network);
    write(memory, place + ACCOUNT, account);
    memory[place + KNOWN] = known ? 1 : 0;
    return place;
  }

  /**
   * The place to refuse for a newcomer: the newest one of the site, network or account that holds the most, if that is
   * more than a quarter of the queue and more than the newcomer's holds. Strangers' places go first.
   */
  #victimOf(newcomer: number): number | undefined {
    const memory = this.#memory;
    const all = this.#waiting();
    let victim: number | undefined, most = SHARE;
    for (const field of LEVELS) {
      const counts = countBy(memory, all, field);
      const own = counts.get(keyOf(memory, newcomer, field)) ?? 0;
      for (const at of all) {
        const held = counts.get(keyOf(memory, at, field))!;
        if (held <= Math.max(own, SHARE) || held < most || isSame(memory, at, newcomer, field)) continue;
        if (held > most || victim === undefined || this.#isWorse(at, victim)) victim = at;
        most = held;
      }
    }
    return victim;
  }

  #isWorse(one: number, other: number): boolean {
    const memory = this.#memory;
    if (memory[one + KNOWN] !== memory[other + KNOWN]) return memory[one + KNOWN] === 0;
    return isEarlier(memory[other + ARRIVED], memory[one + ARRIVED]);
  }

  #waiting(): number[] {
    return PLACE.filter((at) => this.#memory[at + STATE] === WAITS);
  }

  /** Wakes all workers. */
  #changed(): void {
    Atomics.add(this.#memory, CHANGES, 1);
    Atomics.notify(this.#memory, CHANGES);
  }

  /** One worker at a time. The work takes microseconds and never waits, so the others try again at once. */
  #locked<T>(work: () => T): T {
    while (Atomics.exchange(this.#memory, LOCK, 1) === 1);
    try {
      return work();
    } finally {
      Atomics.store(this.#memory, LOCK, 0);
    }
  }
}

/** Writes 64 bits of a hash: nobody can choose a name that counts as somebody else's. */
function write(memory: HashCounts, at: number, name: string): void {
  const digest = hash("sha256", name, "buffer");
  memory[at] = digest.readInt32LE(0);
  memory[at + 1] = digest.readInt32LE(4);
}

function isSame(memory: HashCounts, one: number, other: number, field: number): boolean {
  return memory[one + field] === memory[other + field] && memory[one + field + 1] === memory[other + field + 1];
}

/** How many of these places each site, network or account has. */
function countBy(memory: HashCounts, among: readonly number[], field: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const at of among) {
    const key = keyOf(memory, at, field);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** 53 of the 64 bits: as many as a number holds. */
function keyOf(memory: HashCounts, at: number, field: number): number {
  return (memory[at + field] >>> 0) * 2 ** 21 + (memory[at + field + 1] & (2 ** 21 - 1));
}

/** The numbers of turns begin anew after 2^32 of them. */
function isEarlier(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}
