/**
 * The sending slots of one worker. A slot is held for the usual time of the last mails, never for the time of its own
 * mail. So the wait for a slot shows nothing about the mails before. Must not know a mail.
 *
 * @module
 */

/** How many of the last mails make the usual time. */
const LAST = 20;
/** The usual time before the first mail, in milliseconds. */
const FIRST_GUESS = 1_000;
/**
 * The longest random pause before a mail, in milliseconds. It hides the few milliseconds by which a mail is slowed when
 * other mails are sent beside it.
 */
const LONGEST_PAUSE = 1_000;

/** How the outbox waits. */
export interface Pacing {
  /** Resolves after this time, or early when the signal fires. A slot, a pause or what stands for a mail lasts it. */
  wait(what: "slot" | "pause" | "no mail", milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
  /** Milliseconds of a clock that never jumps. */
  now(): number;
}

/** The pacing of a service. */
export const PACING: Pacing = {
  wait: (_what, milliseconds, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      if (signal?.aborted) done();
      else signal?.addEventListener("abort", done);
    }),
  random: Math.random,
  now: () => performance.now(),
};

/** Without a wait: for the local profile, and for commands and tests that send what is due and end. */
export const UNPACED: Pacing = { ...PACING, wait: () => Promise.resolve() };

/** The usual time of a mail, and whether the mail server fails. */
export class UsualMail {
  readonly #times: number[] = [];
  /** Whether the last mail failed and is tried again. */
  failing = false;

  /** Notes how long a mail took, in milliseconds. */
  note(time: number, failed: boolean): void {
    // A server that works again is no slower for its timeouts. Otherwise the first mails would wait as long as these.
    if (this.failing && !failed) this.#times.length = 0;
    this.#times.push(time);
    if (this.#times.length > LAST) this.#times.shift();
    this.failing = failed;
  }

  /** The mean of the last mails, in milliseconds. */
  get time(): number {
    if (this.#times.length === 0) return FIRST_GUESS;
    return this.#times.reduce((sum, time) => sum + time, 0) / this.#times.length;
  }
}

/** What one mail gets from its slot. Both are in milliseconds. */
interface SlotTimes {
  /** How long to wait before the mail. */
  pause: number;
  /** How long what stands for a mail takes. */
  usual: number;
}

/** A number of slots. */
export class Slots {
  readonly #most: number;
  readonly #pacing: Pacing;
  readonly #usual: UsualMail;
  #held = 0;
  #sending = 0;
  readonly #running = new Set<Promise<void>>();

  /** At most `most` mails begin in the usual time of one. At most twice as many are being sent. */
  constructor(most: number, pacing: Pacing, usual: UsualMail) {
    this.#most = most;
    this.#pacing = pacing;
    this.#usual = usual;
  }

  /** How many mails may begin now. */
  get free(): number {
    // A slot is free again while its own mail still hangs. The second bound protects the mail server.
    return Math.min(this.#most - this.#held, 2 * this.#most - this.#sending);
  }

  /** Resolves when no mail is being sent and no slot is held. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Takes a slot and does the work, which must not throw. Calls `freed` when a mail may begin again after none could. */
  take(work: (times: SlotTimes) => Promise<void>, signal: AbortSignal | undefined, freed: () => void): void {
    const release = (give: () => void): void => {
      const none = this.free <= 0;
      give();
      if (none && this.free > 0) freed();
    };
    const pause = this.#pacing.random() * LONGEST_PAUSE;
    const usual = this.#usual.time;
    this.#held++;
    this.#sending++;
    const hold = this.#pacing.wait("slot", pause + usual, signal).then(() => release(() => this.#held--));
    const sending = work({ pause, usual }).then(() => release(() => this.#sending--));
    const both = Promise.all([hold, sending]).then(() => void this.#running.delete(both));
    this.#running.add(both);
  }
}
