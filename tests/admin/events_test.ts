/**
 * The events table: one row for every change, in the transaction of the change, without secrets, kept for the
 * configured time, and not filled by floods.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../../auth/maintenance/sweep.ts";
import {
  ANNA,
  countOf,
  DAY,
  dump,
  eventTypes,
  HOUR,
  logIn,
  mailTo,
  NEW_PASSWORD,
  NOBODY,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

/** A change of an account's state and the events that it writes. */
interface Change {
  /** Prepares the state and returns the request. */
  prepare(service: Service): Promise<[method: string, path: string, options: RequestOptions]>;
  /** The event types, in any order. */
  events: string[];
}

/** Anna's session. */
async function anna(service: Service): Promise<string> {
  await signUp(service);
  const { session } = await logIn(service);
  await service.mails();
  return session;
}

const CHANGES: Record<string, Change> = {
  "POST /users": {
    prepare: () => Promise.resolve(["POST", "/users", { form: { email: ANNA, password: PASSWORD } }]),
    events: ["registration_requested"],
  },
  "POST /verify_email": {
    prepare: () => Promise.resolve(["POST", "/verify_email", { form: { email: ANNA } }]),
    events: ["verification_requested"],
  },
  "PUT /verify_email": {
    prepare: async (service) => {
      await service.register(ANNA, PASSWORD);
      return ["PUT", "/verify_email", { form: { verification_token: (await mailTo(service, ANNA)).token } }];
    },
    events: ["registered", "email_verified"],
  },
  "POST /sessions": {
    prepare: async (service) => {
      await signUp(service);
      return ["POST", "/sessions", { form: { email: ANNA, password: PASSWORD } }];
    },
    events: ["logged_in"],
  },
  "DELETE /sessions": {
    prepare: async (service) => ["DELETE", "/sessions", { session: await anna(service) }],
    events: ["logged_out"],
  },
  "DELETE /sessions/:id": {
    prepare: async (service) => {
      const session = await anna(service);
      const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM sessions");
      return ["DELETE", `/sessions/${id}`, { session }];
    },
    events: ["session_ended"],
  },
  "DELETE /sessions/others": {
    prepare: async (service) => {
      const session = await anna(service);
      await logIn(service);
      return ["DELETE", "/sessions/others", { session }];
    },
    events: ["sessions_ended"],
  },
  "PATCH /account": {
    prepare: async (service) => ["PATCH", "/account", { form: { name: "Anna" }, session: await anna(service) }],
    events: ["account_updated"],
  },
  "PUT /password": {
    prepare: async (service) => [
      "PUT",
      "/password",
      { form: { current_password: PASSWORD, new_password: NEW_PASSWORD }, session: await anna(service) },
    ],
    events: ["password_changed"],
  },
  "POST /reset_password": {
    prepare: async (service) => {
      await anna(service);
      return ["POST", "/reset_password", { form: { email: ANNA } }];
    },
    events: ["password_reset_requested"],
  },
  "PUT /reset_password": {
    prepare: async (service) => {
      await anna(service);
      await service.send("POST", "/reset_password", { email: ANNA });
      const { token } = await mailTo(service, ANNA);
      return ["PUT", "/reset_password", { form: { email: ANNA, reset_token: token, new_password: NEW_PASSWORD } }];
    },
    events: ["password_reset"],
  },
  "POST /change_email": {
    prepare: async (service) => [
      "POST",
      "/change_email",
      { form: { new_email: "anna@example.org", password: PASSWORD }, session: await anna(service) },
    ],
    events: ["email_change_requested", "email_change_announced"],
  },
  "PUT /change_email": {
    prepare: async (service) => {
      const session = await anna(service);
      await service.send("POST", "/change_email", { new_email: "anna@example.org", password: PASSWORD }, session);
      const { token } = await mailTo(service, "anna@example.org");
      return ["PUT", "/change_email", { form: { change_token: token }, session }];
    },
    events: ["email_changed"],
  },
  "DELETE /account": {
    prepare: async (service) => ["DELETE", "/account", { form: { password: PASSWORD }, session: await anna(service) }],
    events: ["account_closed"],
  },
  "POST /reopen": {
    prepare: async (service) => {
      await service.send("DELETE", "/account", { password: PASSWORD }, await anna(service));
      return ["POST", "/reopen", { form: { reopen_token: (await mailTo(service, ANNA)).token } }];
    },
    events: ["account_reopened"],
  },
  "POST /undo": {
    prepare: async (service) => {
      await anna(service);
      await logIn(service);
      return ["POST", "/undo", { form: { undo_token: (await mailTo(service, ANNA)).token } }];
    },
    events: ["change_undone", "password_reset_requested"],
  },
};

/**
 * The rows that a failed change must not touch. Counters are left out, because they count tries; so is the last use of
 * a session.
 */
async function state(service: Service): Promise<unknown> {
  const tables = [];
  for (const table of ["users", "tokens"]) {
    tables.push(await service.rows(`SELECT * FROM ${table} ORDER BY created_at`));
  }
  tables.push(await service.rows("SELECT secret_hash, user_id, expires_at FROM sessions ORDER BY created_at"));
  return tables;
}

async function eventIds(service: Service): Promise<string[]> {
  return (await service.rows<{ id: string }>("SELECT id FROM events ORDER BY id")).map(({ id }) => id);
}

for (const [name, { prepare, events }] of Object.entries(CHANGES)) {
  test(
    `${name} writes ${events.join(" and ")} in the same transaction: both are stored or neither`,
    async (service) => {
      const request = await prepare(service);
      const before = { state: await state(service), events: await eventIds(service) };
      // No event can be written now, so nothing may change.
      await service.auth.db.run("ALTER TABLE events RENAME TO moved_events");
      assert.deepEqual(await outcome(service, ...request), [500, "internal_error"]);
      await service.auth.db.run("ALTER TABLE moved_events RENAME TO events");
      assert.deepEqual(await state(service), before.state, "changed without its event");
      assert.deepEqual(await eventIds(service), before.events);
      const response = await service.request(...request);
      assert.ok(response.status < 400, `${name}: ${response.status}`);
      const written = await service.rows<{ id: string; type: string }>("SELECT id, type FROM events");
      const fresh = written.filter(({ id }) => !before.events.includes(id)).map(({ type }) => type);
      assert.deepEqual(fresh.sort(), [...events].sort());
    },
    PUBLIC_SETTINGS,
  );
}

test("S22: an event has user, type, time and network address, and failures are events too", async (service) => {
  await signUp(service);
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users");
  const from = { ip: "192.0.2.5", headers: { "user-agent": `agent\r\n${"x".repeat(400)}`.replace("\r\n", " ") } };
  const form = { email: ANNA, password: "not the password" };
  await service.request("POST", "/sessions", { form, ...from });
  const [row] = await service.rows("SELECT * FROM events WHERE type = 'login_failed'");
  assert.deepEqual([row.user_id, row.created_at, row.ip], [id, service.clock.now, "192.0.2.5"]);
  assert.equal(String(row.user_agent).length, 256);
}, PUBLIC_SETTINGS);

test("S22: no event contains a password, token, code, cookie or hash", async (service) => {
  const canaries: string[] = [PASSWORD, NEW_PASSWORD, "not the password"];
  for (const { prepare } of Object.values(CHANGES)) {
    const [method, path, options] = await prepare(service);
    const headers = { "user-agent": "a browser", referer: "https://x.test/?token=canary-referer" };
    const response = await service.request(method, path, { ...options, headers });
    canaries.push(...response.headers.getSetCookie().map((cookie) => /=([^;]*)/.exec(cookie)![1]));
    canaries.push(...Object.values(options.form ?? {}), options.session ?? "");
    await response.body?.cancel();
    await outcome(service, "POST", "/sessions", { form: { email: ANNA, password: "not the password" } });
    for (const { token, code } of await service.mails()) canaries.push(token, code);
    for (const table of ["users", "counters", "guesses"]) await service.rows(`DELETE FROM ${table}`);
    await service.rows("DELETE FROM tokens");
  }
  canaries.push("canary-referer", "$2b$");
  const events = JSON.stringify(await service.rows("SELECT * FROM events")).replaceAll(/\d{9,}/g, "");
  const left = canaries.filter((text) => text.length >= 8 && !text.includes("@") && events.includes(text));
  assert.deepEqual(left, []);
}, PUBLIC_SETTINGS);

test("a flood of logins fills no table: strangers' failures are a counter, throttling is one row", async (service) => {
  await signUp(service);
  await service.mails();
  const before = await countOf(service, "events");
  for (let tries = 0; tries < 30; tries++) {
    const form = { email: `${tries}${NOBODY}`, password: "guess guess" };
    await outcome(service, "POST", "/sessions", { form, ip: "192.0.2.1" });
  }
  assert.equal(await countOf(service, "events"), before);
  const [{ count }] = await service.rows<{ count: number }>(
    "SELECT count FROM counters WHERE id LIKE 'login-failed:%'",
  );
  assert.equal(count, 30);
  for (let tries = 0; tries < 30; tries++) {
    await outcome(service, "POST", "/sessions", { form: { email: ANNA, password: "guess guess" }, ip: "192.0.2.2" });
  }
  const types = (await eventTypes(service)).filter((type) => ["throttled", "login_failed"].includes(type));
  assert.equal(types.filter((type) => type === "throttled").length, 1);
  assert.ok(types.length <= 12, `${types.length} rows for 30 guesses`);
}, PUBLIC_SETTINGS);

test("the sweep deletes events that are older than EVENT_RETENTION, and no others", async (service) => {
  await signUp(service);
  service.clock.now += 5 * DAY - 1;
  await sweep(service.auth);
  assert.ok((await eventTypes(service)).includes("registered"));
  await logIn(service);
  service.clock.now += HOUR;
  await sweep(service.auth);
  assert.deepEqual(await eventTypes(service), ["logged_in"]);
}, { ...PUBLIC_SETTINGS, EVENT_RETENTION: "5d" });

test("an event loses its mail address once its mail is sent", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await service.send("POST", "/change_email", { new_email: "anna@example.org", password: PASSWORD }, session);
  await service.send("POST", "/reset_password", { email: ANNA });
  assert.ok((await dump(service)).includes('"to\\":\\"anna@example.org'));
  await service.mails();
  assert.ok(!JSON.stringify(await service.rows("SELECT * FROM events")).includes("anna@"));
}, PUBLIC_SETTINGS);
