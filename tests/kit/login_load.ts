/**
 * Clients that guess passwords in parallel: some for an existing account, the others for unknown addresses. They pause
 * a tenth of a second when they are told to wait. Must not judge the answers.
 *
 * @module
 */

/** The answer to one guess. */
interface LoginAnswer {
  status: number;
  /** The header Retry-After, or null. */
  retryAfter: string | null;
}

/** A load that runs until it is stopped. */
interface LoginLoad extends AsyncDisposable {
  /** How often each status was answered. */
  statuses: Map<number, number>;
  /** The number of answers 429 and 503 without Retry-After. */
  withoutRetryAfter: number;
  /** Stops the clients and waits for the last answers. */
  stop(): Promise<void>;
}

/** Pause after 429 and 503, in milliseconds (F24). */
const PAUSE = 100;

/** Starts this many clients. Half of them guess for this address, the others for unknown ones. */
export function startLoginLoad(
  clients: number,
  email: string,
  post: (form: { email: string; password: string }) => Promise<LoginAnswer>,
): LoginLoad {
  let running = true;
  const load = { statuses: new Map<number, number>(), withoutRetryAfter: 0 };
  const runClient = async (client: number): Promise<void> => {
    const target = client % 2 === 0 ? email : `stranger${client}@example.com`;
    for (let guess = 0; running; guess++) {
      const { status, retryAfter } = await post({ email: target, password: `wrong ${client} ${guess}` });
      load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1);
      // Without a network, this lets other work run between two guesses.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (status !== 429 && status !== 503) continue;
      if (!(Number(retryAfter) > 0)) load.withoutRetryAfter++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  };
  const all = Array.from({ length: clients }, (_, client) => runClient(client));
  const stop = async (): Promise<void> => {
    running = false;
    await Promise.all(all);
  };
  return Object.assign(load, { stop, [Symbol.asyncDispose]: stop });
}
