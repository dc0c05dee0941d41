/**
 * A steady mix of the requests that a service gets in a day: mostly session checks, also strangers, right and wrong
 * logins, logouts and registrations. Must not judge anything but unexpected answers.
 *
 * @module
 */
import { type StartedService, statusOf } from "./process/started_service.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse";

/** A load on one service. */
interface MixedLoad {
  /**
   * Sends this many requests, at this many a second, or as fast as eight clients can. Returns the milliseconds of each.
   */
  send(count: number, rate?: number): Promise<number[]>;
}

/** Registers the load's user and prepares the load. */
export async function mixedLoad(service: StartedService): Promise<MixedLoad> {
  await statusOf(service.send("POST", "/users", { email: EMAIL, password: PASSWORD }));
  let device = "";
  const logIn = async (): Promise<string> => {
    // A known device, because the load's own strangers use up the guesses of the network.
    const response = await service.send("POST", "/sessions", { email: EMAIL, password: PASSWORD }, device);
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`a login of the load was answered ${response.status}`);
    const [, made] = response.headers.getSetCookie();
    device = `; ${made.slice(0, made.indexOf(";"))}`;
    return /^session_id=([^;]+)/.exec(response.headers.getSetCookie()[0])![1];
  };
  const session = await logIn();
  let sent = 0;
  /** The kind of request depends on its number, so that every run sends the same. */
  const one = async (): Promise<number> => {
    const number = sent++;
    const start = performance.now();
    const kind = number % 100;
    if (kind === 7) {
      const short = await logIn();
      expect(await statusOf(service.send("DELETE", "/sessions", undefined, short)), 302);
    } else if (kind === 23) {
      const form = { email: `stranger${number}@example.com`, password: "wrong" };
      expect(await statusOf(service.send("POST", "/sessions", form)), 401, 429);
    } else if (kind === 41 && number % 500 === 41) {
      const email = `user${number}@example.com`;
      expect(await statusOf(service.send("POST", "/users", { email, password: PASSWORD })), 200);
    } else if (kind % 10 === 3) expect(await statusOf(service.send("GET", "/profile", undefined, "A".repeat(43))), 403);
    else if (kind % 10 === 4) expect(await statusOf(service.send("GET", "/")), 200);
    else if (kind % 10 === 5) expect(await statusOf(service.send("POST", "/users", { email: "nobody" })), 400);
    else if (kind % 10 === 6) expect(await statusOf(service.send("GET", "/session", undefined, session)), 200);
    else expect(await statusOf(service.send("GET", "/profile", undefined, session)), 200);
    return performance.now() - start;
  };
  return {
    send: async (count, rate) => {
      if (rate === undefined) {
        let left = count;
        const client = async (): Promise<number[]> => {
          const times: number[] = [];
          while (left-- > 0) times.push(await one());
          return times;
        };
        return (await Promise.all(Array.from({ length: 8 }, client))).flat();
      }
      const start = performance.now();
      const all: Promise<number>[] = [];
      for (let index = 0; index < count; index++) {
        const due = start + index * 1_000 / rate;
        const early = due - performance.now();
        if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
        all.push(one());
      }
      return await Promise.all(all);
    },
  };
}

function expect(status: number, ...expected: number[]): void {
  if (!expected.includes(status)) throw new Error(`answered ${status}, not ${expected.join(" or ")}`);
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers: number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The slope of a least-squares line through the values. */
export function slope(values: number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [over, under] = values.reduce(
    ([a, b], value, index) => [a + (index - middle) * (value - mean), b + (index - middle) ** 2],
    [0, 0],
  );
  return under === 0 ? 0 : over / under;
}
