/**
 * The two implementations of bcrypt: addon and WebAssembly make the same hashes, and no fault of either counts as a
 * right password.
 *
 * @module
 */
import assert from "node:assert/strict";
import nativeBcrypt from "bcrypt";
import fc from "fast-check";
import { hashPassword, verifyPassword } from "../../auth/credentials/passwords.ts";
import { Bcrypt } from "../../auth/runtime/bcrypt.ts";
import { HashQueue } from "../../auth/runtime/hash_queue.ts";
import { wasmBcrypt } from "../../auth/runtime/wasm_bcrypt.ts";
import { WasmBcryptPool } from "../../auth/runtime/wasm_bcrypt_pool.ts";
import { test } from "../kit/service.ts";

const SALT = "$2b$04$BienvenueBienvenueBieu";
const noAddon = () => Promise.reject(new Error("no addon on this platform"));

/** A worker that reports that it is ready, then handles its jobs by this code. */
function bad(onJob: string, ready = "postMessage({ ready: true });"): Worker {
  const code = `self.onmessage = () => { ${onJob} }; ${ready}`;
  return new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
}

function sound(): Worker {
  return new Worker(new URL("../../auth/runtime/wasm_bcrypt_worker.ts", import.meta.url), { type: "module" });
}

/** A pool whose first workers are these; all later ones work. */
function poolOf(first: (() => Worker)[], most = 1, patience?: () => number): WasmBcryptPool & Disposable {
  const makers = [...first];
  const pool = new WasmBcryptPool({ most, patience, spawn: () => (makers.shift() ?? sound)() });
  return Object.assign(pool, { [Symbol.dispose]: () => pool.close() });
}

Deno.test("the native addon and WebAssembly make the same hashes, for passwords of 1 to 72 bytes and all salts", async () => {
  const letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  const password = fc.string({ unit: "grapheme", minLength: 1, maxLength: 72 }).filter((text) =>
    !text.includes("\0") && bytes(text) <= 72
  );
  const salt = fc.string({ unit: fc.constantFrom(...letters), minLength: 22, maxLength: 22 });
  await fc.assert(
    fc.asyncProperty(password, salt, fc.integer({ min: 4, max: 6 }), async (password, salt, cost) => {
      const prefix = `$2b$0${cost}$${salt}`;
      assert.equal(await wasmBcrypt(password, prefix), await nativeBcrypt.hash(password, prefix));
    }),
    { numRuns: 150 },
  );
  for (const password of ["a".repeat(72), "é".repeat(36), "\xff", "😀".repeat(18), " "]) {
    assert.equal(await wasmBcrypt(password, SALT), await nativeBcrypt.hash(password, SALT));
  }
});

Deno.test("V61: bcrypt in WebAssembly throws for more than 72 bytes and for an invalid salt", async () => {
  for (const password of ["a".repeat(73), "é".repeat(37), ""]) {
    await assert.rejects(wasmBcrypt(password, SALT), JSON.stringify(password));
  }
  for (const salt of ["", "$2x$04$BienvenueBienvenueBieu", "$2b$04$short", "$2b$99$BienvenueBienvenueBieu"]) {
    await assert.rejects(wasmBcrypt("b4l0u", salt), salt);
  }
});

Deno.test("without the native addon a pool of workers hashes, with at most the allowed number of workers", async () => {
  using pool = poolOf([], 2);
  const bcrypt = new Bcrypt(noAddon, pool);
  assert.equal(await bcrypt.kind(), "workers");
  const passwords = Array.from({ length: 9 }, (_, index) => `b4l0u${index}`);
  const hashes = await Promise.all(passwords.map((password) => bcrypt.hash(password, SALT)));
  assert.deepEqual(hashes, await Promise.all(passwords.map((password) => nativeBcrypt.hash(password, SALT))));
  assert.equal(pool.size, 2);
});

Deno.test("when no worker can be started, hashes are made on the main thread", async () => {
  const impossible = [
    () => {
      throw new TypeError("Worker is not a constructor");
    },
    () => bad("", "throw new Error('no module');"),
    () => bad("", "postMessage({ error: 'no WebAssembly' });"),
  ];
  for (const spawn of impossible) {
    using pool = poolOf([spawn]);
    const bcrypt = new Bcrypt(noAddon, pool);
    assert.equal(await bcrypt.kind(), "in place");
    assert.equal(await bcrypt.hash("b4l0u", SALT), await nativeBcrypt.hash("b4l0u", SALT));
    assert.equal(pool.size, 0);
  }
});

Deno.test("the native addon is loaded once, at the first hash", async () => {
  let loads = 0;
  const bcrypt = new Bcrypt(() => Promise.resolve().then(() => (loads++, nativeBcrypt.hash)));
  assert.equal(loads, 0);
  await Promise.all([bcrypt.hash("a", SALT), bcrypt.hash("b", SALT), bcrypt.kind()]);
  assert.equal(loads, 1);
  assert.equal(await bcrypt.kind(), "native");
});

const faults: Record<string, string> = {
  "crashes": "throw new Error('out of memory');",
  "hangs": "for (;;);",
  "ends without an answer": "self.close();",
  "answers nothing": "postMessage({});",
  "answers something else": "postMessage({ hash: '*0' });",
  "answers an error": "postMessage({ error: 'RangeError' });",
  "answers true": "postMessage({ hash: true });",
};

for (const [fault, code] of Object.entries(faults)) {
  Deno.test(`F26: a worker that ${fault} fails its job with an error and is replaced`, async () => {
    // Long enough for a working worker to start on a busy machine. Only a worker that hangs waits this long.
    using pool = poolOf([() => bad(code)], 1, () => 3_000);
    assert.equal(await pool.start(), true);
    const [first, second] = await Promise.allSettled([pool.hash("b4l0u", SALT), pool.hash("b4l0u", SALT)]);
    assert.equal(first.status, "rejected");
    assert.deepEqual(second, { status: "fulfilled", value: await nativeBcrypt.hash("b4l0u", SALT) });
    assert.equal(pool.size, 1);
  });
}

test("F26: a login whose hash fails is neither accepted nor called wrong, and the next login works", async (service) => {
  await service.register("guillaume@holberton.io", "b4l0u");
  using pool = poolOf([() => bad(faults.crashes)]);
  const broken = new Bcrypt(noAddon, pool);
  Object.assign(service.auth, { hashQueue: new HashQueue({ bcrypt: broken.hash }) });
  const form = { email: "guillaume@holberton.io", password: "b4l0u" };
  const failed = await service.request("POST", "/sessions", { form });
  assert.deepEqual([failed.status, failed.headers.getSetCookie()], [503, []]);
  assert.equal((await service.request("POST", "/sessions", { form })).status, 200);
  assert.equal((await service.request("POST", "/sessions", { form: { ...form, password: "b4l0v" } })).status, 401);
});

test("a password hashed by one implementation is accepted by the other, also long passwords", async ({ auth }) => {
  using pool = poolOf([]);
  const wasm = { ...auth, hashQueue: new HashQueue({ bcrypt: new Bcrypt(noAddon, pool).hash }) };
  for (const password of ["b4l0u", "a".repeat(72), "a".repeat(73), "😀".repeat(64)]) {
    for (const [maker, checker] of [[auth, wasm], [wasm, auth]]) {
      const hashed = await hashPassword(maker, password);
      assert.equal((await verifyPassword(checker, password, hashed)).valid, true);
      assert.equal((await verifyPassword(checker, password.slice(0, -2) + "xy", hashed)).valid, false);
    }
  }
});
