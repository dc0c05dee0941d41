/**
 * How much mail strangers can cause, by address and by network, and that the limits hold over instances and restarts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { ANNA, DAY, HOUR, logIn, mailTo, MINUTE, NEW_PASSWORD, outcome, PASSWORD, raw, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const IP = "192.0.2.1";

/** Every endpoint that sends a mail to a typed address. */
const DOORS: Record<string, (email: string, session: string) => [string, string, RequestOptions]> = {
  register: (email) => ["POST", "/users", { form: { email, password: PASSWORD } }],
  verify: (email) => ["POST", "/verify_email", { form: { email } }],
  reset: (email) => ["POST", "/reset_password", { form: { email } }],
  change: (email, session) => ["POST", "/change_email", { form: { new_email: email, password: PASSWORD }, session }],
};

async function statuses(service: Service, door: string, count: number, ip: string, session = ""): Promise<number[]> {
  const all = [];
  for (let index = 0; index < count; index++) {
    const [method, path, options] = DOORS[door](`${door}${index}@example.com`, session);
    all.push((await outcome(service, method, path, { ...options, ip }))[0]);
  }
  return all;
}

test(
  "S20: a network may register 20 times an hour, over all instances and restarts; other networks may too",
  async (service) => {
    const other = await service.another();
    assert.deepEqual(await statuses(service, "register", 10, IP), Array(10).fill(200));
    assert.deepEqual(await statuses(other, "register", 10, IP), Array(10).fill(200));
    service.clock.now += 20 * MINUTE;
    const response = await service.request("POST", "/users", { form: { email: ANNA, password: PASSWORD }, ip: IP });
    assert.deepEqual([response.status, response.headers.get("error-code")], [429, "rate_limited"]);
    assert.equal(response.headers.get("retry-after"), String(40 * 60), "until the hour is over");
    const restarted = await service.another();
    assert.deepEqual(await statuses(restarted, "register", 1, IP), [429]);
    assert.deepEqual(await statuses(service, "register", 1, "192.0.2.2"), [200]);
    service.clock.now += 40 * MINUTE;
    assert.deepEqual(await statuses(service, "register", 1, IP), [200]);
  },
  PUBLIC_SETTINGS,
);

test("S20: a network may request 20 mails an hour, over all endpoints that send mail", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  for (const door of ["verify", "reset", "change"]) {
    assert.deepEqual(await statuses(service, door, 6, IP, session), Array(6).fill(200), door);
  }
  assert.deepEqual(await statuses(service, "verify", 3, IP), [200, 200, 429]);
  const refused = [];
  for (const door of ["verify", "reset", "change"]) refused.push(...await statuses(service, door, 1, IP, session));
  assert.deepEqual(refused, [429, 429, 429]);
  assert.deepEqual(await statuses(service, "reset", 1, "192.0.2.2"), [200]);
}, PUBLIC_SETTINGS);

test("S20, V10: an IPv6 /64 is one network, and so is an IPv4 address in all its spellings", async (service) => {
  for (let index = 0; index < 20; index++) {
    assert.deepEqual(await statuses(service, "verify", 1, `2001:db8:0:1:${index}::1`), [200]);
  }
  assert.deepEqual(await statuses(service, "verify", 1, "2001:DB8:0:1:ffff:ffff:ffff:ffff"), [429]);
  assert.deepEqual(await statuses(service, "verify", 1, "2001:db8:0:2::1"), [200]);
  assert.deepEqual(await statuses(service, "verify", 10, "::ffff:192.0.2.1"), Array(10).fill(200));
  assert.deepEqual(await statuses(service, "verify", 11, "192.0.2.1"), [...Array(10).fill(200), 429]);
}, PUBLIC_SETTINGS);

test("S36: the sixth mail within an hour to one address is not sent, and the answer is the same", async (service) => {
  await signUp(service);
  const answers = new Set<string>();
  let sent = 0;
  for (let asked = 0; asked < 8; asked++) {
    const form = { email: asked % 2 ? ANNA : ANNA.toUpperCase() };
    const response = await service.request("POST", "/reset_password", { form, ip: `192.0.2.${asked}` });
    answers.add((await raw(response)).toLowerCase());
    sent += (await service.mails()).length;
  }
  assert.deepEqual([sent, answers.size], [5, 1]);
  service.clock.now += HOUR;
  await service.send("POST", "/reset_password", { email: ANNA });
  await mailTo(service, ANNA);
}, PUBLIC_SETTINGS);

test("S36: beyond the limit no mail is sent and the last token stays valid", async (service) => {
  await signUp(service);
  for (let asked = 0; asked < 5; asked++) await service.send("POST", "/reset_password", { email: ANNA });
  const { token } = await mailTo(service, ANNA);
  for (let asked = 0; asked < 3; asked++) await service.send("POST", "/reset_password", { email: ANNA });
  assert.deepEqual(await service.mails(), []);
  const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "S36: each endpoint has its own five mails to an address, so strangers cannot block the owner's reset",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    await signUp(service, "stranger@example.com");
    const stranger = await logIn(service, "stranger@example.com");
    for (let asked = 0; asked < 7; asked++) {
      for (const door of ["register", "verify", "change"]) {
        const [method, path, options] = DOORS[door](ANNA, stranger.session);
        assert.equal((await outcome(service, method, path, { ...options, ip: `192.0.2.${asked}` }))[0], 200);
      }
    }
    await service.mails();
    await service.send("POST", "/reset_password", { email: ANNA });
    assert.match((await mailTo(service, ANNA)).text, /\/reset\?token=/);
    for (const door of ["register", "verify", "change"]) {
      let sent = 0;
      for (let asked = 0; asked < 7; asked++) {
        const [method, path, options] = DOORS[door](`new-${door === "change" ? "c" : "r"}@example.com`, session);
        await outcome(service, method, path, { ...options, ip: `198.51.100.${asked}` });
        sent += (await service.mails()).filter(({ to }) => to !== ANNA).length;
      }
      assert.equal(sent, 5, door);
    }
  },
  PUBLIC_SETTINGS,
);

test("S36: the mail about an existing account is sent at most once a day, for the same answer", async (service) => {
  await signUp(service);
  const told = async (): Promise<number> => {
    await service.send("POST", "/users", { email: ANNA.toUpperCase(), password: PASSWORD });
    return (await service.mails()).length;
  };
  assert.deepEqual([await told(), await told(), await told()], [1, 0, 0]);
  service.clock.now += DAY - 1;
  assert.equal(await told(), 0);
  service.clock.now += 1;
  assert.equal(await told(), 1);
}, PUBLIC_SETTINGS);

test("S21: notices that an owner must get are sent even beyond the limits", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  for (let asked = 0; asked < 6; asked++) await service.send("POST", "/reset_password", { email: ANNA });
  await service.mails();
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
}, PUBLIC_SETTINGS);

test("the local profile has no limits on registrations and mails", async (service) => {
  assert.deepEqual(await statuses(service, "register", 30, IP), Array(30).fill(200));
  assert.deepEqual(await statuses(service, "verify", 30, IP), Array(30).fill(200));
});

test("S33, V44: mail goes to the stored address, not to the spelling that was typed", async (service) => {
  const stored = "Anna.Müller@xn--mnchen-3ya.example".replace("Müller", "Mueller");
  await signUp(service, stored);
  for (const typed of ["anna.mueller@münchen.example", "ANNA.MUELLER@XN--MNCHEN-3YA.EXAMPLE", stored.toUpperCase()]) {
    assert.equal((await service.send("POST", "/reset_password", { email: typed }))[0], 200);
    const mails = await service.mails();
    assert.deepEqual(mails.map(({ to }) => to), [stored], typed);
  }
}, PUBLIC_SETTINGS);

test(
  "V19, V67: two addresses, line breaks, quotes and comments are refused by every endpoint that mails",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    const bad = [
      "a@example.com,thief@example.net",
      "a@example.com;thief@example.net",
      "a@example.com\r\nBcc: thief@example.net",
      '"a@example.com thief"@example.net',
      "Anna <a@example.com>",
      "a(comment)@example.com",
      "(".repeat(10_000).slice(0, 240) + "@example.com",
      "a@example.com\u0000",
      "a@[127.0.0.1]",
    ];
    for (const email of bad) {
      for (const [door, options] of Object.entries(DOORS)) {
        const [method, path, given] = options(email, session);
        const [status] = await outcome(service, method, path, { ...given, ip: "192.0.2.9" });
        assert.equal(status, 400, `${door}: ${JSON.stringify(email.slice(0, 40))}`);
      }
    }
    assert.deepEqual(await service.mails(), []);
  },
  PUBLIC_SETTINGS,
);

test("A3: a connection that has many IPv6 networks does not fill the outbox", async (service) => {
  const ask = (path: string, network: number, ip = `2001:db8:7:${network.toString(16)}::1`) => {
    const form = { email: `nobody${network}@example.com`, password: "correct horse battery" };
    return outcome(service, "POST", path, { form, ip });
  };
  const { most } = LIMITS.siteRequests;
  for (let asked = 0; asked < most; asked++) {
    assert.deepEqual(await ask(asked % 50 === 0 ? "/users" : "/reset_password", asked), [200, null], `${asked}`);
  }
  for (const path of ["/users", "/reset_password", "/verify_email"]) {
    assert.deepEqual(await ask(path, most), [429, "rate_limited"], path);
  }
  for (const ip of ["2001:db8:8::1", "192.0.2.1"]) assert.deepEqual(await ask("/users", most, ip), [200, null], ip);
  const waiting = await service.rows("SELECT id FROM events WHERE mail_at IS NOT NULL");
  assert.equal(waiting.length, most + 2);
  const sites = await service.rows<{ id: string }>("SELECT id FROM counters WHERE id LIKE 'site:%' ORDER BY id");
  assert.deepEqual(sites.map(({ id }) => id), ["site:2001:db8:7::/48", "site:2001:db8:8::/48"]);
}, PUBLIC_SETTINGS);
