/**
 * The sweep deletes ended rows in small batches, and nothing else.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { sweep, sweepRegularly } from "../../auth/maintenance/sweep.ts";
import { hashToken, randomToken } from "../../auth/secrets.ts";
import type { DB } from "../../db/db.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import { addSession } from "../../db/sessions.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", DAY = 86_400_000;

/** A database that reports every change to the test, which may refuse it. */
function heard(db: DB, hear: (sql: string, changed: number) => void, refuse = () => false): DB {
  return new Proxy(db, {
    get: (_target, verb) => {
      if (verb === "relaxed") return heard(db.relaxed, hear, refuse);
      return async (sql: string, ...values: string[]) => {
        if (refuse()) throw new DatabaseUnavailable("refused by the test");
        const result = await (Reflect.get(db, verb) as (sql: string, ...values: string[]) => unknown).call(
          db,
          sql,
          ...values,
        );
        if (verb === "run") hear(sql, result as number);
        return result;
      };
    },
  });
}

/** Adds sessions of one user, all with this end. */
async function addSessions(service: Service, count: number, endsAt: number): Promise<void> {
  const [user] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", EMAIL);
  await service.auth.db.transaction(async (db) => {
    for (let index = 0; index < count; index++) {
      await addSession(db, {
        secret_hash: hashToken(randomToken()),
        id: `session-${endsAt}-${index}`,
        user_id: user.id,
        created_at: 1,
        last_seen_at: 1,
        expires_at: endsAt,
        ends_at: endsAt,
        methods: null,
        authenticated_at: null,
        ip: null,
        user_agent: null,
      });
    }
  });
}

async function endsLeft(service: Service): Promise<number[]> {
  const rows = await service.rows<{ expires_at: number }>(
    "SELECT expires_at FROM sessions WHERE expires_at > $1 ORDER BY expires_at",
    0,
  );
  return rows.map((row) => row.expires_at);
}

test("S47: the sweep deletes ended sessions and tokens and keeps valid ones", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await service.register("other@x.test", "b4l0u");
  await service.logIn(EMAIL, "b4l0u");
  await service.send("POST", "/reset_password", { email: EMAIL });
  service.clock.now += 7 * DAY;
  const live = await service.logIn(EMAIL, "b4l0u");
  const [, asked] = await service.send("POST", "/reset_password", { email: "other@x.test" });
  assert.equal(await sweep(service.auth), 2);
  assert.equal(await sweep(service.auth), 0);
  assert.equal((await service.send("GET", "/profile", undefined, live))[0], 200);
  const { reset_token } = asked as { reset_token: string };
  const reset = { email: "other@x.test", reset_token, new_password: "t4rt1fl3tt3" };
  assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
});

test("a row is deleted at its end time and not a millisecond earlier", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const now = service.clock.now;
  for (const endsAt of [now - 1, now, now + 1]) await addSessions(service, 1, endsAt);
  assert.equal(await sweep(service.auth), 2);
  assert.deepEqual(await endsLeft(service), [now + 1]);
});

test("S47: many rows are deleted in batches of at most 500, each by its own statement", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await addSessions(service, 1_150, service.clock.now - 1);
  await addSessions(service, 3, service.clock.now + DAY);
  const batches: number[] = [];
  const db = heard(service.auth.db, (sql, changed) => sql.includes("sessions") && batches.push(changed));
  assert.equal(await sweep({ ...service.auth, db }), 1_150);
  assert.deepEqual(batches, [500, 500, 150]);
  assert.equal((await endsLeft(service)).length, 3);
});

test("instances that sweep at once delete each row once", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "b4l0u");
  await addSessions(service, 700, service.clock.now - 1);
  const removed = await Promise.all([sweep(service.auth), sweep(other.auth)]);
  assert.equal(removed[0] + removed[1], 700);
  assert.deepEqual(await endsLeft(service), []);
});

/**
 * Runs the work with long timers fired at once, and returns how long each would have waited. Timers of pg are shorter
 * and keep their time.
 */
async function withShortTimers(work: (waits: number[]) => Promise<void>): Promise<void> {
  const real = globalThis.setTimeout;
  const waits: number[] = [];
  globalThis.setTimeout = ((action: () => void, wait = 0) => {
    if (wait <= 30_000) return real(action, wait);
    waits.push(wait);
    return real(action, 1);
  }) as typeof setTimeout;
  try {
    await work(waits);
  } finally {
    globalThis.setTimeout = real;
  }
}

test("the sweep runs about once a minute until it is stopped, also after a failure", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await addSessions(service, 1, service.clock.now - 1);
  let refusals = 2;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const db = heard(service.auth.db, (sql) => sql.includes("tokens") && resolve(), () => refusals-- > 0);
  const auth: Auth = { ...service.auth, db };
  await withShortTimers(async (waits) => {
    const stop = sweepRegularly(auth);
    await done;
    await stop();
    assert.deepEqual(await endsLeft(service), []);
    assert.ok(waits.length >= 3, "two that failed and one that did not");
    assert.ok(waits.every((wait) => wait < 90_000), waits.join(" "));
    const planned = waits.length;
    await addSessions(service, 1, service.clock.now - 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([waits.length, (await endsLeft(service)).length], [planned, 1], "stopped is stopped");
  });
  const warnings = service.logged.filter((entry) => entry.level === "warning");
  assert.equal(warnings.length, 2);
  assert.match(String(warnings[0].sweep), /DatabaseUnavailable/);
});
