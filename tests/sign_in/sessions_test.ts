/**
 * Sessions from login to their end: ids, limits, races.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { endAccess } from "../../auth/sign_in/end_access.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import { touchSession } from "../../db/sessions.ts";
import { createApp } from "../../routes/app.ts";
import { type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", PASSWORD = "b4l0u";
const SECOND = 1_000, HOUR = 3_600 * SECOND, DAY = 24 * HOUR;

async function profileStatus(service: Service, session: string): Promise<number> {
  return (await service.send("GET", "/profile", undefined, session))[0];
}

async function sessionCount(service: Service): Promise<number> {
  const [row] = await service.rows<{ count: number }>(
    "SELECT count(*) AS count FROM sessions WHERE user_id = (SELECT id FROM users WHERE email_key = $1)",
    EMAIL,
  );
  return row.count;
}

test("S37: a session id is 256 random bits and contains nothing about its user", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const ids = new Set<string>();
  for (let login = 0; login < 50; login++) ids.add(await service.logIn(EMAIL, PASSWORD));
  assert.equal(ids.size, 50);
  // Each bit is random: that one is the same 50 times happens once in 10^12 runs.
  const ones = new Array<number>(256).fill(0);
  for (const id of ids) {
    assert.match(id, /^[A-Za-z0-9_-]{43}$/);
    const bytes = Uint8Array.fromBase64(id, { alphabet: "base64url" });
    assert.equal(bytes.length, 32);
    assert.equal(new TextDecoder("latin1").decode(bytes).includes("guillaume"), false);
    for (let bit = 0; bit < 256; bit++) ones[bit] += (bytes[bit >> 3] >> (bit & 7)) & 1;
  }
  for (const [bit, count] of ones.entries()) assert.ok(count > 0 && count < 50, `bit ${bit}: ${count} ones`);
});

test("S38: the database holds no session id, and no stored value works as one", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const [row] = await service.rows<Record<string, string>>(
    "SELECT * FROM sessions WHERE secret_hash = $1",
    createHash("sha256").update(session).digest("base64url"),
  );
  assert.equal(JSON.stringify(row).includes(session), false);
  for (const value of [row.secret_hash, row.id, row.user_id]) {
    assert.equal(await profileStatus(service, value), 403);
    assert.equal((await service.send("DELETE", "/sessions", undefined, value))[0], 403);
  }
  assert.equal(await profileStatus(service, session), 200);
});

test("S39: each login makes a new id, ends that browser's old session, and never takes an id from the client", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const planted = "A".repeat(43);
  const logIn = async (session: string) => {
    return sessionOf(
      await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD }, session }),
    )!;
  };
  const first = await logIn(planted);
  assert.notEqual(first, planted);
  assert.equal(await profileStatus(service, planted), 403);
  const second = await logIn(first);
  assert.notEqual(second, first);
  assert.deepEqual([await profileStatus(service, first), await profileStatus(service, second)], [403, 200]);
});

test("S39: a failed login does not end the session of that browser", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  assert.equal((await service.send("POST", "/sessions", { email: EMAIL, password: "wrong" }, session))[0], 401);
  assert.equal(await profileStatus(service, session), 200);
});

test("S40: a logout ends the session at once on every instance, and a second logout answers 403", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  assert.equal(await profileStatus(other, session), 200);
  assert.equal((await service.send("DELETE", "/sessions", undefined, session))[0], 302);
  assert.deepEqual([await profileStatus(service, session), await profileStatus(other, session)], [403, 403]);
  for (const one of [service, other]) {
    assert.equal((await one.send("DELETE", "/sessions", undefined, session))[0], 403);
  }
});

test("S41: an unused session ends after 7 days, and each use extends it", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [unused, used] = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  service.clock.now += 7 * DAY - SECOND;
  assert.equal(await profileStatus(service, used), 200);
  service.clock.now += SECOND;
  assert.deepEqual([await profileStatus(service, unused), await profileStatus(service, used)], [403, 200]);
  assert.equal((await service.send("DELETE", "/sessions", undefined, unused))[0], 403);
  service.clock.now += 7 * DAY - SECOND;
  assert.equal(await profileStatus(service, used), 403, "the use one second after the last was too soon to be noted");
});

test("S41: a session ends after 30 days, even when it is used", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const start = service.clock.now;
  for (let day = 1; day < 30; day++) {
    service.clock.now = start + day * DAY;
    assert.equal(await profileStatus(service, session), 200, `day ${day}`);
  }
  service.clock.now = start + 30 * DAY - SECOND;
  assert.equal(await profileStatus(service, session), 200);
  service.clock.now = start + 30 * DAY;
  assert.equal(await profileStatus(service, session), 403);
});

test("S41: SESSION_IDLE and SESSION_MAX set both limits, also to short times", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const start = service.clock.now;
  for (const after of [50, 100, 119]) {
    service.clock.now = start + after * SECOND;
    assert.equal(await profileStatus(service, session), 200, `${after} s`);
  }
  service.clock.now = start + 120 * SECOND;
  assert.equal(await profileStatus(service, session), 403);
}, { SESSION_IDLE: "60s", SESSION_MAX: "2m" });

test("the last use is written at most every five minutes, so most session checks are reads", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const start = service.clock.now;
  const lastSeen = async () => {
    const hash = createHash("sha256").update(session).digest("base64url");
    const sql = "SELECT last_seen_at FROM sessions WHERE secret_hash = $1";
    return (await service.rows<{ last_seen_at: number }>(sql, hash))[0].last_seen_at - start;
  };
  service.clock.now = start + 299 * SECOND;
  await profileStatus(service, session);
  assert.equal(await lastSeen(), 0);
  service.clock.now = start + 300 * SECOND;
  await profileStatus(service, session);
  assert.equal(await lastSeen(), 300 * SECOND);
});

test("a late write of an earlier use does not shorten the session", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const hash = createHash("sha256").update(session).digest("base64url");
  const start = service.clock.now;
  service.clock.now = start + 6 * DAY;
  assert.equal(await profileStatus(service, session), 200);
  await touchSession(service.auth.db, hash, start + HOUR, start + HOUR + 7 * DAY);
  service.clock.now = start + 12 * DAY;
  assert.equal(await profileStatus(service, session), 200);
});

test("S47: a user has at most 100 sessions: the oldest end first", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register("other@x.test", PASSWORD);
  const others = await service.logIn("other@x.test", PASSWORD);
  const ids: string[] = [];
  for (let login = 0; login < 130; login++) {
    service.clock.now += SECOND;
    ids.push((await createSession(service.auth, EMAIL))!);
  }
  assert.equal(await sessionCount(service), 100);
  const statuses = await Promise.all(ids.map((id) => profileStatus(service, id)));
  assert.deepEqual(statuses, ids.map((_, index) => index < 30 ? 403 : 200));
  assert.equal(await profileStatus(service, others), 200);
});

test("S47: many concurrent logins on two instances leave at most 100 sessions", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const instances = [service, await service.another()];
  // Eight at once race as 160 do. Each waits for the others' locks, and 160 would do so as long as the machine is busy.
  const logins = Array(160).keys();
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    for (const _login of logins) await createSession(instances[index % 2].auth, EMAIL);
  }));
  assert.equal(await sessionCount(service), 100);
});

test("V70: two devices can be logged in at once, and a logout ends one of them", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [phone, laptop] = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  assert.deepEqual([await profileStatus(service, phone), await profileStatus(service, laptop)], [200, 200]);
  await service.send("DELETE", "/sessions", undefined, phone);
  assert.deepEqual([await profileStatus(service, phone), await profileStatus(service, laptop)], [403, 200]);
});

test("V69: an empty or null-like session id is no session", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.logIn(EMAIL, PASSWORD);
  for (const session of ["", "None", "null", "undefined", "0", "%00", "' OR 1=1 --", "A".repeat(43), "A".repeat(44)]) {
    assert.equal(await profileStatus(service, session), 403, session);
    assert.equal((await service.send("DELETE", "/sessions", undefined, session))[0], 403, session);
  }
});

test("all sessions of a user end except the one that is kept, and other users' sessions stay", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register("other@x.test", PASSWORD);
  const ids = [];
  for (let login = 0; login < 3; login++) ids.push(await service.logIn(EMAIL, PASSWORD));
  const others = await service.logIn("other@x.test", PASSWORD);
  const [user] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", EMAIL);
  assert.equal(await endAccess(service.auth, service.auth.db, user.id, { session: ids[1], tokens: "all" }), 2);
  assert.deepEqual(await Promise.all([...ids, others].map((id) => profileStatus(service, id))), [403, 200, 403, 200]);
  assert.equal(await endAccess(service.auth, service.auth.db, user.id, { tokens: "all" }), 1);
  assert.equal(await profileStatus(service, ids[1]), 403);
});

test("S42: the cookie of a new session lasts the whole SESSION_MAX, while the clock goes on", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const app = createApp({ ...service.auth, clock: () => service.clock.now++ });
  const login = await service.requestTo(app, "POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } });
  const form = { current_password: PASSWORD, new_password: "t4rt1fl3tt3" };
  const changed = await service.requestTo(app, "PUT", "/password", { session: sessionOf(login), form });
  for (const response of [login, changed]) {
    assert.match(response.headers.getSetCookie()[0], /^session_id=[\w-]{43}; Max-Age=2592000; /);
  }
});
