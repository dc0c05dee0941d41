/**
 * The outbox shows nobody who has an account: a request holds the same slots whoever its mail is for. The tests count
 * entries, slots and tries; `tests/scale/outbox_times_test.ts` measures the times.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { checkMail } from "../../auth/maintenance/doctor.ts";
import { deliverMails, deliverRegularly, Outbox, waitingMails } from "../../auth/mail/outbox.ts";
import { type Pacing, UNPACED, UsualMail } from "../../auth/mail/slots.ts";
import { Loop } from "../../auth/runtime/loop.ts";
import type { MailMessage } from "../../auth/runtime/smtp.ts";
import { ANNA, BERT, type Body, DAY, HOUR, logIn, NOBODY, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const OWN = "stranger@example.net";
/** Slots for first tries, as in a service. */
const SLOTS = 8;

/** Every endpoint that mails to a typed address. */
const FORMS: Record<string, (email: string, session: string) => [string, string, RequestOptions]> = {
  register: (email) => ["POST", "/users", { form: { email, password: PASSWORD } }],
  verify: (email) => ["POST", "/verify_email", { form: { email } }],
  reset: (email) => ["POST", "/reset_password", { form: { email } }],
  change: (email, session) => ["POST", "/change_email", { form: { new_email: email, password: PASSWORD }, session }],
};

async function ask(service: Service, form: string, email: string, session = ""): Promise<void> {
  const [method, path, options] = FORMS[form](email, session);
  assert.deepEqual(await outcome(service, method, path, options), [200, null], form);
}

/** The entries of the outbox, without those of mails to this address: how long they are tried, and since when. */
async function entries(service: Service, without = ""): Promise<{ until: number; at: number }[]> {
  const rows = await service.rows<Record<"created_at" | "mail_at" | "mail_until", number> & { mail: string }>(
    "SELECT created_at, mail_at, mail_until, mail FROM events WHERE mail_at IS NOT NULL",
  );
  return rows.filter(({ mail }) => JSON.parse(mail).to !== without)
    .map((row) => ({ until: row.mail_until - row.created_at, at: row.mail_at - row.created_at }));
}

/** One address of each state. Leaves no mail waiting. */
async function everybody(service: Service): Promise<Record<string, string>> {
  const people = ["known", "closed", "disabled", "frozen", "unproven"];
  const all = Object.fromEntries([...people, "registering", "unknown"].map((who) => [who, `${who}@example.com`]));
  for (const who of people) await signUp(service, all[who]);
  await service.register(all.registering, PASSWORD);
  const { session } = await logIn(service, all.closed);
  assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, session))[0], 200);
  const now = service.clock.now;
  await service.rows("UPDATE users SET disabled_at = $1 WHERE email_key = $2", now, all.disabled);
  await service.rows("UPDATE users SET frozen_at = $1, hashed_password = NULL WHERE email_key = $2", now, all.frozen);
  await service.rows("UPDATE users SET email_verified_at = NULL WHERE email_key = $1", all.unproven);
  await service.mails();
  await service.rows("DELETE FROM counters");
  return all;
}

/** A context whose mails go to this function. */
function sendingBy(service: Service, send: (mail: MailMessage) => Promise<void>): Auth {
  return { ...service.auth, mails: new Loop(), transport: { ...service.auth.transport, send } };
}

/** Waits until a condition holds, for as long as the test may take at all. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !await condition(); tries++) {
    assert.ok(tries < 10_000, `never: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A pacing that holds slots until the test frees them. All other waits take no time. */
function heldPacing(): { pacing: Pacing; held: (() => void)[]; waits: number[] } {
  const held: (() => void)[] = [], waits: number[] = [];
  const wait: Pacing["wait"] = (what, time, signal) => {
    waits.push(time);
    if (what !== "slot") return Promise.resolve();
    return new Promise((resolve) => {
      held.push(resolve);
      signal?.addEventListener("abort", () => resolve());
    });
  };
  return { pacing: { wait, random: () => 0.5, now: () => 0 }, held, waits };
}

for (const form of Object.keys(FORMS)) {
  test(`A3: each request at "${form}" makes one entry in the outbox, whoever has the address`, async (service) => {
    const people = await everybody(service);
    await signUp(service, OWN);
    const { session } = await logIn(service, OWN);
    await service.mails();
    for (const [who, email] of Object.entries(people)) {
      await service.rows("DELETE FROM counters");
      const made = [];
      for (let count = 0; count < 6; count++) {
        await ask(service, form, email, session);
        made.push(await entries(service, OWN));
        await service.rows("UPDATE events SET mail_at = NULL");
      }
      const one = [{ until: HOUR, at: 0 }];
      assert.deepEqual(made, [one, one, one, one, one, []], `${who}: five within the limit, none beyond it`);
    }
  }, PUBLIC_SETTINGS);
}

test("A3: the next mail waits for the same slots, whoever has the address of the mails before", async (service) => {
  await signUp(service, ANNA);
  await signUp(service, OWN);
  for (const email of [ANNA, NOBODY]) {
    await service.rows("DELETE FROM counters");
    for (let count = 0; count < 5; count++) await ask(service, "reset", email);
    for (let count = 0; count < 3; count++) await ask(service, "verify", email);
    service.clock.now += 1;
    await ask(service, "reset", OWN);
    const begun: string[] = [];
    const { promise: hanging, resolve: answer } = Promise.withResolvers<void>();
    const { pacing, held } = heldPacing();
    // The mails before hang in the mail server, longer than any slot is held.
    const send = ({ to }: MailMessage) => (begun.push(to), to === OWN ? Promise.resolve() : hanging);
    const outbox = new Outbox(sendingBy(service, send), pacing);
    await outbox.look();
    assert.equal(held.length, SLOTS, `${email}: all slots are held`);
    await outbox.look();
    assert.deepEqual([held.length, begun.includes(OWN)], [SLOTS, false], `${email}: the next mail waits`);
    held.shift()!();
    await until(async () => (await outbox.look(), begun.includes(OWN)));
    answer();
    await until(() => (held.splice(0).forEach((free) => free()), begun.length === (email === ANNA ? 6 : 1)));
    const ended = outbox.idle();
    held.splice(0).forEach((free) => free());
    await ended;
    assert.deepEqual(await entries(service), [], "nothing is left");
    assert.equal(outbox.sent, begun.length);
  }
}, PUBLIC_SETTINGS);

test("A3: a slot is held for the usual time of the last mails, for every entry alike", async (service) => {
  await signUp(service, ANNA);
  await signUp(service, BERT);
  let now = 0;
  const { pacing, waits } = heldPacing();
  const slow = {
    ...pacing,
    wait: (_what: string, time: number) => (waits.push(time), Promise.resolve()),
    now: () => now,
  };
  const outbox = new Outbox(sendingBy(service, () => Promise.resolve(void (now += 3_000))), slow, 1);
  const holds: number[][] = [];
  for (const [form, email] of [["reset", NOBODY], ["reset", ANNA], ["reset", NOBODY], ["reset", BERT]]) {
    service.clock.now += 1;
    await ask(service, form, email);
    waits.length = 0;
    await outbox.look();
    await outbox.idle();
    holds.push([...waits]);
  }
  // The first is the hold; then come the pause and, where there is no mail, the work.
  assert.deepEqual(holds, [[1_500, 500, 1_000], [1_500, 500], [3_500, 500, 3_000], [3_500, 500]]);
}, PUBLIC_SETTINGS);

Deno.test("A3: once the mail server works again, no slot is held as long as its timeouts took", () => {
  const usual = new UsualMail();
  for (let count = 0; count < 20; count++) usual.note(90_000, true);
  assert.equal(usual.time, 90_000, "while it fails, what stands for a mail takes as long as a mail");
  usual.note(200, false);
  assert.equal(usual.time, 200);
  usual.note(400, false);
  assert.equal(usual.time, 300);
});

test("A3: a mail that a later request replaced holds its slot too", async (service) => {
  await signUp(service, ANNA);
  await signUp(service, OWN);
  const { session } = await logIn(service, OWN);
  await service.mails();
  for (const email of [ANNA, NOBODY]) {
    await ask(service, "change", email, session);
    await ask(service, "change", "second@example.net", session);
    const { pacing, held } = heldPacing();
    const outbox = new Outbox(sendingBy(service, () => Promise.resolve()), pacing);
    await outbox.look();
    assert.equal(held.length, 4, `${email}: two mails to new addresses and two notices`);
    const ended = outbox.idle();
    held.forEach((free) => free());
    await ended;
    assert.deepEqual(await entries(service), []);
    await service.rows("DELETE FROM counters");
  }
}, PUBLIC_SETTINGS);

test("A3: retries at a known address that fails hold no slot of a new mail", async (service) => {
  await signUp(service, ANNA);
  await signUp(service, OWN);
  for (let count = 0; count < 5; count++) await ask(service, "reset", ANNA);
  await deliverMails(sendingBy(service, () => Promise.reject(new Error("450"))));
  service.clock.now += 5_000;
  for (let count = 0; count < 5; count++) await ask(service, "verify", NOBODY);
  for (let count = 0; count < 2; count++) await ask(service, "register", NOBODY);
  service.clock.now += 1;
  await ask(service, "reset", OWN);
  const begun: string[] = [];
  const { pacing, held } = heldPacing();
  const { promise: hanging, resolve: answer } = Promise.withResolvers<void>();
  const outbox = new Outbox(
    sendingBy(service, ({ to }) => (begun.push(to), to === ANNA ? hanging : Promise.resolve())),
    pacing,
  );
  await outbox.look();
  await until(() => begun.includes(OWN) && begun.filter((to) => to === ANNA).length === 4);
  assert.equal(held.length, SLOTS + 4, "the retries have four slots of their own");
  answer();
  await until(async () => {
    held.splice(0).forEach((free) => free());
    await outbox.look();
    return begun.filter((to) => to === ANNA).length === 5;
  });
  const ended = outbox.idle();
  held.splice(0).forEach((free) => free());
  await ended;
}, PUBLIC_SETTINGS);

test("A3: while the mail server fails, what stands for a mail is tried again like a mail", async (service) => {
  await signUp(service, ANNA);
  await ask(service, "reset", ANNA);
  await ask(service, "reset", NOBODY);
  const outbox = new Outbox(sendingBy(service, () => Promise.reject(new Error("the mail server is down"))), UNPACED, 1);
  const due: number[][] = [];
  for (let tries = 0; tries < 4; tries++) {
    while (await outbox.look()) await outbox.idle();
    const times = (await entries(service)).map(({ at }) => at);
    due.push(times);
    assert.equal(times.length, 2);
    service.clock.now += Math.max(...times) - (service.clock.now - await askedAt(service));
  }
  for (const [mail, none] of due) assert.equal(mail, none);
  service.clock.now += HOUR;
  await deliverMails(service.auth);
  assert.deepEqual(await entries(service), []);
  const given = await service.rows("SELECT user_id FROM events WHERE type = 'mail_given_up'");
  assert.equal(given.length, 1, "only the mail is given up by an event");
}, PUBLIC_SETTINGS);

async function askedAt(service: Service): Promise<number> {
  const [{ created_at }] = await service.rows<{ created_at: number }>(
    "SELECT MIN(created_at) AS created_at FROM events WHERE mail_at IS NOT NULL",
  );
  return Number(created_at);
}

test("A3: what stands for a mail shows nowhere, and is gone afterwards", async (service) => {
  await signUp(service, ANNA);
  const { session } = await logIn(service, ANNA);
  await service.mails();
  // The account is known, but waits for no proof: nothing is sent.
  await ask(service, "verify", ANNA);
  await ask(service, "reset", NOBODY);
  assert.equal((await entries(service)).length, 2);
  service.clock.now += HOUR - 1;
  assert.deepEqual(await waitingMails(service.auth), { count: 0, oldest: 0 });
  const [waiting] = await checkMail(service.auth, undefined);
  assert.equal(waiting.state, "ok", waiting.found);
  for (const path of ["/account/events", "/account/export"]) {
    await service.rows("UPDATE sessions SET created_at = $1, authenticated_at = $1", service.clock.now);
    const [status, body] = await service.send("GET", path, undefined, session);
    assert.equal(status, 200);
    for (const event of (body as { events: Body[] }).events) {
      assert.deepEqual(Object.keys(event).filter((name) => name.includes("mail")), []);
      assert.ok(!JSON.stringify(event).includes('"none"'));
    }
  }
  const types = await service.rows("SELECT type FROM events");
  assert.deepEqual(await service.mails(), []);
  assert.deepEqual(await service.rows("SELECT id FROM events WHERE mail IS NOT NULL OR mail_at IS NOT NULL"), []);
  assert.deepEqual(await service.rows("SELECT type FROM events"), types, "it leaves no event of a mail");
}, PUBLIC_SETTINGS);

test("A3: of two instances one takes what stands for a mail, and each looks after restarts", async (service) => {
  const other = await service.another();
  for (let count = 0; count < 5; count++) await ask(service, "reset", NOBODY);
  const paced = [service, other].map((each) => ({ each, ...heldPacing() }));
  const outboxes = paced.map(({ each, pacing }) => new Outbox(sendingBy(each, () => Promise.resolve()), pacing));
  await Promise.all(outboxes.map((outbox) => outbox.look()));
  assert.equal(paced[0].held.length + paced[1].held.length, 5);
  for (const { held } of paced) held.forEach((free) => free());
  await Promise.all(outboxes.map((outbox) => outbox.idle()));
  assert.deepEqual(await entries(service), []);
}, PUBLIC_SETTINGS);

test("A3: a stop waits for no held slot, and what waited is due at the next start", async (service) => {
  await signUp(service, ANNA);
  await ask(service, "reset", ANNA);
  await ask(service, "reset", NOBODY);
  // A pause that does not end by itself.
  const auth = sendingBy(service, () => Promise.resolve());
  const wait: Pacing["wait"] = (_what, _time, signal) =>
    new Promise((resolve) => signal!.addEventListener("abort", () => resolve()));
  const stopping = new AbortController();
  const outbox = new Outbox(auth, { wait, random: () => 0.5, now: () => 0 });
  await outbox.look(stopping.signal);
  assert.equal(await outbox.look(stopping.signal), false);
  stopping.abort();
  await outbox.idle();
  assert.deepEqual((await entries(service)).map(({ at }) => at), [0, 0]);
  assert.deepEqual((await service.mails()).map(({ to }) => to), [ANNA]);
}, PUBLIC_SETTINGS);

test(
  "A3: a freed slot wakes the loop, so that the mails behind a flood do not wait for the next look",
  async (service) => {
    for (let count = 0; count < 20; count++) await service.register(`p${count}@example.com`, PASSWORD);
    const sent: string[] = [];
    const auth = sendingBy(service, ({ to }) => Promise.resolve(void sent.push(to)));
    const stop = deliverRegularly(auth);
    auth.mails.wake();
    await until(() => sent.length === 20);
    await stop();
    assert.equal(new Set(sent).size, 20);
  },
  PUBLIC_SETTINGS,
);

test(
  "A3: urgent mails stay before notices, and a closed account's mail is as urgent as every other",
  async (service) => {
    const people = await everybody(service);
    await ask(service, "register", people.closed);
    assert.deepEqual(await entries(service), [{ until: HOUR, at: 0 }]);
    const { session } = await logIn(service, people.known);
    assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, session))[0], 200);
    const untils = (await entries(service)).map(({ until }) => until);
    assert.deepEqual(untils.toSorted((a, b) => a - b), [HOUR, DAY], "the owner's own closing is tried for a day");
  },
  PUBLIC_SETTINGS,
);
