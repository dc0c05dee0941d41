/**
 * The work of a refused login: the same for everybody, so that response times do not show who has an account.
 *
 * @module
 */
import assert from "node:assert/strict";
import bcrypt from "bcrypt";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { disableUser } from "../../auth/admin/users.ts";
import { hashPassword } from "../../auth/credentials/passwords.ts";
import { checkPassword } from "../../auth/sign_in/by_password.ts";
import { validLogin } from "../../auth/sign_in/exercise.ts";
import { updateUser } from "../../db/users.ts";
import { createApp } from "../../routes/app.ts";
import { recordHashes, withBcrypt } from "../kit/hash_recorder.ts";
import { type Service, test } from "../kit/service.ts";

/** Addresses that are known, unknown, without a password, with an unreadable hash, and malformed. */
async function somebody(service: Service): Promise<Record<string, string>> {
  const all = {
    known: "known@x.test",
    unknown: "unknown@x.test",
    passwordless: "none@x.test",
    unreadable: "odd@x.test",
    malformed: "@",
    spaced: " known@x.test",
    twoSigns: "a@evil.test\uff20x.test",
    tooLong: "a".repeat(300) + "@x.test",
  };
  for (const email of [all.known, all.passwordless, all.unreadable]) await service.register(email, "b4l0u");
  await change(service, all.passwordless, null);
  await change(service, all.unreadable, "$2x$05$6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS");
  return all;
}

async function change(service: Service, email: string, hashed_password: string | null): Promise<void> {
  const [row] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", email);
  await updateUser(service.auth.db, row.id, { hashed_password });
}

test("S17: a refused login costs one hash of the set cost, with or without an account", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  const app = createApp(auth);
  for (const [who, email] of Object.entries(await somebody(service))) {
    for (const password of ["wrong", "wrong".repeat(20)]) {
      costs.length = 0;
      const body = new URLSearchParams({ email, password });
      const response = await app.request("/sessions", { method: "POST", body });
      assert.equal(response.status, 401, who);
      assert.deepEqual(await response.json(), { message: "wrong e-mail address or password" }, who);
      assert.deepEqual(costs, [5], `${who}, password of ${password.length}`);
    }
  }
}, { BCRYPT_COST: "5" });

test("S17: a refused login waits in the same hash queue, with or without an account", async (service) => {
  const people = Object.values(await somebody(service));
  const { done } = service.auth.hashQueue.counts;
  await Promise.all(people.map((email) => service.send("POST", "/sessions", { email, password: "wrong" })));
  assert.deepEqual(service.auth.hashQueue.counts, { running: 0, waiting: 0, done: done + people.length });
});

test("S17: checking a hash of an old cost takes the full number of rounds, in one queue turn", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  await service.register("old@x.test", "b4l0u");
  for (const cost of [4, 5, 6, 7]) {
    const old = { ...service.auth, config: { ...service.auth.config, bcryptCost: cost } };
    await change(service, "old@x.test", await hashPassword(old, "b4l0u"));
    costs.length = 0;
    assert.equal(await validLogin(auth, "old@x.test", "wrong"), false);
    assert.equal(costs.reduce((rounds, one) => rounds + 2 ** one, 0), 2 ** 7, `imported at ${cost}: ${costs}`);
  }
}, { BCRYPT_COST: "7" });

test("S17: a right password of a disabled account also takes the full number of rounds", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  await service.register("kept-out@x.test", "b4l0u");
  const old = { ...service.auth, config: { ...service.auth.config, bcryptCost: 4 } };
  await change(service, "kept-out@x.test", await hashPassword(old, "b4l0u"));
  const row = await findUser(auth, "kept-out@x.test");
  await disableUser(auth, OPERATOR, row);
  costs.length = 0;
  assert.equal(await validLogin(auth, row.email, "b4l0u"), false);
  assert.equal(costs.reduce((rounds, one) => rounds + 2 ** one, 0), 2 ** 6, String(costs));
}, { BCRYPT_COST: "6" });

test("S17: when the queue fills during a check, a login with an old hash is refused as usual", async (service) => {
  await service.register("old@x.test", "b4l0u");
  const old = { ...service.auth, config: { ...service.auth.config, bcryptCost: 4 } };
  await change(service, "old@x.test", await hashPassword(old, "b4l0u"));
  const ends: (() => void)[] = [];
  const auth = withBcrypt(service.auth, async (password, salt) => {
    await new Promise<void>((end) => ends.push(end));
    return await bcrypt.hash(password, salt);
  });
  const login = validLogin(auth, "old@x.test", "wrong");
  // Both places are taken and the queue is filled while the first hash of the login runs.
  while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const others = Array.from({ length: 129 }, () => auth.hashQueue.hash("x", "$2b$04$BienvenueBienvenueBieu"));
  await assert.rejects(auth.hashQueue.hash("x", "$2b$04$BienvenueBienvenueBieu"), { code: "overloaded" });
  const pump = setInterval(() => ends.splice(0).forEach((end) => end()), 1);
  assert.equal(await login, false);
  await Promise.all(others);
  clearInterval(pump);
}, { BCRYPT_COST: "6" });

test("S17: a password that cannot be hashed costs no hash, with or without an account", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  for (const email of Object.values(await somebody(service))) {
    for (const password of ["", "a\0b", "\ud800", "x".repeat(257)]) {
      assert.equal(await validLogin(auth, email, password), false);
    }
  }
  assert.deepEqual(costs, []);
});

test("V60: only the password is hashed", async (service) => {
  const { auth, inputs } = recordHashes(service.auth);
  await service.register("known@x.test", "b4l0u");
  await checkPassword(auth, "known@x.test", "b4l0u");
  await checkPassword(auth, "unknown@x.test", "b4l0u");
  assert.deepEqual(inputs, ["b4l0u", "b4l0u"]);
});

test("a right password costs one hash, and a second one when an old hash is renewed", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  await service.register("known@x.test", "b4l0u");
  assert.equal(await validLogin(auth, "known@x.test", "b4l0u"), true);
  assert.deepEqual(costs, [5]);
  const old = { ...service.auth, config: { ...service.auth.config, bcryptCost: 4 } };
  await change(service, "known@x.test", await hashPassword(old, "b4l0u"));
  costs.length = 0;
  assert.equal(await validLogin(auth, "known@x.test", "b4l0u"), true);
  assert.deepEqual(costs, [4, 5]);
}, { BCRYPT_COST: "5" });

test("POST /users costs no hash for a taken or malformed address", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  const app = createApp(auth);
  await service.register("known@x.test", "b4l0u");
  for (const email of ["known@x.test", "KNOWN@X.test", "@"]) {
    const body = new URLSearchParams({ email, password: "b4l0u" });
    assert.equal((await app.request("/users", { method: "POST", body })).status, 400);
  }
  assert.deepEqual(costs, []);
});
