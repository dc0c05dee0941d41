/**
 * Undoing changes by the link of the notice mail, and the attacks on it by somebody who stole a session, a mailbox or a
 * password.
 *
 * @module
 */
import assert from "node:assert/strict";
import { undoNeedsPassword } from "../../auth/account/undo_change.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { importUsers } from "../../auth/admin/import_export.ts";
import {
  ANNA,
  type Browser,
  browserOf,
  DAY,
  HOUR,
  logIn,
  mailbox,
  mailTo,
  moveTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
  steal,
  THIEF,
  THIEF_PASSWORD,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type ReceivedMail, type Service, test } from "../kit/service.ts";

const UNDONE = { email: ANNA, message: "change undone" };

/**
 * Anna's account after a thief with the password changed the password, then the address. Returns her mails and the
 * thief.
 */
async function stolen(service: Service): Promise<{ mails: ReceivedMail[]; thief: Browser }> {
  await signUp(service);
  await logIn(service);
  const thief = await steal(service);
  await service.mails();
  const links = mailbox(service, ANNA).filter(({ text }) => text.includes("/undo?token="));
  return { mails: links, thief };
}

/** Sets a password by the reset mail that was just sent to this address. */
async function reset(service: Service, email: string, new_password: string): Promise<void> {
  const { token } = await mailTo(service, email);
  assert.equal((await service.send("PUT", "/reset_password", { email, reset_token: token, new_password }))[0], 200);
}

async function addressOf(service: Service): Promise<string> {
  return (await service.rows<{ email: string }>("SELECT email FROM users"))[0].email;
}

test(
  "undoing a change of the password ends all sessions and freezes the account until the password is reset",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const changed = await service.request("PUT", "/password", { form, session });
    const { token } = await mailTo(service, ANNA);
    assert.deepEqual(await service.send("POST", "/undo", { undo_token: token }), [200, UNDONE]);
    assert.equal((await service.send("GET", "/profile", undefined, browserOf(changed).session))[0], 403);
    for (const password of [PASSWORD, NEW_PASSWORD]) {
      const login = { form: { email: ANNA, password } };
      assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
    }
    await reset(service, ANNA, "staple horse battery");
    await logIn(service, ANNA, "staple horse battery");
  },
  PUBLIC_SETTINGS,
);

test("S74: the undo link of every change is valid for exactly 72 hours", async (service) => {
  const { mails } = await stolen(service);
  assert.equal(mails.length, 3, "a new device, a new password, a new address");
  service.clock.now += 3 * DAY;
  for (const { token } of mails) {
    const form = { undo_token: token, password: PASSWORD };
    assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [403, "invalid_token"]);
  }
  // All three mails were sent at the moment of the last change.
  service.clock.now -= 1;
  for (const { token } of mails.toReversed()) {
    const page = await service.request("GET", `/undo?token=${token}`);
    assert.equal(page.status, 200, await page.text());
  }
  const form = { undo_token: mails.at(-1)!.token, password: PASSWORD };
  assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("S74: a password that was set after the link was made does not prove the owner", async (service) => {
  const { mails, thief } = await stolen(service);
  // The thief changes the password again, so that the table holds THIEF_PASSWORD as a former one too.
  service.clock.now += 1;
  const form = { current_password: THIEF_PASSWORD, new_password: `${THIEF_PASSWORD} too` };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session: thief.session }), [200, null]);
  // The link of the change of the password: it was made while the owner's password was in force.
  const { token } = mails.at(-2)!;
  for (const password of [THIEF_PASSWORD, `${THIEF_PASSWORD} too`]) {
    const tried = { form: { undo_token: token, password } };
    assert.deepEqual(await outcome(service, "POST", "/undo", tried), [403, "wrong_password"], password);
  }
  assert.equal(await addressOf(service), THIEF);
  const right = { form: { undo_token: token, password: PASSWORD } };
  assert.deepEqual(await outcome(service, "POST", "/undo", right), [200, null]);
}, PUBLIC_SETTINGS);

test("undoing a login from a new device needs no password and ends that session", async (service) => {
  await signUp(service);
  await logIn(service);
  const stranger = await logIn(service);
  const { token } = await mailTo(service, ANNA);
  assert.deepEqual(await service.send("POST", "/undo", { undo_token: token }), [200, UNDONE]);
  assert.equal((await service.send("GET", "/profile", undefined, stranger.session))[0], 403);
  await reset(service, ANNA, NEW_PASSWORD);
}, PUBLIC_SETTINGS);

test("the owner recovers a stolen account with the old mailbox and the former password", async (service) => {
  const { mails, thief } = await stolen(service);
  const { token } = mails.at(-1)!;
  assert.deepEqual(await service.send("POST", "/undo", { undo_token: token, password: PASSWORD }), [200, UNDONE]);
  assert.equal(await addressOf(service), ANNA);
  assert.equal((await service.send("GET", "/profile", undefined, thief.session))[0], 403);
  await reset(service, ANNA, NEW_PASSWORD);
  await logIn(service, ANNA, NEW_PASSWORD);
}, PUBLIC_SETTINGS);

test("every undo link mailed during a theft recovers the account, whichever is used", async (service) => {
  for (const which of [0, 1, 2]) {
    const { mails } = await stolen(service);
    assert.match(mails.at(-3)!.subject, /device|login|sign/i);
    const { token } = mails.at(-1 - which)!;
    assert.deepEqual(await service.send("POST", "/undo", { undo_token: token, password: PASSWORD }), [200, UNDONE]);
    await reset(service, ANNA, NEW_PASSWORD);
    await service.rows("DELETE FROM users");
    await service.rows("DELETE FROM counters");
  }
}, PUBLIC_SETTINGS);

test("many password changes and logins cannot push the former password out of the undo link", async (service) => {
  await signUp(service);
  await logIn(service);
  let { session } = await logIn(service);
  let current = PASSWORD;
  for (let count = 0; count < 5; count++) {
    service.clock.now += 1_000;
    const next = `${THIEF_PASSWORD} ${count}`;
    const changed = await service.request("PUT", "/password", {
      form: { current_password: current, new_password: next },
      session,
    });
    assert.equal(changed.status, 200);
    session = browserOf(changed).session;
    current = next;
  }
  for (let count = 0; count < 25; count++) await logIn(service, ANNA, current);
  await service.mails();
  await moveTo(service, { session, device: "" }, THIEF, current);
  const { token } = await mailTo(service, ANNA);
  assert.deepEqual(await service.send("POST", "/undo", { undo_token: token, password: PASSWORD }), [200, UNDONE]);
}, PUBLIC_SETTINGS);

test(
  "a wrong password does not use up an undo link, but the link allows only five tries within an hour",
  async (service) => {
    const { mails } = await stolen(service);
    const { token } = mails.at(-1)!;
    for (let tries = 0; tries < 5; tries++) {
      const form = { undo_token: token, password: `slip ${tries}` };
      assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [403, "wrong_password"]);
    }
    assert.equal(await addressOf(service), THIEF);
    // S51: a link allows five tries an hour, so that a stolen mailbox cannot guess the password either.
    const right = { form: { undo_token: token, password: PASSWORD } };
    const refused = await service.request("POST", "/undo", right);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "3600"]);
    service.clock.now += HOUR;
    assert.deepEqual(await outcome(service, "POST", "/undo", right), [200, null]);
  },
  PUBLIC_SETTINGS,
);

test("strangers' wrong logins at the old address do not use up the tries of the undo link", async (service) => {
  const { mails } = await stolen(service);
  for (let tries = 0; tries < 14; tries++) {
    await outcome(service, "POST", "/sessions", { form: { email: ANNA, password: "guess" }, ip: "192.0.2.1" });
  }
  const form = { undo_token: mails.at(-1)!.token, password: PASSWORD };
  assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "attack, old mailbox only: without the password the undo freezes the account and mails the new address",
  async (service) => {
    await signUp(service);
    const anna = await logIn(service);
    await moveTo(service, anna, "anna@example.org", PASSWORD);
    const { token } = await mailTo(service, ANNA);
    const answer = await service.send("POST", "/undo", { undo_token: token });
    // With only the old mailbox, the answer does not tell the new address either.
    assert.deepEqual(answer, [200, UNDONE]);
    assert.equal(await addressOf(service), "anna@example.org");
    const mails = await service.mails();
    assert.deepEqual(mails.map(({ to }) => to), ["anna@example.org"]);
    const form = { email: ANNA, code: mails[0].code, new_password: THIEF_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
  },
  PUBLIC_SETTINGS,
);

test(
  "attack, new mailbox only: undo links and resets that were mailed to the thief's address are refused",
  async (service) => {
    const { mails, thief } = await stolen(service);
    const form = { current_password: THIEF_PASSWORD, new_password: `${THIEF_PASSWORD} too` };
    assert.equal((await outcome(service, "PUT", "/password", { form, session: thief.session }))[0], 200);
    const undoOfThief = await mailTo(service, THIEF);
    await service.send("POST", "/reset_password", { email: THIEF });
    const resetOfThief = await mailTo(service, THIEF);
    const owner = { undo_token: mails.at(-1)!.token, password: PASSWORD };
    assert.deepEqual(await service.send("POST", "/undo", owner), [200, UNDONE]);
    for (const password of [THIEF_PASSWORD, `${THIEF_PASSWORD} too`, undefined]) {
      const undo = { undo_token: undoOfThief.token, ...(password && { password }) };
      assert.deepEqual(await outcome(service, "POST", "/undo", { form: undo }), [403, "invalid_token"]);
    }
    const again = { email: THIEF, reset_token: resetOfThief.token, new_password: THIEF_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form: again }), [403, "invalid_token"]);
    await reset(service, ANNA, NEW_PASSWORD);
    assert.equal(await addressOf(service), ANNA);
  },
  PUBLIC_SETTINGS,
);

test("attack, the thief uses undo first: the owner's undo links stay valid", async (service) => {
  const { mails, thief } = await stolen(service);
  const form = { current_password: THIEF_PASSWORD, new_password: `${THIEF_PASSWORD} too` };
  assert.equal((await outcome(service, "PUT", "/password", { form, session: thief.session }))[0], 200);
  const { token } = await mailTo(service, THIEF);
  assert.equal((await service.send("POST", "/undo", { undo_token: token }))[0], 200);
  await reset(service, THIEF, THIEF_PASSWORD);
  const owner = { undo_token: mails.at(-1)!.token, password: PASSWORD };
  assert.deepEqual(await service.send("POST", "/undo", owner), [200, UNDONE]);
}, PUBLIC_SETTINGS);

test(
  "attack, session only: every action that needs the password, or that makes an undo link, is refused",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    const tries: [string, string, Record<string, string>][] = [
      ["PUT", "/password", { new_password: THIEF_PASSWORD }],
      ["POST", "/change_email", { new_email: THIEF }],
      ["DELETE", "/account", {}],
    ];
    for (const [method, path, form] of tries) {
      assert.deepEqual(await outcome(service, method, path, { form, session }), [403, "wrong_password"], path);
    }
    assert.deepEqual(await outcome(service, "POST", "/undo", { form: {}, session }), [400, "invalid_field"]);
    assert.deepEqual(await service.mails(), []);
  },
  PUBLIC_SETTINGS,
);

test("attack, an undo link works once, within 72 hours after its mail was sent", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.equal((await outcome(service, "PUT", "/password", { form, session }))[0], 200);
  service.clock.now += 20 * HOUR;
  const { token } = await mailTo(service, ANNA);
  const undo = { form: { undo_token: token } };
  service.clock.now += 3 * DAY;
  assert.deepEqual(await outcome(service, "POST", "/undo", undo), [403, "invalid_token"]);
  service.clock.now -= 1;
  assert.deepEqual(await outcome(service, "POST", "/undo", undo), [200, null]);
  assert.deepEqual(await outcome(service, "POST", "/undo", undo), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test(
  "attack, old mailbox only: undo does not reopen a closed account or stop its erasure, and the reopen link works",
  async (service) => {
    await signUp(service);
    const anna = await moveTo(service, await logIn(service), "anna@example.org", PASSWORD);
    const { token } = await mailTo(service, ANNA);
    assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, anna.session))[0], 200);
    const { token: reopen_token } = await mailTo(service, "anna@example.org");
    const [before] = await service.rows("SELECT closed_at, purge_at FROM users");
    assert.deepEqual(await service.send("POST", "/undo", { undo_token: token }), [200, UNDONE]);
    assert.deepEqual(await service.rows("SELECT closed_at, purge_at FROM users"), [before]);
    assert.deepEqual(await service.mails(), [], "a reset would open nothing");
    const form = { reopen_token };
    assert.deepEqual(await outcome(service, "POST", "/reopen", { form }), [200, null]);
    // The undo still has its effect: the password is removed until a reset.
    const login = { form: { email: "anna@example.org", password: PASSWORD } };
    assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
    await service.send("POST", "/reset_password", { email: "anna@example.org" });
    await reset(service, "anna@example.org", NEW_PASSWORD);
  },
  PUBLIC_SETTINGS,
);

test(
  "undo reopens an account that was closed by a thief, from its own mailbox or with the old address",
  async (service) => {
    await signUp(service);
    await logIn(service);
    const thief = await logIn(service);
    const { token } = await mailTo(service, ANNA);
    assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, thief.session))[0], 200);
    await service.mails();
    assert.deepEqual(await service.send("POST", "/undo", { undo_token: token }), [200, UNDONE]);
    await reset(service, ANNA, NEW_PASSWORD);
    await logIn(service, ANNA, NEW_PASSWORD);
    for (const table of ["users", "counters"]) await service.rows(`DELETE FROM ${table}`);
    const stole = await stolen(service);
    const leave = { password: THIEF_PASSWORD };
    assert.equal((await service.send("DELETE", "/account", leave, stole.thief.session))[0], 200);
    const undo = { undo_token: stole.mails.at(-1)!.token, password: PASSWORD };
    assert.deepEqual(await service.send("POST", "/undo", undo), [200, UNDONE]);
    await reset(service, ANNA, NEW_PASSWORD);
    await logIn(service, ANNA, NEW_PASSWORD);
  },
  PUBLIC_SETTINGS,
);

test("V15: a change of address requested during an undo does not take effect", async (service) => {
  const { mails, thief } = await stolen(service);
  const wish = { new_email: "thief2@example.net", password: THIEF_PASSWORD };
  const [undone, asked] = await Promise.all([
    service.send("POST", "/undo", { undo_token: mails.at(-1)!.token, password: PASSWORD }),
    outcome(service, "POST", "/change_email", { form: wish, session: thief.session }),
  ]);
  assert.equal(undone[0], 200);
  assert.ok([200, 403].includes(asked[0]));
  for (const { token } of await service.mails()) {
    await service.send("PUT", "/change_email", { change_token: token || "x" });
  }
  assert.equal(await addressOf(service), ANNA);
}, PUBLIC_SETTINGS);

test("undo answers 400 while the old address has another account, and the link stays valid", async (service) => {
  const { mails } = await stolen(service);
  // Nobody can register it, but the operator's import does not ask.
  const lines = ReadableStream.from([JSON.stringify({ email: ANNA })]);
  await importUsers(service.auth, OPERATOR, lines, { verified: true, onLeftOut: () => {} });
  const form = { undo_token: mails.at(-1)!.token, password: PASSWORD };
  assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [400, "email_taken"]);
  await service.rows("DELETE FROM users WHERE email_key = $1", ANNA);
  assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("A1: every kind of undo link ends 72 hours after its mail was sent, and not before", async (service) => {
  await signUp(service);
  await logIn(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  await reset(service, ANNA, PASSWORD);
  service.clock.now += 1;
  const mails: ReceivedMail[] = [await mailTo(service, ANNA)];
  const { session } = await logIn(service);
  mails.push(await mailTo(service, ANNA));
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  const changed = browserOf(await service.request("PUT", "/password", { form, session }));
  mails.push(await mailTo(service, ANNA));
  await moveTo(service, changed, "anna@example.org", NEW_PASSWORD);
  mails.push(await mailTo(service, ANNA));
  const subjects = [/password/, /login/, /password/, /address/];
  for (const [index, subject] of subjects.entries()) assert.match(mails[index].subject, subject);
  const sent = service.clock.now;
  service.clock.now = sent + 3 * DAY - 2;
  for (const { token } of mails) await undoNeedsPassword(service.auth, token);
  service.clock.now = sent + 3 * DAY;
  for (const { token } of mails) {
    const undo = { undo_token: token, password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "POST", "/undo", { form: undo }), [403, "invalid_token"]);
  }
}, PUBLIC_SETTINGS);

test("A1: an undo link does not accept a password that was set after it was made", async (service) => {
  await signUp(service);
  await logIn(service);
  let thief = await logIn(service);
  const { token: first } = await mailTo(service, ANNA);
  const passwords = [PASSWORD, THIEF_PASSWORD, `${THIEF_PASSWORD} too`];
  for (const [index, new_password] of passwords.slice(1).entries()) {
    service.clock.now += 1;
    const form = { current_password: passwords[index], new_password };
    thief = browserOf(await service.request("PUT", "/password", { form, session: thief.session }));
  }
  await moveTo(service, thief, THIEF, passwords[2]);
  for (const password of passwords.slice(1)) {
    const form = { undo_token: first, password };
    assert.deepEqual(await outcome(service, "POST", "/undo", { form }), [403, "wrong_password"], password);
  }
  assert.equal(await addressOf(service), THIEF);
  assert.deepEqual(await service.send("POST", "/undo", { undo_token: first, password: PASSWORD }), [200, UNDONE]);
}, PUBLIC_SETTINGS);
