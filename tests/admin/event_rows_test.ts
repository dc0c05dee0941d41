/**
 * Which requests write event rows: one for each change, one for each limit and window, and from one network no more
 * than its limits allow.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../../auth/maintenance/sweep.ts";
import {
  ANNA,
  countOf,
  DAY,
  eventTypes,
  HOUR,
  logIn,
  mailTo,
  MINUTE,
  moveTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const IP = "192.0.2.1";

/** The reason of each throttled event, and whether it belongs to an account. */
async function throttled(service: Service): Promise<unknown[]> {
  const rows = await service.rows<{ details: string; user_id: string | null }>(
    "SELECT details, user_id FROM events WHERE type = 'throttled' ",
  );
  return rows.map(({ details, user_id }) => [JSON.parse(details).by, user_id !== null]).sort();
}

test("a missing or impossible password is not compared and leaves no event", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const before = await eventTypes(service);
  const doors: [string, string, Record<string, string>, string][] = [
    ["PUT", "/password", { new_password: NEW_PASSWORD }, "current_password"],
    ["POST", "/change_email", { new_email: "anna@example.org" }, "password"],
    ["DELETE", "/account", {}, "password"],
  ];
  for (const [method, path, more, field] of doors) {
    for (const password of [undefined, "", "p".repeat(300)]) {
      const form = { ...more, ...(password !== undefined && { [field]: password }) };
      assert.deepEqual(await outcome(service, method, path, { form, session }), [403, "wrong_password"], path);
    }
  }
  assert.deepEqual(await eventTypes(service), before);
  service.clock.now += 1;
  const form = { password: "not the password" };
  assert.deepEqual(await outcome(service, "DELETE", "/account", { form, session }), [403, "wrong_password"]);
  assert.deepEqual((await eventTypes(service)).slice(before.length), ["login_failed"]);
}, PUBLIC_SETTINGS);

test("a PATCH without a change, and ending zero sessions, leave no event", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const patch = (form: Record<string, string>) => outcome(service, "PATCH", "/account", { form, session });
  assert.deepEqual(await patch({ name: "Anna", locale: "fr" }), [200, null]);
  const before = await eventTypes(service);
  const [{ updated_at }] = await service.rows("SELECT updated_at FROM users");
  service.clock.now += MINUTE;
  for (const form of [{ name: "Anna" }, { locale: "fr" }, { name: "Anna", locale: "fr" }, {}]) {
    assert.deepEqual(await patch(form as Record<string, string>), [200, null]);
  }
  assert.deepEqual(await outcome(service, "DELETE", "/sessions/others", { session }), [200, null]);
  assert.deepEqual(await eventTypes(service), before);
  assert.equal((await service.rows("SELECT updated_at FROM users"))[0].updated_at, updated_at);
  service.clock.now += 1;
  await logIn(service);
  assert.deepEqual(await patch({ name: "" }), [200, null]);
  assert.deepEqual(await outcome(service, "DELETE", "/sessions/others", { session }), [200, null]);
  const fresh = (await eventTypes(service)).slice(before.length);
  assert.deepEqual(fresh.sort(), ["account_updated", "logged_in", "sessions_ended"]);
}, PUBLIC_SETTINGS);

test("an event outlives EVENT_RETENTION while its mail waits, until that mail is given up", async (service) => {
  await signUp(service);
  await service.rows("DELETE FROM events");
  await service.send("POST", "/reset_password", { email: ANNA });
  service.clock.now += 59 * MINUTE;
  await sweep(service.auth);
  await mailTo(service, ANNA);
  service.clock.now += 59 * MINUTE;
  await sweep(service.auth);
  assert.deepEqual(await eventTypes(service), []);
  // A mail that no version can read is not kept for ever.
  await service.send("POST", "/reset_password", { email: ANNA });
  await service.rows("UPDATE events SET mail = '{'");
  service.clock.now += DAY;
  await service.mails();
  await sweep(service.auth);
  assert.deepEqual(await eventTypes(service), []);
}, { ...PUBLIC_SETTINGS, EVENT_RETENTION: "59m" });

test("registrations beyond a network's limit write one event per window", async (service) => {
  const register = (index: number) =>
    outcome(service, "POST", "/users", { form: { email: `p${index}@example.com`, password: PASSWORD }, ip: IP });
  for (let index = 0; index < 24; index++) assert.equal((await register(index))[0], index < 20 ? 200 : 429);
  assert.deepEqual(await throttled(service), [["registrations", false]]);
  service.clock.now += HOUR;
  for (let index = 0; index < 24; index++) await register(index);
  assert.deepEqual(await throttled(service), [["registrations", false], ["registrations", false]]);
}, PUBLIC_SETTINGS);

test("mail requests beyond the limits of a network and of an address write one event each", async (service) => {
  await signUp(service);
  for (let asked = 0; asked < 23; asked++) {
    await outcome(service, "POST", "/reset_password", { form: { email: ANNA }, ip: IP });
  }
  assert.deepEqual(await throttled(service), [["mails to an address", false], ["mails", false]]);
}, PUBLIC_SETTINGS);

test("codes beyond an account's limit, and former passwords beyond a link's, write one event", async (service) => {
  await signUp(service);
  for (const email of [ANNA, "nobody@example.com"]) {
    const form = { email, code: "00000000" };
    for (let tries = 0; tries < 8; tries++) await outcome(service, "PUT", "/verify_email", { form, ip: IP });
  }
  assert.deepEqual(await throttled(service), [["codes", false], ["codes", true]]);
  await service.rows("DELETE FROM events");
  await moveTo(service, await logIn(service), "anna@example.org", PASSWORD);
  const { token } = await mailTo(service, ANNA);
  for (let tries = 0; tries < 8; tries++) {
    await outcome(service, "POST", "/undo", { form: { undo_token: token, password: `slip ${tries}` } });
  }
  assert.deepEqual(await throttled(service), [["former passwords", true]]);
}, PUBLIC_SETTINGS);

test("S20: code guesses for made-up addresses write no more rows than the network's limit", async (service) => {
  const tries = (index: number, ip: string) => {
    const form = { email: `p${index}@example.com`, code: "00000000", new_password: NEW_PASSWORD };
    return outcome(service, "PUT", index % 2 ? "/verify_email" : "/reset_password", { form, ip });
  };
  const results = [];
  for (let index = 0; index < 110; index++) results.push((await tries(index, IP))[0]);
  assert.deepEqual(results, [...Array(100).fill(403), ...Array(10).fill(429)]);
  assert.equal(await countOf(service, "counters"), 101, "a row a guess, and the network's");
  assert.deepEqual(await throttled(service), [["codes of a network", false]]);
  assert.deepEqual(await tries(0, "192.0.2.2"), [403, "invalid_token"]);
  const refused = await service.request("PUT", "/verify_email", { form: { email: ANNA, code: "00000000" }, ip: IP });
  assert.deepEqual([refused.status, refused.headers.get("error-code"), refused.headers.get("retry-after")], [
    429,
    "too_many_attempts",
    "600",
  ]);
  service.clock.now += 10 * MINUTE;
  assert.deepEqual(await tries(1, IP), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);
