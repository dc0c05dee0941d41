/**
 * Closing an account: what ends at once, what can be restored for 14 days, and that no personal data stays after that.
 *
 * @module
 */
import assert from "node:assert/strict";
import { closeAccount } from "../../auth/account/close_account.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { disableUser, enableUser } from "../../auth/admin/users.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { byPassword } from "../../auth/sign_in/by_password.ts";
import { requireUser } from "../../auth/sign_in/current_user.ts";
import { withBcrypt } from "../kit/hash_recorder.ts";
import {
  ANNA,
  BERT,
  type Body,
  countOf,
  DAY,
  dump,
  ISO_TIME,
  logIn,
  mailTo,
  moveTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type ReceivedMail, type Service, test } from "../kit/service.ts";

/** Closes Anna's account. Returns the token of the reopen link. */
async function closed(service: Service): Promise<string> {
  await signUp(service);
  const { session } = await logIn(service);
  assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, session))[0], 200);
  return (await mailTo(service, ANNA)).token;
}

test("DELETE /account answers the time of erasure and clears the session cookie", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const response = await service.request("DELETE", "/account", { json: { password: PASSWORD }, session });
  const body = await response.json() as Body;
  assert.deepEqual({ ...body, purge_at: "" }, { email: ANNA, message: "account closed", purge_at: "" });
  assert.match(String(body.purge_at), ISO_TIME);
  assert.equal(Date.parse(String(body.purge_at)), service.clock.now + 14 * DAY);
  assert.match(response.headers.getSetCookie().join(), /^__Host-session_id=; Max-Age=0;/);
}, PUBLIC_SETTINGS);

test("DELETE /account answers 403 to a wrong or missing password, and without a session", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  for (const form of [{ password: "not the password" }, { password: "" }, {}, { password: "p".repeat(300) }]) {
    const refused = await outcome(service, "DELETE", "/account", { form: form as Record<string, string>, session });
    assert.deepEqual(refused, [403, "wrong_password"]);
  }
  const form = { password: PASSWORD };
  assert.deepEqual(await outcome(service, "DELETE", "/account", { form }), [403, "no_session"]);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
}, PUBLIC_SETTINGS);

test("S46, V07, V48: closing an account ends its sessions and tokens at once, on every instance", async (service) => {
  await signUp(service);
  const [one, two] = [await logIn(service), await logIn(service)];
  await service.send("POST", "/reset_password", { email: ANNA });
  const { token } = await mailTo(service, ANNA);
  const other = await service.another();
  assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, one.session))[0], 200);
  for (const instance of [service, other]) {
    for (const { session } of [one, two]) {
      assert.equal((await instance.send("GET", "/profile", undefined, session))[0], 403);
    }
    const login = { form: { email: ANNA, password: PASSWORD } };
    assert.deepEqual(await outcome(instance, "POST", "/sessions", login), [401, "wrong_credentials"]);
    const reset = { form: { email: ANNA, reset_token: token, new_password: NEW_PASSWORD } };
    assert.deepEqual(await outcome(instance, "PUT", "/reset_password", reset), [403, "invalid_token"]);
  }
  assert.equal(await countOf(service, "sessions"), 0);
  // A reset does not open the account either, only the link does.
  await service.mails();
  await service.send("POST", "/reset_password", { email: ANNA });
  assert.deepEqual(await service.mails(), []);
}, PUBLIC_SETTINGS);

test("V48, F23: a login whose password was checked before the account closed makes no session", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const { auth } = service;
  // The account closes between the password check and the insert of the session.
  const slow = withBcrypt(auth, async (password, salt) => {
    const hash = await auth.bcrypt.hash(password, salt);
    if (await countOf(service, "sessions") > 0) {
      await closeAccount(auth, await requireUser(auth, { session }), { password: PASSWORD }, { session });
    }
    return hash;
  });
  await assert.rejects(byPassword(slow, ANNA, PASSWORD), { code: "wrong_credentials" });
  assert.equal(await countOf(service, "sessions"), 0);
}, PUBLIC_SETTINGS);

test("POST /reopen takes the mailed link once, restores the account and logs nobody in", async (service) => {
  const token = await closed(service);
  service.clock.now += 14 * DAY - 1;
  const response = await service.request("POST", "/reopen", { form: { reopen_token: token } });
  assert.deepEqual([response.status, await response.json()], [200, { email: ANNA, message: "account reopened" }]);
  assert.deepEqual(response.headers.getSetCookie(), []);
  await logIn(service);
  const again = { json: { reopen_token: token } };
  assert.deepEqual(await outcome(service, "POST", "/reopen", again), [403, "invalid_token"]);
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form: {} }), [400, "invalid_field"]);
  service.clock.now += DAY;
  await sweep(service.auth);
  assert.equal(await countOf(service, "users"), 1, "a reopened account is not erased");
}, PUBLIC_SETTINGS);

test("registering the address of a closed account mails a reopen link, at most once a day", async (service) => {
  const first = await closed(service);
  const signUpAgain = async (): Promise<ReceivedMail[]> => {
    await service.register(ANNA.toUpperCase(), NEW_PASSWORD);
    return await service.mails();
  };
  service.clock.now += DAY;
  const [mail, ...more] = await signUpAgain();
  assert.deepEqual([mail.to, more.length], [ANNA, 0]);
  assert.match(mail.text, /\/reopen\?token=/);
  assert.deepEqual(await signUpAgain(), [], "nobody floods the mailbox");
  const old = { form: { reopen_token: first } };
  assert.deepEqual(await outcome(service, "POST", "/reopen", old), [403, "invalid_token"]);
  const form = { reopen_token: mail.token };
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form }), [200, null]);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("a reopen link is valid until the next one is sent, and an imported closed account gets one", async (service) => {
  const first = await closed(service);
  await service.register(ANNA, NEW_PASSWORD);
  const other = await service.another();
  assert.deepEqual(await outcome(other, "POST", "/reopen", { form: { reopen_token: first } }), [200, null]);
  // Closed and without a link, like an imported account.
  await service.rows("UPDATE users SET closed_at = $1, purge_at = $2", service.clock.now, service.clock.now + 9 * DAY);
  await service.rows("DELETE FROM tokens");
  service.clock.now += DAY;
  await service.register(ANNA, NEW_PASSWORD);
  const { token } = await mailTo(service, ANNA);
  service.clock.now += 8 * DAY - 1;
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form: { reopen_token: token } }), [200, null]);
}, PUBLIC_SETTINGS);

test("disabling and enabling a closed account keeps its reopen link", async (service) => {
  const token = await closed(service);
  const user = await findUser(service.auth, ANNA);
  assert.equal(await disableUser(service.auth, OPERATOR, user), true);
  const form = { reopen_token: token };
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form }), [403, "invalid_token"]);
  await service.register(ANNA, NEW_PASSWORD);
  assert.doesNotMatch((await mailTo(service, ANNA)).text, /reopen/, "V48: nothing opens it but the operator");
  assert.equal(await enableUser(service.auth, OPERATOR, user), true);
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form }), [200, null]);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("a reopen link is refused from the day of erasure on, even before the sweep", async (service) => {
  const token = await closed(service);
  service.clock.now += 14 * DAY;
  const form = { reopen_token: token };
  assert.deepEqual(await outcome(service, "POST", "/reopen", { form }), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test(
  "S46, V57: 14 days after closing, no table holds data of the person, and the rows of other users stay",
  async (service) => {
    const agent = "canary-agent/1.0", ip = "192.0.2.77";
    const from = { ip, headers: { "user-agent": agent } };
    await signUp(service, BERT);
    await service.request("POST", "/users", { form: { email: ANNA, password: PASSWORD }, ...from });
    await service.send("PUT", "/verify_email", { verification_token: (await mailTo(service, ANNA)).token });
    const [user] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", ANNA);
    const first = await logIn(service, ANNA, PASSWORD, { form: { email: ANNA, password: PASSWORD }, ...from });
    await service.request("PATCH", "/account", { form: { name: "canary-name" }, session: first.session, ...from });
    const form = { email: ANNA, password: "not the password" };
    for (let tries = 0; tries < 3; tries++) await service.request("POST", "/sessions", { form, ...from });
    await service.request("PUT", "/verify_email", { form: { email: ANNA, code: "00000000" }, ...from });
    const moved = await moveTo(service, first, "anna@example.org", PASSWORD);
    const leave = { form: { password: PASSWORD }, session: moved.session, ...from };
    assert.deepEqual(await outcome(service, "DELETE", "/account", leave), [200, null]);
    await service.mails();
    assert.ok((await dump(service)).includes(agent), "the test would see it");
    service.clock.now += 14 * DAY;
    await sweep(service.auth);
    await sweep(service.auth);
    const left = await dump(service);
    for (const trace of ["anna@example", "canary", ip]) assert.ok(!left.includes(trace), `${trace} is still there`);
    const rows = await service.rows<{ type: string }>("SELECT type FROM events WHERE user_id = $1", user.id);
    assert.ok(rows.some(({ type }) => type === "account_purged"), "what happened stays, without whom");
    assert.equal(await countOf(service, "users"), 1);
    await logIn(service, BERT);
  },
  PUBLIC_SETTINGS,
);

test(
  "V57: registering the address of an erased account makes a new user, and old cookies and tokens are refused",
  async (service) => {
    await signUp(service);
    const old = await logIn(service);
    const [before] = await service.rows<{ id: string }>("SELECT id FROM users");
    await service.send("POST", "/reset_password", { email: ANNA });
    const reset = await mailTo(service, ANNA);
    assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, old.session))[0], 200);
    const { token } = await mailTo(service, ANNA);
    service.clock.now += 14 * DAY;
    await sweep(service.auth);
    await signUp(service, ANNA, NEW_PASSWORD);
    const [after] = await service.rows<{ id: string }>("SELECT id FROM users");
    assert.notEqual(after.id, before.id);
    assert.equal((await service.send("GET", "/profile", undefined, old.session))[0], 403);
    const form = { email: ANNA, reset_token: reset.token, new_password: PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
    assert.deepEqual(await outcome(service, "POST", "/reopen", { form: { reopen_token: token } }), [
      403,
      "invalid_token",
    ]);
    await logIn(service, ANNA, NEW_PASSWORD, { form: { email: ANNA, password: NEW_PASSWORD }, device: old.device });
    const events = await service.send(
      "GET",
      "/account/events",
      undefined,
      (await logIn(service, ANNA, NEW_PASSWORD)).session,
    );
    assert.ok(!JSON.stringify(events).includes("account_closed"));
  },
  PUBLIC_SETTINGS,
);

test(
  "when two instances sweep at the same moment, a closed account is erased once and leaves a single event",
  async (service) => {
    await closed(service);
    const other = await service.another();
    for (const instance of [service, other]) instance.clock.now += 14 * DAY;
    await Promise.all([sweep(service.auth), sweep(other.auth)]);
    const purged = await service.rows("SELECT id FROM events WHERE type = 'account_purged'");
    assert.deepEqual([await countOf(service, "users"), purged.length], [0, 1]);
  },
  PUBLIC_SETTINGS,
);
