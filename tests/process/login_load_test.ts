/**
 * Two hundred clients that guess passwords at once, on two workers that share one hash queue: the work they cause, and
 * the answers to everybody else meanwhile. Work is counted, time is not.
 *
 * @module
 */
import assert from "node:assert/strict";
import bcrypt from "bcrypt";
import { HashQueue, newHashCounts } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { startLoginLoad } from "../kit/login_load.ts";
import { type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", PASSWORD = "b4l0u";
const CLIENTS = 200, CORES = 2;
/** Duration of a hash here, in milliseconds: long enough that a queue forms. */
const HASH_TIME = 4;

interface Worker {
  app: ReturnType<typeof createApp>;
  queue: HashQueue;
}

/** The hashes of all workers. */
interface Work {
  running: number;
  mostRunning: number;
  mostWaiting: number;
  begun: number;
  /** How many hashes were started while a known device waited. */
  before: number[];
}

/** Two workers of one process on one database: their queues share the counts, and all hashes are recorded. */
async function workers(service: Service): Promise<{ both: Worker[]; work: Work }> {
  const counts = newHashCounts();
  const work = { running: 0, mostRunning: 0, mostWaiting: 0, begun: 0, before: [] as number[] };
  const hash = async (password: string, salt: string): Promise<string> => {
    work.begun++;
    if (password === PASSWORD) work.before[work.before.length - 1] = work.begun - 1 - work.before.at(-1)!;
    work.mostRunning = Math.max(work.mostRunning, ++work.running);
    work.mostWaiting = Math.max(work.mostWaiting, both[0].queue.counts.waiting);
    await new Promise((resolve) => setTimeout(resolve, HASH_TIME));
    const hashed = await bcrypt.hash(password, salt);
    work.running--;
    return hashed;
  };
  const both = [service, await service.another()].map(({ auth }) => {
    const queue = new HashQueue({ most: CORES, counts, bcrypt: hash });
    const enter = queue.hash.bind(queue);
    queue.hash = (password, salt, options) => {
      if (options?.known) work.before.push(work.begun);
      return enter(password, salt, options);
    };
    return { queue, app: createApp({ ...auth, hashQueue: queue }) };
  });
  return { both, work };
}

const body = (form: Record<string, string>) => new URLSearchParams(form);

for (const throttle of ["enforce", "observe"]) {
  test(
    `F24: with 200 guessing clients one hash a core runs, the queue is bounded, known devices log in, THROTTLE=${throttle}`,
    async (service) => {
      await service.register(EMAIL, PASSWORD);
      const first = await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } });
      const session = sessionOf(first)!;
      const device = first.headers.getSetCookie().map((cookie) => /^device_id=[^;]+/.exec(cookie)?.[0]).find(Boolean)!;
      const { both, work } = await workers(service);
      let turn = 0;
      await using load = startLoginLoad(CLIENTS, EMAIL, async (form) => {
        const response = await both[turn++ % 2].app.request("/sessions", { method: "POST", body: body(form) });
        return { status: response.status, retryAfter: response.headers.get("retry-after") };
      });
      // With throttling, the network may be refused before this many guesses reach a hash.
      while (work.begun < 60 && (load.statuses.get(429) ?? 0) < 1_000) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const profile = await both[turn % 2].app.request("/profile", { headers: { cookie: `session_id=${session}` } });
        assert.equal(profile.status, 200, "who is logged in notices nothing");
      }
      for (const { app } of [...both, ...both]) {
        const headers = { cookie: device };
        const login = await app.request("/sessions", {
          method: "POST",
          headers,
          body: body({ email: EMAIL, password: PASSWORD }),
        });
        assert.equal(login.status, 200, "the owner gets in from a known device");
        const again = await app.request("/profile", { headers: { cookie: `session_id=${sessionOf(login)}` } });
        assert.equal(again.status, 200);
      }
      await load.stop();
      // Strangers' hashes that the other worker started before the device's turn; in a plain queue 128 strangers could
      // come first.
      assert.equal(work.before.length, 4);
      assert.ok(work.before.every((count) => count <= 20), `${work.before} hashes came before the owner's`);
      assert.ok(work.mostRunning <= CORES, `${work.mostRunning} hashes ran at once`);
      assert.ok(work.mostWaiting <= 128 + 32, `${work.mostWaiting} waited`);
      assert.deepEqual(both[0].queue.counts.waiting, 0);
      assert.equal(load.withoutRetryAfter, 0, "every 429 and 503 says when to come back");
      const seen = [...load.statuses.keys()].sort();
      assert.deepEqual(seen.filter((status) => ![401, 429, 503].includes(status)), []);
      // In observe mode only a full queue refuses; in enforce mode a hundred guesses of one network reach the hash.
      assert.equal(seen.includes(503), throttle === "observe");
      assert.equal(seen.includes(429), throttle === "enforce");
      if (throttle === "enforce") assert.ok((load.statuses.get(401) ?? 0) <= 100, String(load.statuses.get(401)));
    },
    { THROTTLE: throttle },
  );
}
