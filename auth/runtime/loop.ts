/**
 * Repeats background work, such as sending mails and deleting old rows. Must not know what the work is.
 *
 * @module
 */

/** Delay after a wake, in milliseconds: by then the transaction that asked for the work has ended. */
const SOON = 50;

/** Does its work after each pause, and soon after a wake. */
export class Loop {
  #onWake: () => void = () => {};

  /** Asks for the work soon. Does nothing before the start and after the stop. */
  wake(): void {
    this.#onWake();
  }

  /**
   * Starts the loop. The work must not throw; `pause` gives the milliseconds until the next round. The returned
   * function stops the loop: it fires the signal of the running round and waits until that round ends.
   */
  start(work: (signal: AbortSignal) => Promise<unknown>, pause: () => number): () => Promise<void> {
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running: Promise<void> | undefined;
    let woken = false;
    const round = async (): Promise<void> => {
      woken = false;
      await work(stopping.signal);
      running = undefined;
      plan(woken ? SOON : pause());
    };
    const plan = (delay: number): void => {
      clearTimeout(timer);
      if (!stopping.signal.aborted) timer = setTimeout(() => running = round(), delay);
    };
    this.#onWake = () => {
      // Only the first wake plans a round. If each wake postponed it, a steady stream of requests would let none begin.
      if (!woken && running === undefined) plan(SOON);
      woken = true;
    };
    plan(pause());
    return async () => {
      stopping.abort();
      clearTimeout(timer);
      await running;
    };
  }
}
