/**
 * Sending the mails of events: at least once, by one instance at a time, with a limited number of retries, and with
 * tokens that are made when the mail is sent.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { deliverMails, deliverRegularly, Outbox } from "../../auth/mail/outbox.ts";
import { UNPACED } from "../../auth/mail/slots.ts";
import { Loop } from "../../auth/runtime/loop.ts";
import { type MailMessage, MailRefused } from "../../auth/runtime/smtp.ts";
import { createApp } from "../../routes/app.ts";
import {
  ANNA,
  BERT,
  DAY,
  eventTypes,
  HOUR,
  logIn,
  MINUTE,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, received, type RequestOptions, type Service, test } from "../kit/service.ts";

/** A service whose mails go to this function. */
function sendingBy(service: Service, send: (mail: MailMessage) => Promise<void>, close = () => {}): Auth {
  return { ...service.auth, mails: new Loop(), transport: { send, close } };
}

/** The time at which the only waiting mail is due, or undefined when none waits. */
async function dueAt(service: Service): Promise<number | undefined> {
  const rows = await service.rows<{ mail_at: number }>("SELECT mail_at FROM events WHERE mail_at IS NOT NULL");
  assert.ok(rows.length <= 1);
  return rows[0]?.mail_at;
}

async function askForReset(service: Service): Promise<void> {
  await signUp(service);
  assert.equal((await service.send("POST", "/reset_password", { email: ANNA }))[0], 200);
}

function countType(types: string[], type: string): number {
  return types.filter((each) => each === type).length;
}

test("two instances that look for mails at once send each mail once", async (service) => {
  const other = await service.another();
  for (let index = 0; index < 12; index++) await service.register(`p${index}@example.com`, PASSWORD);
  const sent: string[] = [];
  const send = async ({ to }: MailMessage): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    sent.push(to);
  };
  const counts = await Promise.all([service, other].map((each) => deliverMails(sendingBy(each, send))));
  assert.equal(counts[0] + counts[1], 12);
  assert.deepEqual(sent.toSorted(), Array.from({ length: 12 }, (_, index) => `p${index}@example.com`).toSorted());
  assert.equal(countType(await eventTypes(service), "mail_sent"), 12);
}, PUBLIC_SETTINGS);

test(
  "only one instance sends a mail during its lease; after two minutes another one takes it over",
  async (service) => {
    await askForReset(service);
    const other = await service.another();
    const { promise: begun, resolve: begin } = Promise.withResolvers<MailMessage>();
    const { promise: late, resolve: finish } = Promise.withResolvers<void>();
    const hanging = deliverMails(sendingBy(service, (mail) => (begin(mail), late)));
    const first = received(await begun);
    other.clock.now += 2 * MINUTE - 1;
    assert.deepEqual(await other.mails(), []);
    other.clock.now += 1;
    const [second] = await other.mails();
    assert.equal(second.to, ANNA);
    // The first sender continues and finds that its lease has ended.
    finish();
    await hanging;
    assert.equal(countType(await eventTypes(service), "mail_sent"), 2, "one for the registration, one for the reset");
    // The second sending replaced the tokens of the first one.
    for (const [token, status] of [[first.token, 403], [second.token, 200]] as const) {
      const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
      assert.equal((await outcome(other, "PUT", "/reset_password", { form }))[0], status);
    }
  },
  PUBLIC_SETTINGS,
);

test("no lock is held while a mail is sent, so requests for the same account work", async (service) => {
  await askForReset(service);
  const during: unknown[] = [];
  const auth = sendingBy(service, async () => {
    // This request makes another mail, so it runs only once.
    if (during.length > 0) return;
    during.push(await outcome(service, "POST", "/reset_password", { form: { email: ANNA } }));
    during.push(await outcome(service, "POST", "/sessions", { form: { email: ANNA, password: PASSWORD } }));
    await service.rows("UPDATE events SET details = details");
  });
  assert.ok(await deliverMails(auth) > 0);
  assert.deepEqual(during.slice(0, 2), [[200, null], [200, null]]);
}, PUBLIC_SETTINGS);

test(
  "F11: a failed mail is retried after 5 s, doubling to 10 minutes; one with a token is given up after an hour",
  async (service) => {
    await askForReset(service);
    const asked = service.clock.now;
    const ids = new Set<string>();
    const auth = sendingBy(service, ({ id }) => (ids.add(id), Promise.reject(new Error("the mail server is down"))));
    const pauses: number[] = [];
    for (let due = await dueAt(service); due !== undefined; due = await dueAt(service)) {
      service.clock.now = due;
      assert.equal(await deliverMails(auth), 0);
      const next = await dueAt(service);
      if (next !== undefined) pauses.push((next - due) / 1_000);
    }
    assert.deepEqual(pauses.slice(0, 9), [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    assert.ok(pauses.every((pause) => pause <= 600));
    assert.ok(service.clock.now - asked >= HOUR && service.clock.now - asked < HOUR + 10 * MINUTE);
    assert.equal(countType(await eventTypes(service), "mail_given_up"), 1);
    assert.equal(ids.size, 1, "one Message-ID over all tries");
    const [given] = await service.rows("SELECT * FROM events WHERE type = 'mail_given_up'");
    assert.ok(given.user_id);
    assert.ok(!JSON.stringify(service.logged).includes("anna"), "the log names no address");
  },
  PUBLIC_SETTINGS,
);

test("F11: a notice is retried for a day", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  const auth = sendingBy(service, () => Promise.reject(new Error("the mail server is down")));
  service.clock.now += DAY - 1;
  await deliverMails(auth);
  assert.equal(countType(await eventTypes(service), "mail_given_up"), 0);
  assert.notEqual(await dueAt(service), undefined);
  service.clock.now += 10 * MINUTE;
  await deliverMails(auth);
  assert.equal(countType(await eventTypes(service), "mail_given_up"), 1);
  assert.equal(await dueAt(service), undefined);
}, PUBLIC_SETTINGS);

test("mails that somebody waits for are sent before notices, however many notices are due", async (service) => {
  await signUp(service);
  await logIn(service);
  for (let index = 0; index < 15; index++) {
    await service.rows("DELETE FROM counters");
    await logIn(service);
  }
  service.clock.now += 1_000;
  await service.send("POST", "/reset_password", { email: ANNA });
  await service.register(BERT, PASSWORD);
  const links: string[] = [];
  await deliverMails(
    sendingBy(service, ({ text }) => Promise.resolve(void links.push(/\/(\w+)\?token=/.exec(text)![1]))),
  );
  assert.deepEqual(links.slice(0, 2).sort(), ["reset", "verify"]);
  assert.deepEqual([links.length, new Set(links.slice(2))], [17, new Set(["undo"])]);
}, PUBLIC_SETTINGS);

test("A3: a notice is sent while others ask for mails without end", async (service) => {
  await signUp(service);
  await logIn(service);
  let asked = 0, told = false;
  const ask = async (): Promise<void> => {
    service.clock.now += 1;
    await service.rows("DELETE FROM counters");
    await service.send("POST", "/reset_password", { email: `nobody${asked++}@example.com` });
  };
  await logIn(service);
  const auth = sendingBy(service, ({ to }) => Promise.resolve(void (told ||= to === ANNA)));
  const outbox = new Outbox(auth, UNPACED, 1);
  for (let count = 0; count < 12; count++) await ask();
  for (let sent = 0; sent < 12 && !told; sent++) {
    await outbox.look();
    await Promise.all([outbox.idle(), ask()]);
  }
  assert.ok(told, `not after ${asked} requests of others`);
}, PUBLIC_SETTINGS);

test("a mail that the server refuses for good is not retried, and an event records it", async (service) => {
  await askForReset(service);
  const auth = sendingBy(service, () => Promise.reject(new MailRefused("the mail server answered 550 to RCPT TO")));
  assert.equal(await deliverMails(auth), 0);
  assert.equal(await dueAt(service), undefined);
  assert.equal(countType(await eventTypes(service), "mail_refused"), 1);
}, PUBLIC_SETTINGS);

test("a token's lifetime starts when its mail is sent, not at the request", async (service) => {
  await askForReset(service);
  service.clock.now += 29 * MINUTE;
  const [{ token }] = await service.mails();
  service.clock.now += 30 * MINUTE - 1;
  const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("F11: a delayed reset mail is sent within an hour, and its link is valid for half an hour", async (service) => {
  await askForReset(service);
  service.clock.now += HOUR - 1;
  const [{ token }] = await service.mails();
  service.clock.now += 30 * MINUTE - 1;
  const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("a mail whose token was used, replaced or ended in the meantime is not sent", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  const mails = await service.mails();
  assert.deepEqual(mails.map(({ text }) => text.includes("/reset?token=")), [false]);
  assert.equal(await dueAt(service), undefined);
}, PUBLIC_SETTINGS);

test("a row that cannot be read does not block the mails behind it", async (service) => {
  await service.register(BERT, PASSWORD);
  for (const broken of ["{", '{"kind":"of a later version","to":"x@example.com"}']) {
    await service.rows("UPDATE events SET mail = $1, mail_at = 0 WHERE mail_at IS NOT NULL", broken);
    await service.register(ANNA, PASSWORD);
    assert.deepEqual((await service.mails()).map(({ to }) => to), [ANNA]);
    assert.ok(service.logged.some((entry) => "mail" in entry), "and the operator hears of it");
  }
}, PUBLIC_SETTINGS);

test("constant new requests do not delay the mails", async (service) => {
  await service.register(ANNA, PASSWORD);
  const { promise: sent, resolve } = Promise.withResolvers<string>();
  const auth = sendingBy(service, ({ to }) => Promise.resolve(resolve(to)));
  const stop = deliverRegularly(auth);
  // More often than the short pause after a wake-up, and for longer than the usual pause.
  const ringing = setInterval(() => auth.mails.wake(), 10);
  const patience = setTimeout(() => resolve("nobody"), 20_000);
  try {
    assert.equal(await sent, ANNA);
  } finally {
    clearInterval(ringing);
    clearTimeout(patience);
    await stop();
  }
}, PUBLIC_SETTINGS);

test("F11: no request waits for a mail server that does not answer, at any endpoint that mails", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  let begun = 0;
  const { promise: broken, reject } = Promise.withResolvers<void>();
  broken.catch(() => {});
  const auth = sendingBy(service, () => (begun++, broken), () => reject(new Error("broken off")));
  const app = createApp(auth);
  const stop = deliverRegularly(auth);
  const requests: [string, string, RequestOptions][] = [
    ["POST", "/reset_password", { form: { email: ANNA } }],
    ["POST", "/users", { form: { email: BERT, password: PASSWORD } }],
    ["POST", "/users", { form: { email: ANNA, password: PASSWORD } }],
    ["POST", "/verify_email", { form: { email: BERT } }],
    ["POST", "/sessions", { form: { email: ANNA, password: PASSWORD } }],
    ["POST", "/change_email", { form: { new_email: "anna@example.org", password: PASSWORD }, session }],
    ["PUT", "/password", { form: { current_password: PASSWORD, new_password: NEW_PASSWORD }, session }],
  ];
  const patience = setTimeout(() => reject(new Error("a request waited for the mail server")), 20_000);
  try {
    for (const [index, [method, path, options]] of requests.entries()) {
      const answer = service.requestTo(app, method, path, options);
      const response = await Promise.race([answer, broken.then(() => assert.fail("broken off"))]);
      assert.equal(response.status, 200, `${method} ${path}`);
      await response.body?.cancel();
      // From the first request on, the worker is sending a mail that does not end.
      while (index === 0 && begun === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(begun > 0, "the worker still waits");
  } finally {
    clearTimeout(patience);
    reject(new Error("over"));
    await stop();
  }
}, PUBLIC_SETTINGS);

test("F18: a stop interrupts the mails in progress, starts no other, and loses none", async (service) => {
  await service.register(ANNA, PASSWORD);
  let begun = 0, closed = 0;
  const { promise: broken, reject } = Promise.withResolvers<void>();
  broken.catch(() => {});
  const auth = sendingBy(service, () => (begun++, broken), () => (closed++, reject(new Error("broken off"))));
  const stop = deliverRegularly(auth);
  auth.mails.wake();
  while (begun === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const stopped = stop();
  await service.register(BERT, PASSWORD);
  auth.mails.wake();
  await stopped;
  assert.deepEqual([begun, closed], [1, 1]);
  service.clock.now += MINUTE;
  assert.deepEqual((await service.mails()).map(({ to }) => to).sort(), [ANNA, BERT]);
}, PUBLIC_SETTINGS);
