/**
 * How long a request waits for a connection, with a clock that the test moves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Slots } from "../../db/engines/slots.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";

const LIMITS = { most: 3, silent: 2_000, longest: 5_000 };

/** Runs the work with places that are all taken, and with a clock that only the test changes. */
async function withFull(work: (slots: Slots, clock: { now: number }) => Promise<void>): Promise<void> {
  const real = performance.now;
  const clock = { now: 0 };
  performance.now = () => clock.now;
  const slots = new Slots(2, LIMITS);
  try {
    assert.deepEqual([slots.take(), slots.take()], [undefined, undefined]);
    await work(slots, clock);
  } finally {
    // Lets nobody wait, so that no timer is left.
    for (let count = 0; count < LIMITS.most; count++) slots.give();
    performance.now = real;
  }
}

/** What became of a request so far. */
async function stateOf(request: Promise<void> | undefined): Promise<string> {
  const pending = Symbol();
  return await Promise.race([request, Promise.resolve(pending)]).then(
    (value) => value === pending ? "waits" : "goes",
    (error) => (error as Error).name,
  );
}

Deno.test("D1: while the server answers others, a request waits five seconds for a connection, and no longer", async () => {
  await withFull(async (slots, clock) => {
    const request = slots.take();
    for (; clock.now < 4_999; clock.now += 833) {
      slots.refuseLate();
      assert.equal(await stateOf(request), "waits", `after ${clock.now} ms`);
      slots.noteAnswer();
    }
    clock.now = 4_999;
    slots.refuseLate();
    assert.equal(await stateOf(request), "waits");
    clock.now = 5_000;
    slots.refuseLate();
    assert.equal(await stateOf(request), "DatabaseUnavailable");
  });
});

Deno.test("F09: when the server answers nobody, a request waits two seconds for a connection", async () => {
  await withFull(async (slots, clock) => {
    slots.noteAnswer();
    clock.now = 1_000;
    const request = slots.take();
    clock.now = 2_999;
    slots.refuseLate();
    assert.equal(await stateOf(request), "waits");
    assert.equal(slots.isAlive, false);
    clock.now = 3_000;
    slots.refuseLate();
    assert.equal(await stateOf(request), "DatabaseUnavailable");
  });
});

Deno.test("connections are given in the order of the requests, and a crowd is refused at once", async () => {
  await withFull(async (slots) => {
    const requests = [slots.take(), slots.take(), slots.take()];
    assert.throws(() => slots.take(), DatabaseUnavailable);
    slots.give();
    assert.deepEqual(await Promise.all(requests.map(stateOf)), ["goes", "waits", "waits"]);
    slots.give();
    slots.give();
    assert.deepEqual(await Promise.all(requests.map(stateOf)), ["goes", "goes", "goes"]);
  });
});
