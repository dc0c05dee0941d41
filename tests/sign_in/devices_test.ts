/**
 * Known devices of an account: the signed cookie of a successful login, and the mail about a login without one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ANNA, BERT, DAY, HOUR, logIn, mailTo, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const FORM = { form: { email: ANNA, password: PASSWORD } };

/** Logs in with this device cookie. Returns whether a mail reported a new device. */
async function isNew(service: Service, device?: string, headers?: Record<string, string>): Promise<boolean> {
  await service.mails();
  // The limit on these mails is not under test.
  await service.rows("DELETE FROM counters");
  await logIn(service, ANNA, PASSWORD, { ...FORM, device, headers });
  return (await service.mails()).length > 0;
}

test("a successful login sets a device cookie for 365 days, a refused login sets none", async (service) => {
  await signUp(service);
  const login = await service.request("POST", "/sessions", FORM);
  const cookies = login.headers.getSetCookie();
  assert.equal(cookies.length, 2);
  assert.match(
    cookies[1],
    /^__Host-device_id=[\w.-]+; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax; Expires=[^;]+ GMT$/,
  );
  const wrong = await service.request("POST", "/sessions", { form: { email: ANNA, password: "not the password" } });
  assert.deepEqual(wrong.headers.getSetCookie(), []);
}, PUBLIC_SETTINGS);

test("in the local profile the cookie is named device_id and works the same", async (service) => {
  await service.register(ANNA, "b4l0u");
  const form = { email: ANNA, password: "b4l0u" };
  const { device } = await logIn(service, ANNA, "b4l0u");
  assert.match((await service.request("POST", "/sessions", { form })).headers.getSetCookie()[1], /^device_id=/);
  assert.equal((await service.mails()).length, 1);
  await logIn(service, ANNA, "b4l0u", { form, device });
  assert.deepEqual(await service.mails(), []);
});

test(
  "S21: a login from an unknown device mails the owner, but not the first login, nor one from a known device",
  async (service) => {
    await signUp(service);
    const { device } = await logIn(service);
    assert.deepEqual(await service.mails(), [], "the first login of an account is its owner's");
    assert.equal(await isNew(service, device), false);
    const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
    await logIn(service, ANNA, PASSWORD, { ...FORM, headers: { "user-agent": agent }, ip: "192.0.2.9" });
    const mail = await mailTo(service, ANNA);
    for (const word of ["192.0.2.9", "Firefox", "/undo?token="]) assert.ok(mail.text.includes(word), word);
    for (const secret of [PASSWORD, device]) assert.ok(!(mail.text + mail.html).includes(secret));
  },
  PUBLIC_SETTINGS,
);

test("an account gets at most five mails an hour about unknown devices; events list every login", async (service) => {
  await signUp(service);
  const { session, device } = await logIn(service);
  const other = await service.another();
  let sent = 0;
  for (let count = 0; count < 8; count++) {
    await logIn(count % 2 ? other : service);
    sent += (await service.mails()).length;
  }
  assert.equal(sent, 5);
  const [{ n }] = await service.rows("SELECT COUNT(*) AS n FROM events WHERE type = 'logged_in'");
  assert.equal(Number(n), 9);
  assert.equal((await service.rows("SELECT * FROM tokens WHERE purpose = 'undo'")).length, 5);
  // Other notices are not counted with them, and known devices use up nothing.
  await logIn(service, ANNA, PASSWORD, { ...FORM, device });
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
  service.clock.now += HOUR;
  await logIn(service, ANNA, NEW_PASSWORD);
  await mailTo(service, ANNA);
}, PUBLIC_SETTINGS);

test("a device cookie that is forged, changed, expired or another user's is not accepted", async (service) => {
  await signUp(service, BERT);
  const bert = await logIn(service, BERT);
  await signUp(service);
  const { device } = await logIn(service);
  const [id, time, signature] = device.split(".");
  const flipped = signature.replace(/^./, (letter) => letter === "A" ? "B" : "A");
  const forged = [
    bert.device,
    `${id}.${Number(time) + 1}.${signature}`,
    `${id}.${time}.${flipped}`,
    `${id}.${time}`,
    `${id}.${time}.${signature}.`,
    `${bert.device.split(".")[0]}.${time}.${signature}`,
    "x",
    "%00",
  ];
  for (const cookie of forged) assert.equal(await isNew(service, cookie), true, cookie);
  assert.equal(await isNew(service, device), false);
  // In public only the name that no other host can set is read (V49).
  assert.equal(await isNew(service, undefined, { cookie: `device_id=${device}` }), true);
  service.clock.now += 365 * DAY - 1;
  assert.equal(await isNew(service, device), false);
  service.clock.now += 1;
  assert.equal(await isNew(service, device), true);
}, PUBLIC_SETTINGS);

test(
  "a device stays known after logout and on other instances, but gives no access by itself",
  async (service) => {
    await signUp(service);
    const { session, device } = await logIn(service);
    const out = await service.request("DELETE", "/sessions", { session, device });
    assert.ok(!out.headers.getSetCookie().some((cookie) => cookie.includes("device_id")));
    assert.equal((await outcome(service, "GET", "/profile", { device }))[0], 403);
    assert.equal((await outcome(service, "GET", "/profile", { session: device }))[0], 403);
    const other = await service.another();
    await logIn(other, ANNA, PASSWORD, { ...FORM, device });
    assert.deepEqual(await other.mails(), []);
  },
  PUBLIC_SETTINGS,
);

test("S21: changing or resetting the password mails the owner a notice without secrets", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  const changed = await mailTo(service, ANNA);
  await service.send("POST", "/reset_password", { email: ANNA });
  const { code } = await mailTo(service, ANNA);
  await service.send("PUT", "/reset_password", { email: ANNA, code, new_password: "staple horse battery" });
  const reset = await mailTo(service, ANNA);
  for (const mail of [changed, reset]) {
    assert.match(mail.text, /\/undo\?token=/);
    for (const secret of [PASSWORD, NEW_PASSWORD, "staple horse battery", session, code]) {
      assert.ok(!(mail.text + mail.html + mail.subject).includes(secret));
    }
  }
}, PUBLIC_SETTINGS);
