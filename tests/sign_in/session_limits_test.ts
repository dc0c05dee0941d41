/**
 * The limit of sessions for a user, and how ended sessions are deleted.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type DeviceOwner, signDevice } from "../../auth/limits/known_devices.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import type { DB } from "../../db/db.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", OTHER = "eve@example.com", PASSWORD = "b4l0u";

async function profile(service: Service, session: string): Promise<number> {
  return (await service.send("GET", "/profile", undefined, session))[0];
}

async function count(service: Service, table: string): Promise<number> {
  const [row] = await service.rows<{ count: number }>(`SELECT count(*) AS count FROM ${table}`);
  return row.count;
}

test("V70: a second login leaves the first session, and each logs out alone", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [phone, laptop] = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  assert.notEqual(phone, laptop);
  for (const session of [phone, laptop]) assert.equal(await profile(service, session), 200);
  assert.equal((await service.send("DELETE", "/sessions", undefined, phone))[0], 302);
  assert.deepEqual([await profile(service, phone), await profile(service, laptop)], [403, 200]);
});

test("S47: a user has at most 100 sessions: a new one ends that user's oldest", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register(OTHER, PASSWORD);
  const others = await service.logIn(OTHER, PASSWORD);
  const sessions: string[] = [];
  for (let index = 0; index < 103; index++) {
    service.clock.now += 1;
    sessions.push((await createSession(service.auth, EMAIL))!);
  }
  service.clock.now += 1;
  sessions.push(await service.logIn(EMAIL, PASSWORD));
  assert.equal(await count(service, "sessions"), 101);
  for (const session of sessions.slice(0, 4)) assert.equal(await profile(service, session), 403);
  for (const session of [sessions[4], sessions[103], others]) assert.equal(await profile(service, session), 200);
});

test("S47: the limit of 100 sessions also holds for concurrent logins on two instances", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (let index = 0; index < 90; index++) await createSession(service.auth, EMAIL);
  const instances = [service, await service.another()];
  service.clock.now += 1;
  instances[1].clock.now += 1;
  await Promise.all(Array.from({ length: 30 }, (_, index) => createSession(instances[index % 2].auth, EMAIL)));
  assert.equal(await count(service, "sessions"), 100);
});

test("B10: a login names every session that it writes by its key, and ends one only when there are too many", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const writes: string[] = [];
  const see = (sql: string) => {
    if (/^(?:DELETE FROM|UPDATE) (?:sessions|pending_logins)/.test(sql)) writes.push(sql);
  };
  for (let index = 0; index < 100; index++) await createSession(service.auth, EMAIL);
  service.clock.now += 1;
  const stop = service.watch(see);
  await service.logIn(EMAIL, PASSWORD);
  assert.deepEqual(writes.splice(0), ["DELETE FROM sessions WHERE secret_hash = $1 AND user_id = $2"]);
  await service.rows("DELETE FROM sessions WHERE created_at < $1", service.clock.now);
  writes.length = 0;
  await service.logIn(EMAIL, PASSWORD);
  assert.deepEqual(writes, []);
  stop();
  assert.equal(await count(service, "sessions"), 2);
});

/** A DB that records how many rows each statement changed. */
function watched(db: DB, changes: number[]): DB {
  return new Proxy(db, {
    get: (target, name) => {
      if (name === "relaxed") return watched(target.relaxed, changes);
      if (name !== "run") return Reflect.get(target, name).bind(target);
      return async (...given: Parameters<DB["run"]>) => {
        const changed = await target.run(...given);
        changes.push(changed);
        return changed;
      };
    },
  });
}

test("S47: the sweep deletes ended sessions and tokens in batches of at most 500 and keeps valid ones", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
    number,
    Record<string, string>,
  ];
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users");
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1201)";
  const now = service.clock.now;
  await service.rows(
    `INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, expires_at, ends_at)
     ${numbers} SELECT 'old' || i, 'old' || i, '${id}', 0, 0, ${now} - i + 1, ${now} FROM n`,
  );
  await service.rows(
    `INSERT INTO tokens (purpose, subject, secret_hash, user_id, created_at, expires_at)
     ${numbers} SELECT 'reset', 'old' || i, 'old' || i, '${id}', 0, ${now} - i + 1 FROM n WHERE i <= 500`,
  );
  const changes: number[] = [];
  assert.equal(await sweep({ ...service.auth, db: watched(service.auth.db, changes) }), 1701);
  // Sessions, no pending login, tokens, and nothing of counters, guesses and events.
  assert.deepEqual(changes, [500, 500, 201, 0, 500, 0, 0, 0, 0, 0]);
  assert.deepEqual([await count(service, "sessions"), await count(service, "tokens")], [1, 1]);
  assert.equal(await profile(service, session), 200);
  const form = { email: EMAIL, reset_token, new_password: "n3w" };
  assert.equal((await service.send("PUT", "/reset_password", form))[0], 200);
  assert.equal(await sweep(service.auth), 0);
});

test("S47: two instances that sweep at once delete each ended row only once", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [user] = await service.rows<DeviceOwner>("SELECT id, device_mark FROM users");
  // From a known device, so that no login leaves a token of its mail.
  const device = await signDevice(service.auth, user, undefined);
  for (let index = 0; index < 20; index++) await createSession(service.auth, EMAIL, { device });
  const other = await service.another();
  for (const instance of [service, other]) instance.clock.now += service.auth.config.sessionIdle;
  const removed = await Promise.all([sweep(service.auth), sweep(other.auth)]);
  assert.equal(removed[0] + removed[1], 20);
  assert.equal(await count(service, "sessions"), 0);
});
