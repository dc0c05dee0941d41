/**
 * Work that is done again and again beside the requests: sending mails, sweeping. Must not know what the work is.
 *
 * @module
 */

/** How long after a wake the work begins, in milliseconds: by then the transaction that asked for it has ended. */
const SOON = 50;

/** Does its work after each pause, and soon after somebody woke it. */
export class Loop {
  #onWake: () => void = () => {};

  /** Asks for the work soon. Does nothing before the start and after the stop. */
  wake(): void {
    this.#onWake();
  }

  /**
   * Starts the loop; the work must not throw. `pause` gives the milliseconds until the next round. The function that it
   * gives stops the loop: the signal of the running round fires, and the stop waits for the round's end.
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
      // Only the first wake plans the round: if each put it off again, a steady stream of requests would let none begin.
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
