/**
 * Erasure removes all data of a person: also rows from before the account existed and from while it was closed, and
 * counters.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { eraseUser } from "../../auth/admin/users.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import {
  ANNA,
  browserOf,
  countOf,
  DAY,
  dump,
  logIn,
  mailTo,
  moveTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const IP = "192.0.2.77", AGENT = "canary-agent/1.0";
const TRACES = ["anna@example", "canary", IP];

/** A request with Anna's network address and user agent. */
async function ask(service: Service, method: string, path: string, options: RequestOptions): Promise<number> {
  return (await outcome(service, method, path, { ...options, ip: IP, headers: { "user-agent": AGENT } }))[0];
}

async function assertNothingLeft(service: Service): Promise<void> {
  const tables = (await dump(service)).split("\n");
  for (const trace of TRACES) assert.deepEqual(tables.filter((rows) => rows.includes(trace)), [], trace);
  for (const table of ["sessions", "tokens"]) {
    const orphans = `SELECT * FROM ${table} WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM users)`;
    assert.deepEqual(await service.rows(orphans), [], table);
  }
}

/** Anna signs up in several tries, which all write events. */
async function signUpInTries(service: Service): Promise<void> {
  for (const password of ["an earlier password", PASSWORD]) {
    assert.equal(await ask(service, "POST", "/users", { form: { email: ANNA, password } }), 200);
    service.clock.now += 1;
  }
  assert.equal(await ask(service, "POST", "/verify_email", { form: { email: ANNA } }), 200);
  const { token } = await mailTo(service, ANNA);
  const options = { form: { verification_token: token }, ip: IP, headers: { "user-agent": AGENT } };
  const { session } = browserOf(await service.request("PUT", "/verify_email", options));
  assert.equal(await ask(service, "PUT", "/password", { form: { new_password: PASSWORD }, session }), 200);
}

test(
  "S46: erasure also removes registrations and mails from before the account and from while it was closed",
  async (service) => {
    await signUpInTries(service);
    const { session } = await logIn(service);
    assert.equal(await ask(service, "DELETE", "/account", { form: { password: PASSWORD }, session }), 200);
    for (const path of ["/reset_password", "/verify_email"]) {
      assert.equal(await ask(service, "POST", path, { form: { email: ANNA } }), 200);
    }
    assert.equal(await ask(service, "POST", "/users", { form: { email: ANNA, password: PASSWORD } }), 200);
    for (let tries = 0; tries < 7; tries++) {
      await ask(service, "PUT", "/verify_email", { form: { email: ANNA, code: "00000000" } });
    }
    await service.mails();
    assert.ok((await dump(service)).includes(AGENT), "the test would see it");
    service.clock.now += 14 * DAY;
    await sweep(service.auth);
    await sweep(service.auth);
    await assertNothingLeft(service);
  },
  PUBLIC_SETTINGS,
);

test("S46: erasure also removes registrations of an address that the account moved to", async (service) => {
  await signUp(service);
  await ask(service, "POST", "/users", { form: { email: "anna@example.org", password: PASSWORD } });
  const moved = await moveTo(service, await logIn(service), "anna@example.org", PASSWORD);
  assert.equal(await ask(service, "DELETE", "/account", { form: { password: PASSWORD }, session: moved.session }), 200);
  await service.mails();
  service.clock.now += 14 * DAY;
  await sweep(service.auth);
  await sweep(service.auth);
  await assertNothingLeft(service);
}, PUBLIC_SETTINGS);

test("S46: erasure removes a registration that arrived at the moment when the account was made", async (service) => {
  await signUp(service);
  await service.register("bert@example.com", PASSWORD);
  await service.mails();
  // No lock keeps such a row out: while it was written, the address had no user yet.
  const late = "UPDATE tokens SET email = $1, email_key = $1 WHERE purpose = 'register'";
  await service.rows(late, ANNA);
  assert.equal(await eraseUser(service.auth, OPERATOR, await findUser(service.auth, ANNA)), true);
  assert.deepEqual(await service.rows("SELECT purpose FROM tokens"), []);
}, PUBLIC_SETTINGS);

test("the events of an account include requests from before it existed", async (service) => {
  await signUpInTries(service);
  const { session } = await logIn(service);
  const [, body] = await service.send("GET", "/account/events?limit=100", undefined, session);
  const types = (body as { events: { type: string }[] }).events.map(({ type }) => type);
  assert.equal(types.filter((type) => type === "registration_requested").length, 2);
  assert.equal(types.filter((type) => type === "verification_requested").length, 1);
}, PUBLIC_SETTINGS);

test("S46: an operator's erasure leaves no guesses, code tries or mail counts", async (service) => {
  await signUp(service);
  const form = { email: ANNA, password: "not the password" };
  for (let tries = 0; tries < 12; tries++) await outcome(service, "POST", "/sessions", { form });
  for (let tries = 0; tries < 7; tries++) {
    await outcome(service, "PUT", "/reset_password", {
      form: { email: ANNA, code: "00000000", new_password: NEW_PASSWORD },
    });
    for (const path of ["/reset_password", "/verify_email"]) {
      await outcome(service, "POST", path, { form: { email: ANNA } });
    }
  }
  await service.register(ANNA, PASSWORD);
  await service.mails();
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users");
  assert.ok((await dump(service)).includes(`account:${ANNA}`), "the test would see it");
  assert.equal(await eraseUser(service.auth, OPERATOR, await findUser(service.auth, ANNA)), true);
  await assertNothingLeft(service);
  const counted = await service.rows<{ id: string }>("SELECT id FROM counters");
  assert.ok(!counted.some((row) => row.id.includes(id)));
  // A later account with this address starts without them.
  await signUp(service, ANNA, NEW_PASSWORD);
  await logIn(service, ANNA, NEW_PASSWORD);
  assert.equal(await countOf(service, "users"), 1);
}, PUBLIC_SETTINGS);

test("S46: an operator's erasure also clears an address that the account got in the meantime", async (service) => {
  await signUp(service);
  const looked = await findUser(service.auth, ANNA);
  await moveTo(service, await logIn(service), "anna@example.org", PASSWORD);
  const form = { email: "anna@example.org", password: "not the password" };
  for (let tries = 0; tries < 12; tries++) await outcome(service, "POST", "/sessions", { form });
  assert.ok((await dump(service)).includes("account:anna@example.org"), "the test would see it");
  assert.equal(await eraseUser(service.auth, OPERATOR, looked), true);
  assert.ok(!(await dump(service)).includes("anna@example.org"));
}, PUBLIC_SETTINGS);
