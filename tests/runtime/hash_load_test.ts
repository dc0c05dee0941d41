/**
 * A flood of logins leaves time to session checks: it is refused early, and hashes leave cores to workers that need
 * them. Nothing is timed: bcrypt and the CPU times are given.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ThreadLoad } from "../../auth/runtime/event_loop.ts";
import { HashQueue, newHashCounts } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { test } from "../kit/service.ts";
import { traceStatements } from "../kit/traced_statements.ts";

const SALT = `$2b$04$${"s".repeat(22)}`;

/** Hashes that run until they are ended, the oldest first. */
class HeldBcrypt {
  readonly #ends: (() => void)[] = [];
  readonly hash = (_password: string, salt: string): Promise<string> =>
    new Promise((resolve) => this.#ends.push(() => resolve(salt + "x".repeat(31))));

  /** Ends one, if its worker has begun it. Does not wait for the next one. */
  async end(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("S72: whoever would be refused is told so before, and takes no place", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const flood = { network: "192.0.2.1", account: "a" }, other = { network: "192.0.2.2", account: "b" };
  const full = Array.from({ length: 129 }, () => queue.hash("p", SALT, flood));
  assert.deepEqual(queue.counts, { running: 1, waiting: 128, done: 0 });
  assert.throws(() => queue.requireRoom(flood), { code: "overloaded" });
  // A known device has more places, and another network takes one from the flood.
  queue.requireRoom({ ...flood, known: true });
  queue.requireRoom(other);
  assert.deepEqual(queue.counts, { running: 1, waiting: 128, done: 0 });
  while (queue.counts.running > 0) await bcrypt.end();
  await Promise.all(full);
  queue.requireRoom(flood);
});

test("S17: S72: a login that finds the queue full asks the database nothing, whatever its address", async (service) => {
  await service.register("known@x.test", "b4l0u");
  const bcrypt = new HeldBcrypt();
  const hashQueue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const { auth, texts } = traceStatements({ ...service.auth, hashQueue });
  const app = createApp(auth);
  // Of many accounts: one that held more than a quarter of the queue would lose a place.
  const place = (index: number) => ({ network: "unknown", account: `${index}` });
  const full = Array.from({ length: 129 }, (_, index) => hashQueue.hash("p", SALT, place(index)));
  for (const email of ["known@x.test", "unknown@x.test", "not an address"]) {
    const body = new URLSearchParams({ email, password: "wrong" });
    const response = await app.request("/sessions", { method: "POST", body });
    assert.deepEqual([response.status, response.headers.get("error-code")], [503, "overloaded"]);
    assert.notEqual(response.headers.get("retry-after"), null);
  }
  assert.deepEqual(texts, []);
  assert.deepEqual(await service.rows("SELECT id FROM counters"), [], "no guess was counted");
  while (hashQueue.counts.running > 0) await bcrypt.end();
  await Promise.all(full);
});

Deno.test("each busy worker leaves a core to others, but half of the hashes run on", async () => {
  const bcrypt = new HeldBcrypt(), counts = newHashCounts();
  const busy = [false, false, false, false];
  const queues = busy.map((_, index) =>
    new HashQueue({ most: 4, bcrypt: bcrypt.hash, counts, isBusy: () => busy[index] })
  );
  const all: Promise<string>[] = [];
  const add = (worker: number) => all.push(queues[worker].hash("p", SALT));
  for (let worker = 0; worker < 4; worker++) add(worker);
  assert.equal(queues[0].counts.running, 4);
  for (let worker = 0; worker < 4; worker++) add(worker);
  // One says that it is busy when one of its hashes ends, which is then followed by no other.
  busy[0] = true;
  await bcrypt.end();
  assert.deepEqual(queues[0].counts, { running: 3, waiting: 4, done: 1 });
  busy.fill(true);
  for (let worker = 0; worker < 4; worker++) add(worker);
  for (let left = 3; left > 0; left--) await bcrypt.end();
  assert.equal(queues[0].counts.running, 2, "half of them, however many are busy");
  busy.fill(false);
  while (queues[0].counts.running > 0) await bcrypt.end();
  await Promise.all(all);
  assert.equal(queues[0].counts.waiting, 0);
  // A worker without hashes holds up nobody.
  busy[1] = true;
  const last = [0, 0, 0, 0].map((worker) => queues[worker].hash("p", SALT));
  assert.equal(queues[0].counts.running, 4);
  while (queues[0].counts.running > 0) await bcrypt.end();
  await Promise.all(last);
});

Deno.test("a thread is busy when it takes its share of the process and some of the time", () => {
  let now = 0, ofThread = 0, ofProcess = 0;
  const load = new ThreadLoad(0.2, { ofThread: () => ofThread, ofProcess: () => ofProcess }, () => now);
  const after = (milliseconds: number, thread: number, others: number): boolean => {
    now += milliseconds;
    ofThread += thread * 1_000;
    ofProcess += (thread + others) * 1_000;
    return load.isBusy();
  };
  assert.equal(after(300, 300, 0), true, "it alone uses a core");
  assert.equal(after(300, 100, 300), true, "a quarter of the process");
  assert.equal(after(300, 50, 300), false, "a seventh of the process");
  assert.equal(after(100, 100, 0), false, "the window has not ended");
  assert.equal(after(200, 0, 0), true);
  assert.equal(after(3_600_000, 1_000, 0), false, "all of the process, but hardly any of the time");
});
