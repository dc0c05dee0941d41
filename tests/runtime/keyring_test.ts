/**
 * The keys of a new database, that it has no users, and what happens when a key is added.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type DeviceOwner, isKnownDevice } from "../../auth/limits/known_devices.ts";
import { makeKeys } from "../../auth/runtime/keyring.ts";
import { randomToken } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { addKey, type KeyRow, listKeys } from "../../db/keys.ts";
import { migrate } from "../../db/migrations.ts";
import { ANNA, logIn, mailTo, NEW_PASSWORD, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

async function keysOf(db: DB): Promise<KeyRow[]> {
  return [...await listKeys(db, "device"), ...await listKeys(db, "code")].map((row) => ({ ...row }));
}

/** Names and passwords of default accounts that programs have shipped. */
const DEFAULTS = ["admin", "root", "test", "guest", "user", "password", "bienvenue"];

test("S12: a new database has no users and no default account", async (service: Service) => {
  assert.equal((await service.rows<{ count: number }>("select count(*) as count from users"))[0].count, 0);
  for (const name of DEFAULTS) {
    for (const email of [name, `${name}@localhost`, `${name}@example.com`]) {
      assert.equal((await service.send("POST", "/sessions", { email, password: name }))[0], 401);
    }
  }
});

test("S12: a new database has a random key for each purpose", async ({ auth }) => {
  const keys = await keysOf(auth.db);
  assert.deepEqual(keys.map((key) => [key.id, key.purpose]), [["device-1", "device"], ["code-1", "code"]]);
  for (const { secret } of keys) assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual(keys[0].secret, keys[1].secret);
});

test("S12: instances share the keys, also after a restart", async (service) => {
  const before = await keysOf(service.auth.db);
  const other = await service.another();
  await makeKeys(other.auth.db, service.clock.now + 1);
  assert.deepEqual(await keysOf(other.auth.db), before);
  assert.deepEqual(await keysOf(service.auth.db), before);
});

test("F30: after a rotation the new key is the newest of its purpose, and the old key stays", async ({ auth, clock }) => {
  const [old] = await listKeys(auth.db, "device");
  const fresh: KeyRow = { id: "device-2", purpose: "device", secret: "x".repeat(43), created_at: clock.now + 1 };
  await addKey(auth.db, fresh);
  await makeKeys(auth.db, clock.now + 2);
  assert.deepEqual((await listKeys(auth.db, "device")).map((key) => ({ ...key })), [fresh, { ...old }]);
});

test(
  "F30: after a rotation the old key still verifies, and new values are signed by the new key only",
  async (service) => {
    await signUp(service);
    const { device } = await logIn(service);
    for (const purpose of ["device", "code"] as const) {
      const created_at = service.clock.now + 1;
      await addKey(service.auth.db, { id: `${purpose}-2`, purpose, secret: randomToken(), created_at });
    }
    // It still has the old keys.
    await service.send("POST", "/reset_password", { email: ANNA });
    const { code } = await mailTo(service, ANNA);
    const rotated = await service.another();
    const login = { form: { email: ANNA, password: PASSWORD }, device };
    await logIn(rotated, ANNA, PASSWORD, login);
    assert.deepEqual(await rotated.mails(), [], "the device is known by the old key");
    const form = { email: ANNA, code, new_password: NEW_PASSWORD };
    assert.equal((await rotated.send("PUT", "/reset_password", form))[0], 200);
    const renewed = await logIn(rotated, ANNA, NEW_PASSWORD);
    await rotated.send("POST", "/reset_password", { email: ANNA });
    const made = await mailTo(rotated, ANNA);

    await rotated.rows("DELETE FROM keys WHERE id IN ('device-1', 'code-1')");
    const later = await rotated.another();
    const [user] = await later.rows<DeviceOwner>("SELECT id, device_mark FROM users");
    assert.equal(await isKnownDevice(later.auth, user, device), false);
    assert.equal(await isKnownDevice(later.auth, user, renewed.device), true);
    const again = { email: ANNA, code: made.code, new_password: "staple horse battery" };
    assert.equal((await later.send("PUT", "/reset_password", again))[0], 200);
  },
  PUBLIC_SETTINGS,
);

Deno.test("S12: two new databases have different keys", async () => {
  const secrets = new Set<string>();
  for (let fresh = 0; fresh < 2; fresh++) {
    const db = await DB.open("sqlite::memory:", { folder: "/tmp" });
    await migrate(db, 1);
    await makeKeys(db, 1);
    for (const key of await keysOf(db)) secrets.add(key.secret);
    await db.close();
  }
  assert.equal(secrets.size, 4);
});
