/**
 * Mails that strangers can ask for: the budget of an address refills, so that nobody can keep its owner out by using it
 * up, and the number of mails to a mailbox stays bounded.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { countWithin } from "../../auth/limits/rate_limits.ts";
import { findCounter } from "../../db/counters.ts";
import { ANNA, HOUR, logIn, mailbox, MINUTE, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const STRANGER = "stranger@example.com", NEW = "new@example.com";

/** The requests that mail a typed address, each from a network of its own. */
const REQUESTS: Record<string, (session: string) => [string, string, RequestOptions]> = {
  register: () => ["POST", "/users", { form: { email: NEW, password: PASSWORD } }],
  verify: () => ["POST", "/verify_email", { form: { email: NEW } }],
  reset: () => ["POST", "/reset_password", { form: { email: ANNA } }],
  change: (session) => ["POST", "/change_email", { form: { new_email: NEW, password: PASSWORD }, session }],
};

let networks = 0;

async function ask(service: Service, kind: string, session = ""): Promise<void> {
  const [method, path, options] = REQUESTS[kind](session);
  const ip = `2001:db8:0:${(++networks).toString(16)}::1`;
  assert.deepEqual(await outcome(service, method, path, { ...options, ip }), [200, null]);
}

async function isLive(service: Service, token: string): Promise<boolean> {
  const response = await service.request("GET", `/reset?token=${token}`);
  await response.body?.cancel();
  return response.status === 200;
}

/** When a stranger asks for resets, by the minute. */
const STRANGERS: Record<string, (minute: number) => number> = {
  "once, at the beginning": (minute) => minute === 0 ? 5 : 0,
  "at the beginning of each hour": (minute) => minute % 60 === 0 ? 6 : 0,
  "whenever a link is about to end": (minute) => minute % 30 === 0 ? 5 : 0,
  "all the time": () => 1,
};

for (const [when, requests] of Object.entries(STRANGERS)) {
  test(
    `A4: an owner who asks for a reset has a live link at any time, while a stranger asks ${when}`,
    async (service) => {
      await signUp(service);
      for (let minute = 0; minute < 75; minute++) {
        for (let count = 0; count < requests(minute); count++) await ask(service, "reset");
        if (minute % 10 === 5) {
          await ask(service, "reset");
          await service.mails();
          assert.ok(await isLive(service, mailbox(service, ANNA).at(-1)!.token), `minute ${minute}`);
        }
        service.clock.now += MINUTE;
      }
      // A request ends the link before it, and its mail brings the new one.
      await service.mails();
      const form = { email: ANNA, reset_token: mailbox(service, ANNA).at(-1)!.token, new_password: NEW_PASSWORD };
      assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
    },
    PUBLIC_SETTINGS,
  );
}

for (const kind of Object.keys(REQUESTS)) {
  test(`A4: of mails by ${kind}, a mailbox gets five at once and then one every 12 minutes`, async (service) => {
    await signUp(service);
    // Three, because one account may ask for 20 changes of address in an hour.
    const sessions: string[] = [];
    for (const stranger of [STRANGER, `2${STRANGER}`, `3${STRANGER}`]) {
      await signUp(service, stranger);
      sessions.push((await logIn(service, stranger)).session);
    }
    let asked = 0;
    if (kind === "verify") await ask(service, "register");
    await service.mails();
    const to = kind === "reset" ? ANNA : NEW;
    const start = service.clock.now, times: number[] = [];
    for (let step = 0; step < 24; step++) {
      for (let count = 0; count < (step === 0 ? 8 : 2); count++) {
        await ask(service, kind, sessions[asked++ % 3]);
        const arrived = (await service.mails()).filter((mail) => mail.to === to);
        times.push(...arrived.map(() => (service.clock.now - start) / MINUTE));
      }
      service.clock.now += 3 * MINUTE;
    }
    assert.deepEqual(times, [0, 0, 0, 0, 0, 12, 24, 36, 48, 60]);
  }, PUBLIC_SETTINGS);
}

test("A4: after an hour without a request there are five again, and never more", async (service) => {
  await signUp(service);
  for (const wait of [0, HOUR, 100 * HOUR]) {
    service.clock.now += wait;
    for (let count = 0; count < 8; count++) await ask(service, "reset");
    await service.mails();
  }
  assert.equal(mailbox(service, ANNA).filter(({ text }) => text.includes("/reset?token=")).length, 15);
}, PUBLIC_SETTINGS);

test("A4, V37: of simultaneous requests on two instances five get a mail", async (service) => {
  const { auth } = await service.another();
  const results = await Promise.all(Array.from({ length: 30 }, (_, index) => {
    const on = index % 2 ? auth : service.auth;
    return countWithin(on, LIMITS.addressMails, { of: ["reset", ANNA] });
  }));
  assert.equal(results.filter(({ within }) => within).length, 5);
  const wait = results.find(({ within }) => !within)!.until - service.clock.now;
  assert.equal(wait, 12 * MINUTE, "it says when the next one is within the limit");
}, PUBLIC_SETTINGS);

test("A4, F12: a clock that was set back keeps nobody waiting longer than an hour for five mails", async (service) => {
  const take = () => countWithin(service.auth, LIMITS.addressMails, { of: ["reset", ANNA] });
  for (let count = 0; count < 5; count++) await take();
  service.clock.now -= 1_000 * HOUR;
  assert.equal((await take()).within, false);
  const row = await findCounter(service.auth.db, `mail:reset:${ANNA}`);
  assert.equal(row?.expires_at, service.clock.now + HOUR);
  service.clock.now += HOUR;
  for (let count = 0; count < 5; count++) assert.equal((await take()).within, true);
  assert.equal((await take()).within, false);
}, PUBLIC_SETTINGS);

test("A4: a counter from before the upgrade shuts nobody out for longer than twelve minutes", async (service) => {
  const ends = service.clock.now + HOUR;
  await service.rows(`INSERT INTO counters (id, count, expires_at) VALUES ('mail:reset:${ANNA}', 9, ${ends})`);
  const take = () => countWithin(service.auth, LIMITS.addressMails, { of: ["reset", ANNA] });
  assert.equal((await take()).within, false);
  service.clock.now += 12 * MINUTE;
  assert.deepEqual([(await take()).within, (await take()).within], [true, false]);
}, PUBLIC_SETTINGS);
