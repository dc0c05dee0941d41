/**
 * Several changes of address and the links that undo them: which link ends which, and what becomes of an address that a
 * link can still restore.
 *
 * @module
 */
import assert from "node:assert/strict";
import { changeEmail } from "../../auth/account/change_email.ts";
import { undoNeedsPassword } from "../../auth/account/undo_change.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser } from "../../auth/admin/users.ts";
import {
  ANNA,
  BERT,
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
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const SECOND_THIEF = "thief2@example.net";
const OTHER = "anna@example.org";

/** Anna's account after a thief with the password moved it to a first and then to a second mailbox. */
async function movedTwice(service: Service): Promise<{ owner: string; thief: string; browser: Browser }> {
  await signUp(service);
  const first = await moveTo(service, await logIn(service), THIEF, PASSWORD);
  const owner = (await mailTo(service, ANNA)).token;
  const browser = await moveTo(service, first, SECOND_THIEF, PASSWORD);
  const thief = (await mailTo(service, THIEF)).token;
  return { owner, thief, browser };
}

/** Anna's account at another address, and the link that restores the first. */
async function moved(service: Service): Promise<{ browser: Browser; link: string }> {
  await signUp(service);
  const browser = await moveTo(service, await logIn(service), OTHER, PASSWORD);
  return { browser, link: (await mailTo(service, ANNA)).token };
}

async function undo(service: Service, undo_token: string, password?: string): Promise<[number, string | null]> {
  return await outcome(service, "POST", "/undo", { form: { undo_token, ...(password && { password }) } });
}

async function reset(service: Service, email: string, new_password: string): Promise<void> {
  const { token } = await mailTo(service, email);
  assert.equal((await service.send("PUT", "/reset_password", { email, reset_token: token, new_password }))[0], 200);
}

async function addresses(service: Service): Promise<string[]> {
  return (await service.rows<{ email: string }>("SELECT email FROM users ORDER BY email")).map(({ email }) => email);
}

test("A1: an undo link of a second change does not end the link of the first", async (service) => {
  const { owner, thief } = await movedTwice(service);
  assert.deepEqual(await undo(service, thief, PASSWORD), [200, null]);
  assert.deepEqual(await addresses(service), [THIEF]);
  await reset(service, THIEF, THIEF_PASSWORD);
  assert.deepEqual(await undo(service, owner, PASSWORD), [200, null]);
  assert.deepEqual(await addresses(service), [ANNA]);
  await reset(service, ANNA, NEW_PASSWORD);
  await logIn(service, ANNA, NEW_PASSWORD);
}, PUBLIC_SETTINGS);

test(
  "A1: an undo link of a first change ends the links of all later ones, to the same mailbox too",
  async (service) => {
    const { owner, thief, browser } = await movedTwice(service);
    const back = await moveTo(service, browser, THIEF, PASSWORD);
    const again = (await mailTo(service, SECOND_THIEF)).token;
    await moveTo(service, back, SECOND_THIEF, PASSWORD);
    const third = (await mailTo(service, THIEF)).token;
    assert.deepEqual(await undo(service, owner, PASSWORD), [200, null]);
    for (const link of [thief, again, third]) {
      assert.deepEqual(await undo(service, link, PASSWORD), [403, "invalid_token"]);
    }
    assert.deepEqual(await addresses(service), [ANNA]);
  },
  PUBLIC_SETTINGS,
);

test(
  "A1: a link from before the account left and came back still asks for the password, and ends the way out",
  async (service) => {
    const { owner } = await movedTwice(service);
    const { session } = await logIn(service, SECOND_THIEF);
    const form = { new_email: ANNA, password: PASSWORD };
    assert.deepEqual(await outcome(service, "POST", "/change_email", { form, session }), [200, null]);
    // Anna takes the thief's request for a repair.
    const { token } = await mailTo(service, ANNA);
    assert.equal((await service.send("PUT", "/change_email", { change_token: token }))[0], 200);
    const { token: wayOut } = await mailTo(service, SECOND_THIEF);
    const page = await service.request("GET", `/undo?token=${owner}`, { headers: { accept: "text/html" } });
    assert.match(await page.text(), /type="password"/);
    assert.deepEqual(await undo(service, owner, PASSWORD), [200, null]);
    assert.deepEqual(await undo(service, wayOut, PASSWORD), [403, "invalid_token"]);
    assert.deepEqual(await addresses(service), [ANNA]);
  },
  PUBLIC_SETTINGS,
);

test("A1: an undo without the password leaves its link for the password, but freezes only once", async (service) => {
  await signUp(service);
  await logIn(service);
  // The first change holds the only proof of the former password.
  await steal(service);
  const links = mailbox(service, ANNA).filter(({ text }) => text.includes("/undo?token="));
  for (const { token } of links) assert.deepEqual(await undo(service, token), [200, null]);
  await reset(service, THIEF, THIEF_PASSWORD);
  const { session } = await logIn(service, THIEF, THIEF_PASSWORD);
  for (const { token } of links) assert.deepEqual(await undo(service, token), [403, "wrong_password"]);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200, "the old mailbox froze it again");
  assert.deepEqual(await undo(service, links.at(-1)!.token, PASSWORD), [200, null]);
  assert.deepEqual(await addresses(service), [ANNA]);
  assert.deepEqual(await undo(service, links.at(-1)!.token, PASSWORD), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test("A1: a wrong password at a used link changes nothing, and the link ends after its 72 hours", async (service) => {
  const { link } = await moved(service);
  assert.deepEqual(await undo(service, link), [200, null]);
  assert.deepEqual(await undo(service, link, "not the password"), [403, "wrong_password"]);
  service.clock.now += 3 * DAY - 1;
  assert.deepEqual(await undo(service, link, "not the password"), [403, "wrong_password"]);
  service.clock.now += 1;
  assert.deepEqual(await undo(service, link, PASSWORD), [403, "invalid_token"]);
  assert.deepEqual(await addresses(service), [OTHER]);
}, PUBLIC_SETTINGS);

test(
  "A1: once an address is restored, its other links ask for no password, and a new theft can be undone",
  async (service) => {
    await signUp(service);
    await logIn(service);
    await steal(service);
    const links = mailbox(service, ANNA).filter(({ text }) => text.includes("/undo?token="));
    assert.deepEqual(await undo(service, links[1].token, PASSWORD), [200, null]);
    assert.equal(await undoNeedsPassword(service.auth, links[0].token), false);
    // The password is the same again, so that the thief comes back.
    await reset(service, ANNA, PASSWORD);
    await moveTo(service, await logIn(service), SECOND_THIEF, PASSWORD);
    const { token } = await mailTo(service, ANNA);
    assert.equal(await undoNeedsPassword(service.auth, links[0].token), true);
    assert.deepEqual(await undo(service, token, PASSWORD), [200, null]);
    assert.deepEqual(await addresses(service), [ANNA]);
  },
  PUBLIC_SETTINGS,
);

test(
  "A1: passwords of later changes do not push out the former one, on an instance whose clock is behind",
  async (service) => {
    await signUp(service);
    await logIn(service);
    let { session } = await steal(service);
    await service.mails();
    const { token } = mailbox(service, ANNA).at(-1)!;
    const other = await service.another();
    other.clock.now -= HOUR;
    let current_password = THIEF_PASSWORD;
    for (let count = 0; count < 4; count++) {
      other.clock.now += 1;
      const new_password = `${THIEF_PASSWORD} ${count}`;
      const changed = await other.request("PUT", "/password", { form: { current_password, new_password }, session });
      assert.equal(changed.status, 200);
      session = browserOf(changed).session;
      current_password = new_password;
    }
    assert.deepEqual(await undo(service, token, PASSWORD), [200, null]);
  },
  PUBLIC_SETTINGS,
);

test("A1: concurrent undos by the owner and the thief on two instances end at the owner's address", async (service) => {
  const other = await service.another();
  for (let round = 0; round < 5; round++) {
    const { owner, thief } = await movedTwice(service);
    const both = [() => undo(service, owner, PASSWORD), () => undo(other, thief, PASSWORD)];
    const answers = await Promise.all((round % 2 ? both : both.toReversed()).map((act) => act()));
    assert.ok(answers.some(([status]) => status === 200));
    assert.deepEqual(await addresses(service), [ANNA], JSON.stringify(answers));
    for (const table of ["users", "counters", "events", "tokens"]) await service.rows(`DELETE FROM ${table}`);
    service.clock.now += DAY;
  }
}, { ...PUBLIC_SETTINGS, THROTTLE: "observe" });

test("A11: nobody registers an address that an undo link can restore, and its mailbox hears why", async (service) => {
  const { link } = await moved(service);
  service.clock.now += HOUR;
  for (const password of ["a stranger's password", "a second try"]) {
    const answer = await service.send("POST", "/users", { email: ANNA, password });
    assert.deepEqual(answer, [200, { email: ANNA, message: "user created" }]);
  }
  const mails = await service.mails();
  assert.deepEqual(mails.map(({ to, token, code }) => [to, token, code]), [[ANNA, "", ""]], "one notice a day");
  assert.match(mails[0].subject, /be used/);
  assert.deepEqual(await outcome(service, "POST", "/verify_email", { form: { email: ANNA } }), [200, null]);
  assert.deepEqual(await service.mails(), []);
  assert.deepEqual(await undo(service, link, PASSWORD), [200, null]);
  assert.deepEqual(await addresses(service), [ANNA]);
}, PUBLIC_SETTINGS);

test("A11: the address of an undo without the password stays reserved while the account waits", async (service) => {
  const { link } = await moved(service);
  assert.deepEqual(await undo(service, link), [200, null]);
  await service.mails();
  await service.register(ANNA, "a stranger's password");
  assert.deepEqual((await service.mails()).filter(({ token }) => token !== ""), []);
  assert.deepEqual(await undo(service, link, PASSWORD), [200, null]);
  assert.deepEqual(await addresses(service), [ANNA]);
}, PUBLIC_SETTINGS);

test("A11: locally a reserved address counts as registered, and is free once the last link has ended", async (service) => {
  await service.register(ANNA, PASSWORD);
  const browser = await logIn(service);
  await moveTo(service, browser, OTHER, PASSWORD);
  await mailTo(service, ANNA);
  const form = { email: ANNA, password: NEW_PASSWORD };
  assert.deepEqual(await service.send("POST", "/users", form), [400, { message: "email already registered" }]);
  assert.deepEqual(await addresses(service), [OTHER]);
  service.clock.now += 3 * DAY;
  assert.equal((await service.send("POST", "/users", form))[0], 200);
  assert.deepEqual(await addresses(service), [ANNA, OTHER]);
});

test("A11: a reserved address can be had by its own account, and by no other one's change", async (service) => {
  const { browser, link } = await moved(service);
  await signUp(service, BERT);
  const bert = await logIn(service, BERT);
  const form = { new_email: ANNA, password: PASSWORD };
  assert.deepEqual(await outcome(service, "POST", "/change_email", { form, session: bert.session }), [200, null]);
  const mails = await service.mails();
  assert.deepEqual(mails.map(({ to, token }) => [to, token]), [[ANNA, ""], [BERT, ""]]);
  await moveTo(service, browser, ANNA, PASSWORD);
  assert.deepEqual(await addresses(service), [ANNA, BERT]);
  assert.deepEqual(await undo(service, link, PASSWORD), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "A11: a change or registration that was asked for before the address became reserved is refused",
  async (service) => {
    await signUp(service);
    await signUp(service, BERT);
    const bert = await logIn(service, BERT);
    const form = { new_email: OTHER, password: PASSWORD };
    assert.deepEqual(await outcome(service, "POST", "/change_email", { form, session: bert.session }), [200, null]);
    const { token } = await mailTo(service, OTHER);
    const anna = await moveTo(service, await logIn(service), OTHER, PASSWORD);
    await moveTo(service, anna, "anna@example.net", PASSWORD);
    await assert.rejects(changeEmail(service.auth, { token }, {}), { code: "invalid_token" });
    assert.deepEqual(await addresses(service), ["anna@example.net", BERT]);
  },
  PUBLIC_SETTINGS,
);

test("A11: the operator hears that an address is reserved", async (service) => {
  await moved(service);
  await assert.rejects(createUser(service.auth, OPERATOR, ANNA, "the operator's words"), {
    code: "email_taken",
    message: /may get it back/,
  });
  assert.deepEqual(await addresses(service), [OTHER]);
}, PUBLIC_SETTINGS);
