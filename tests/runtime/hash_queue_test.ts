/**
 * The hash queue: how many hashes run, how many wait, which are dropped, and what happens when bcrypt fails.
 *
 * @module
 */
import assert from "node:assert/strict";
import bcrypt from "bcrypt";
import { AuthError } from "../../auth/errors.ts";
import { type HashOptions, HashQueue, newHashCounts } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { withBcrypt } from "../kit/hash_recorder.ts";
import { test } from "../kit/service.ts";

const SALT = "$2b$04$BienvenueBienvenueBieu";

/** Longest wait for a hash to start, in milliseconds, so that a test which hangs says what it sees. */
const PATIENCE = 10_000;

/** A bcrypt whose hashes finish when the test says so. */
class HeldBcrypt {
  /** The started passwords, in order. */
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];
  readonly hash = (password: string, salt: string): Promise<string> => {
    this.begun.push(password);
    return new Promise((resolve) => this.#ends.push(() => resolve(salt + "x".repeat(31))));
  };

  /**
   * Finishes the oldest running hash and waits until the next one in the queue has started, unless none starts. A
   * waiter of a shared count continues when the runtime wakes it, not within one turn.
   */
  async finishOne(queue: HashQueue): Promise<void> {
    const begun = this.begun.length + Math.min(1, queue.counts.waiting);
    this.#ends.shift()!();
    await settled();
    for (const end = Date.now() + PATIENCE; this.begun.length < begun && Date.now() < end;) await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("the allowed number of hashes run at once, and the others in the order of their arrival", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 2, bcrypt: bcrypt.hash });
  const all = ["a", "b", "c", "d", "e"].map((password) => queue.hash(password, SALT));
  assert.deepEqual(bcrypt.begun, ["a", "b"]);
  assert.deepEqual(queue.counts, { running: 2, waiting: 3, done: 0 });
  await bcrypt.finishOne(queue);
  assert.deepEqual(bcrypt.begun, ["a", "b", "c"]);
  assert.deepEqual(queue.counts, { running: 2, waiting: 2, done: 1 });
  const late = queue.hash("late", SALT);
  for (let left = 5; left > 0; left--) await bcrypt.finishOne(queue);
  await Promise.all([...all, late]);
  assert.deepEqual(bcrypt.begun, ["a", "b", "c", "d", "e", "late"]);
  assert.deepEqual(queue.counts, { running: 0, waiting: 0, done: 6 });
});

Deno.test("S72: at most 128 hashes wait, and later ones are refused at once", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const taken = Array.from({ length: 129 }, (_, index) => queue.hash(String(index), SALT));
  assert.equal(queue.counts.waiting, 128);
  await assert.rejects(queue.hash("one too many", SALT), { name: "AuthError", code: "overloaded" });
  assert.equal(queue.counts.waiting, 128);
  await bcrypt.finishOne(queue);
  const next = queue.hash("after one went", SALT);
  for (let left = 129; left > 0; left--) await bcrypt.finishOne(queue);
  await Promise.all([...taken, next]);
  assert.equal(bcrypt.begun.includes("one too many"), false);
  assert.equal(bcrypt.begun.at(-1), "after one went");
});

Deno.test("F24: known devices go before strangers, in order of arrival, and have places that strangers do not get", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const strangers = Array.from({ length: 129 }, (_, index) => queue.hash(`stranger ${index}`, SALT));
  await assert.rejects(queue.hash("a stranger too many", SALT), { code: "overloaded" });
  const known = Array.from({ length: 32 }, (_, index) => queue.hash(`known ${index}`, SALT, { known: true }));
  assert.equal(queue.counts.waiting, 160);
  await assert.rejects(queue.hash("one too many", SALT, { known: true }), { code: "overloaded" });
  for (let left = 161; left > 0; left--) await bcrypt.finishOne(queue);
  await Promise.all([...strangers, ...known]);
  const begun = (who: string) => bcrypt.begun.filter((password) => password.startsWith(who));
  assert.deepEqual(begun("known"), Array.from({ length: 32 }, (_, index) => `known ${index}`));
  assert.deepEqual(begun("stranger"), Array.from({ length: 129 }, (_, index) => `stranger ${index}`));
  // Three of four turns: anybody may have an account here and so a known device, and these must not block everybody
  // else.
  assert.deepEqual(bcrypt.begun.slice(0, 6), ["stranger 0", "known 0", "known 1", "known 2", "stranger 1", "known 3"]);
  assert.equal(bcrypt.begun.indexOf("known 31"), 42);
});

Deno.test("F24: a known device waits for no stranger of another worker, even when its own worker is late", async () => {
  const bcrypt = new HeldBcrypt();
  const counts = newHashCounts();
  const [one, other] = [1, 2].map(() => new HashQueue({ most: 1, bcrypt: bcrypt.hash, counts }));
  const all = Array.from({ length: 10 }, (_, index) => one.hash(`stranger ${index}`, SALT));
  await settled();
  const { waitAsync } = Atomics;
  Atomics.waitAsync = ((counts: Int32Array, place: number, value: number) => ({
    async: true,
    value: Promise.resolve(waitAsync(counts, place, value).value)
      .finally(() => new Promise((late) => setTimeout(late, 50))),
  })) as typeof waitAsync;
  all.push(other.hash("known", SALT, { known: true }));
  Atomics.waitAsync = waitAsync;
  for (let left = 11; left > 0; left--) await bcrypt.finishOne(one);
  await Promise.all(all);
  assert.deepEqual(bcrypt.begun.slice(0, 3), ["stranger 0", "known", "stranger 1"]);
});

Deno.test("F24: known devices of one worker leave every fourth turn to a stranger of another worker", async () => {
  const bcrypt = new HeldBcrypt();
  const counts = newHashCounts();
  const [one, other] = [1, 2].map(() => new HashQueue({ most: 1, bcrypt: bcrypt.hash, counts }));
  const all = Array.from({ length: 30 }, (_, index) => one.hash(`known ${index}`, SALT, { known: true }));
  all.push(other.hash("stranger", SALT));
  for (let left = 31; left > 0; left--) await bcrypt.finishOne(one);
  await Promise.all(all);
  assert.equal(bcrypt.begun.indexOf("stranger"), 3);
});

Deno.test("a waiting job is removed when its client disconnects, and is never hashed", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const stays = queue.hash("stays", SALT);
  const leaving = new AbortController();
  const left = queue.hash("left", SALT, { signal: leaving.signal });
  const after = queue.hash("after", SALT);
  leaving.abort();
  await assert.rejects(left, { name: "AuthError", code: "client_gone" });
  assert.equal(queue.counts.waiting, 1);
  await bcrypt.finishOne(queue);
  await bcrypt.finishOne(queue);
  await Promise.all([stays, after]);
  assert.deepEqual(bcrypt.begun, ["stays", "after"]);
});

Deno.test("a job of a client that has already disconnected is not started, even when a place is free", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  await assert.rejects(queue.hash("left", SALT, { signal: AbortSignal.abort() }), { code: "client_gone" });
  assert.deepEqual([bcrypt.begun, queue.counts], [[], { running: 0, waiting: 0, done: 0 }]);
});

Deno.test("a client that disconnects while its hash runs does not take another job's place", async () => {
  const bcrypt = new HeldBcrypt();
  const queue = new HashQueue({ most: 1, bcrypt: bcrypt.hash });
  const leaving = new AbortController();
  const runs = queue.hash("runs", SALT, { signal: leaving.signal });
  const waited = new AbortController();
  const waits = queue.hash("waits", SALT, { signal: waited.signal });
  leaving.abort();
  assert.deepEqual(queue.counts, { running: 1, waiting: 1, done: 0 });
  await bcrypt.finishOne(queue);
  waited.abort();
  await bcrypt.finishOne(queue);
  assert.match(await runs, /^\$2b\$/);
  assert.match(await waits, /^\$2b\$/, "its turn had come before it left");
  assert.deepEqual(queue.counts, { running: 0, waiting: 0, done: 2 });
});

Deno.test("S72: workers share one queue: the limits for running and waiting hashes count for all together", async () => {
  const bcrypt = new HeldBcrypt();
  const counts = newHashCounts();
  const workers = [1, 2, 3].map(() => new HashQueue({ most: 2, bcrypt: bcrypt.hash, counts }));
  const hash = (index: number) => workers[index % 3].hash(String(index), SALT);
  const taken = Array.from({ length: 130 }, (_, index) => hash(index));
  assert.deepEqual([bcrypt.begun.length, workers[0].counts.running, workers[1].counts.waiting], [2, 2, 128]);
  for (const worker of workers) await assert.rejects(worker.hash("one too many", SALT), { code: "overloaded" });
  for (let left = 130; left > 0; left--) {
    await bcrypt.finishOne(workers[0]);
    assert.equal(workers[2].counts.running, Math.min(2, left - 1));
  }
  await Promise.all(taken);
  assert.deepEqual(workers.map((worker) => worker.counts.done), [44, 43, 43]);
});

Deno.test("F24: networks take turns: a full queue of one worker does not block the other", async () => {
  const bcrypt = new HeldBcrypt();
  const counts = newHashCounts();
  const [one, other] = [1, 2].map(() => new HashQueue({ most: 1, bcrypt: bcrypt.hash, counts }));
  const all = Array.from({ length: 20 }, (_, index) => one.hash(`one ${index}`, SALT, { network: "one" }));
  await settled();
  all.push(...Array.from({ length: 3 }, (_, index) => other.hash(`other ${index}`, SALT, { network: "other" })));
  for (let left = 23; left > 0; left--) {
    await bcrypt.finishOne(one);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(all);
  assert.ok(bcrypt.begun.indexOf("other 2") <= 7, bcrypt.begun.join(", "));
});

/** Hashes of a flood; each ends as a hash or as the code of its error. */
function flood(queue: HashQueue, count: number, options: (index: number) => HashOptions): Promise<string>[] {
  return Array.from(
    { length: count },
    (_, index) => queue.hash(`flood ${index}`, SALT, options(index)).catch((error: AuthError) => error.code),
  );
}

for (const workers of [1, 3]) {
  /** Queues of as many workers, taken in turn. */
  const open = (most = 1) => {
    const bcrypt = new HeldBcrypt();
    const counts = newHashCounts();
    const queues = Array.from({ length: workers }, () => new HashQueue({ most, bcrypt: bcrypt.hash, counts }));
    let next = 0;
    return { bcrypt, queues, any: () => queues[next++ % workers] };
  };

  for (const site of [undefined, "one for all"]) {
    Deno.test(`A6: networks have turns one after another, however many hashes each has (site: ${site}, workers: ${workers})`, async () => {
      const { bcrypt, any } = open();
      const all = Array.from({ length: 60 }, (_, index) => any().hash(`a${index}`, SALT, { network: "a", site }));
      for (const network of ["b", "c"]) {
        for (let index = 0; index < 3; index++) all.push(any().hash(`${network}${index}`, SALT, { network, site }));
      }
      const queue = any();
      for (let left = all.length; left > 0; left--) await bcrypt.finishOne(queue);
      await Promise.all(all);
      assert.deepEqual(bcrypt.begun.slice(0, 10), ["a0", "a1", "b0", "c0", "a2", "b1", "c1", "a3", "b2", "c2"]);
    });
  }

  Deno.test(`A6: accounts of one network have turns one after another too (workers: ${workers})`, async () => {
    const { bcrypt, any } = open();
    const all = Array.from({ length: 60 }, (_, index) => any().hash(`a${index}`, SALT, { account: "a" }));
    for (let index = 0; index < 2; index++) all.push(any().hash(`b${index}`, SALT, { account: "b" }));
    all.push(any().hash("c0", SALT, { network: "other", account: "a" }));
    const queue = any();
    for (let left = all.length; left > 0; left--) await bcrypt.finishOne(queue);
    await Promise.all(all);
    assert.deepEqual(bcrypt.begun.slice(0, 8), ["a0", "a1", "c0", "b0", "a2", "b1", "a3", "a4"]);
  });

  for (const field of ["network", "account"] as const) {
    Deno.test(`A6: one ${field} may fill the queue, but nobody else is refused for it (workers: ${workers})`, async () => {
      const { bcrypt, queues, any } = open();
      const flooded = flood(any(), 129, () => ({ [field]: "flood" }));
      assert.equal(queues[0].counts.waiting, 128, "nobody else waits");
      await assert.rejects(any().hash("more of it", SALT, { [field]: "flood" }), { code: "overloaded" });
      const others = Array.from(
        { length: 96 },
        (_, index) => any().hash(`other ${index}`, SALT, { [field]: `other ${index % 40}` }),
      );
      assert.equal(queues[0].counts.waiting, 128, "each of them took a place of the flood");
      await assert.rejects(any().hash("more of it", SALT, { [field]: "flood" }), { code: "overloaded" });
      await assert.rejects(any().hash("another", SALT, { [field]: "another" }), { code: "overloaded" });
      for (let left = 129; left > 0; left--) await bcrypt.finishOne(queues[0]);
      await Promise.all(others);
      const ends = await Promise.all(flooded);
      assert.equal(ends.filter((end) => end === "overloaded").length, 96);
      // The newest places of the flood were given up, so the oldest are hashed.
      assert.deepEqual(
        bcrypt.begun.filter((one) => one.startsWith("flood")),
        ends.slice(0, 33).map((_, i) => `flood ${i}`),
      );
      assert.deepEqual(queues[0].counts.waiting, 0);
    });
  }

  Deno.test(`A6: two floods do not take places from each other once they hold as much (workers: ${workers})`, async () => {
    const { bcrypt, queues, any } = open();
    const all = flood(any(), 129, () => ({ network: "one" }));
    all.push(...flood(any(), 200, () => ({ network: "other" })));
    for (let left = 129; left > 0; left--) await bcrypt.finishOne(queues[0]);
    const ends = await Promise.all(all);
    assert.equal(ends.filter((end) => end === "overloaded").length, 200);
    assert.equal(ends.slice(129).filter((end) => end !== "overloaded").length, 64);
  });

  Deno.test(`A6: known devices go first only within a quarter of the queue (workers: ${workers})`, async () => {
    const { bcrypt, queues, any } = open();
    const known = { network: "flood", account: "flood", known: true };
    const all = flood(any(), 161, () => known);
    assert.equal(queues[0].counts.waiting, 160);
    const strangers = Array.from(
      { length: 8 },
      (_, index) => any().hash(`stranger ${index}`, SALT, { network: `n${index}`, account: `a${index}` }),
    );
    const own = any().hash("another known device", SALT, { network: "own", account: "own", known: true });
    for (let left = 161; left > 0; left--) await bcrypt.finishOne(queues[0]);
    await Promise.all([own, ...strangers]);
    const turns = [own, ...strangers].map((_, index) =>
      bcrypt.begun.indexOf(index === 0 ? "another known device" : `stranger ${index - 1}`)
    );
    assert.ok(turns[0] <= 2 && Math.max(...turns) <= 12, turns.join(", "));
    assert.equal((await Promise.all(all)).filter((end) => end === "overloaded").length, 9);
  });

  Deno.test(`A6: a client that has left frees its place for others (workers: ${workers})`, async () => {
    const { bcrypt, queues, any } = open();
    const left = new AbortController();
    const all = flood(
      any(),
      129,
      (index) => ({ network: `n${index % 8}`, signal: index === 0 ? undefined : left.signal }),
    );
    await assert.rejects(any().hash("too many", SALT, { network: "new" }), { code: "overloaded" });
    left.abort();
    assert.equal(queues[0].counts.waiting, 0);
    const next = any().hash("next", SALT, { network: "new" });
    await bcrypt.finishOne(queues[0]);
    await bcrypt.finishOne(queues[0]);
    await next;
    assert.deepEqual(bcrypt.begun, ["flood 0", "next"]);
    assert.equal((await Promise.all(all)).filter((end) => end === "client_gone").length, 128);
    assert.deepEqual([queues[0].counts.running, queues[0].counts.waiting], [0, 0]);
  });
}

/** The ways in which bcrypt may fail. */
const BROKEN: Record<string, (password: string, salt: string) => Promise<string>> = {
  "throws": () => {
    throw new Error("the thread died");
  },
  "rejects": () => Promise.reject(new Error("the thread died")),
  "gives nothing": () => Promise.resolve("" as string),
  "gives undefined": () => Promise.resolve(undefined as unknown as string),
  "gives the salt back": (_password, salt) => Promise.resolve(salt),
};

for (const [how, broken] of Object.entries(BROKEN)) {
  Deno.test(`F26: when bcrypt ${how}, the job fails with hashing_unavailable and its place is free again`, async () => {
    let calls = 0;
    const queue = new HashQueue({
      most: 1,
      bcrypt: (password, salt) => {
        return ++calls <= 3 ? broken(password, salt) : Promise.resolve(salt + "x".repeat(31));
      },
    });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => queue.hash("b4l0u", SALT)));
    // The queue's own timers end with its last turn.
    await settled();
    assert.deepEqual(
      results.map((result) => result.status === "rejected" ? (result.reason as AuthError).code : "hashed"),
      ["hashing_unavailable", "hashing_unavailable", "hashing_unavailable", "hashed", "hashed"],
    );
    assert.deepEqual(queue.counts, { running: 0, waiting: 0, done: 5 });
  });

  test(`F26: while bcrypt ${how}, every password answers 503 and none is accepted or stored`, async (service) => {
    const email = "guillaume@holberton.io";
    await service.register(email, "b4l0u");
    const [, asked] = await service.send("POST", "/reset_password", { email });
    const { reset_token } = asked as { reset_token: string };
    const before = await service.rows("SELECT * FROM users WHERE email_key = $1", email);
    const app = createApp(withBcrypt(service.auth, broken));
    const requests: [string, string, Record<string, string>][] = [
      ["POST", "/sessions", { email, password: "b4l0u" }],
      ["POST", "/sessions", { email, password: "wrong" }],
      ["POST", "/sessions", { email: "unknown@x.test", password: "b4l0u" }],
      ["POST", "/users", { email: "b@x.test", password: "b4l0u" }],
      ["PUT", "/reset_password", { email, reset_token, new_password: "t4rt1fl3tt3" }],
    ];
    for (const [method, path, form] of requests) {
      const response = await app.request(path, { method, body: new URLSearchParams(form) });
      assert.equal(response.status, 503, `${method} ${path}`);
      assert.equal(response.headers.get("error-code"), "hashing_unavailable");
      assert.notEqual(response.headers.get("retry-after"), null);
      assert.deepEqual(response.headers.getSetCookie(), []);
      assert.deepEqual(await response.json(), { message: "passwords cannot be checked now, try again" });
    }
    const alarms = service.logged.filter((entry) => entry.alarm === "hashing_unavailable");
    assert.equal(alarms.length, 1, "one alarm for all of them");
    assert.equal(
      service.logged.filter((entry) => entry.error_code === "hashing_unavailable").length,
      requests.length,
    );
    assert.deepEqual(await service.rows("SELECT * FROM users WHERE email_key = $1", email), before);
    assert.deepEqual(await service.rows("SELECT id FROM users WHERE email_key = $1", "b@x.test"), []);
    const reset = { email, reset_token, new_password: "t4rt1fl3tt3" };
    assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200, "the token stayed good");
  });
}

test("F26: a right password is accepted even when its old hash cannot be renewed", async (service) => {
  const email = "guillaume@holberton.io";
  await service.register(email, "b4l0u");
  let calls = 0;
  const dearer = { ...service.auth, config: { ...service.auth.config, bcryptCost: 5 } };
  const app = createApp(withBcrypt(dearer, (password, salt) => {
    return ++calls === 1 ? bcrypt.hash(password, salt) : Promise.reject(new Error("the thread died"));
  }));
  const body = new URLSearchParams({ email, password: "b4l0u" });
  assert.equal((await app.request("/sessions", { method: "POST", body })).status, 200);
  assert.equal(calls, 2);
});
