/**
 * A storm of logins: clients that try wrong passwords, some of an account that exists, and pause a tenth of a second when
 * they are told to wait. Must not judge what they are told.
 *
 * @module
 */

/** What a client of the storm was told. */
export interface LoginAnswer {
  /** The status. */
  status: number;
  /** Retry-After, or null. */
  retryAfter: string | null;
}

/** A storm that rages until it is told to stop. */
export interface LoginLoad extends AsyncDisposable {
  /** How often each status was given. */
  statuses: Map<number, number>;
  /** Answers of 429 or 503 that did not say when to come back. */
  withoutRetryAfter: number;
  /** Ends it and waits for the last answers. */
  stop(): Promise<void>;
}

/** Pause after 429 and 503, in milliseconds (F24). */
const PAUSE = 100;

/** Lets this many clients loose; half of them try the account that exists, the others one that does not. */
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
      // Lets others have their turn, where no network does.
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
