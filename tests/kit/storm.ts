/**
 * A storm of logins: clients that try wrong passwords, some of an account that exists, and pause a tenth of a second when
 * they are told to wait. Must not judge what they are told.
 *
 * @module
 */

/** What a client of the storm was told. */
export interface StormAnswer {
  /** The status. */
  status: number;
  /** Retry-After, or null. */
  retryAfter: string | null;
}

/** A storm that rages until it is told to stop. */
export interface Storm extends AsyncDisposable {
  /** How often each status was given. */
  statuses: Map<number, number>;
  /** Answers of 429 or 503 that did not say when to come back. */
  silent: number;
  /** Ends it and waits for the last answers. */
  stop(): Promise<void>;
}

/** Pause after 429 and 503, in milliseconds (F24). */
const PAUSE = 100;

/** Lets this many clients loose; half of them try the account that exists, the others one that does not. */
export function startStorm(
  clients: number,
  email: string,
  post: (form: { email: string; password: string }) => Promise<StormAnswer>,
): Storm {
  let raging = true;
  const storm = { statuses: new Map<number, number>(), silent: 0 };
  const rage = async (client: number): Promise<void> => {
    const target = client % 2 === 0 ? email : `stranger${client}@example.com`;
    for (let guess = 0; raging; guess++) {
      const { status, retryAfter } = await post({ email: target, password: `wrong ${client} ${guess}` });
      storm.statuses.set(status, (storm.statuses.get(status) ?? 0) + 1);
      // Lets others have their turn, where no network does.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (status !== 429 && status !== 503) continue;
      if (!(Number(retryAfter) > 0)) storm.silent++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  };
  const all = Array.from({ length: clients }, (_, client) => rage(client));
  const stop = async (): Promise<void> => {
    raging = false;
    await Promise.all(all);
  };
  return Object.assign(storm, { stop, [Symbol.asyncDispose]: stop });
}
