/**
 * Guessing at one account: strangers are slowed and finally stopped, the owner's devices and mailbox are not, and
 * nobody learns who has an account.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { limitTable } from "../kit/limit_table.ts";
import { METRIC } from "../../auth/runtime/metrics.ts";
import { createApp } from "../../routes/app.ts";
import { recordHashes, withBcrypt } from "../kit/hash_recorder.ts";
import { deviceOf, PUBLIC_SETTINGS, type RequestOptions, type Service, sessionOf, test } from "../kit/service.ts";
import { traceStatements } from "../kit/traced_statements.ts";

const { deviceGuesses: DEVICE, strangerGuesses: STRANGERS } = LIMITS;
const EMAIL = "bob@example.com", PASSWORD = "correct horse 9", WRONG = "wrong horse 99";

let addresses = 0;
/** A new address in another network each time. */
function stranger(): string {
  addresses++;
  return `10.${addresses >> 8}.${addresses & 255}.1`;
}

async function attempt(
  service: Service,
  password: string,
  options: RequestOptions & { email?: string } = {},
): Promise<Response> {
  const { email = EMAIL, ...rest } = options;
  return await service.request("POST", "/sessions", { ip: stranger(), form: { email, password }, ...rest });
}

/** Makes guesses from many networks, waiting as long as required, until this many were compared. */
async function guess(service: Service, times: number, options: RequestOptions & { email?: string } = {}) {
  for (let made = 0; made < times;) {
    const { status, headers } = await attempt(service, WRONG, options);
    if (status === 429) service.clock.now += Number(headers.get("retry-after")) * 1_000;
    else {
      assert.equal(status, 401);
      made++;
    }
  }
}

async function registerByMail(service: Service, email = EMAIL): Promise<void> {
  await service.register(email, PASSWORD);
  const [{ token }] = await service.mails();
  const form = { verification_token: token };
  assert.equal((await service.request("PUT", "/verify_email", { form })).status, 200);
}

async function logInFromDevice(service: Service): Promise<{ session: string; device: string }> {
  const response = await attempt(service, PASSWORD);
  assert.equal(response.status, 200, await response.clone().text());
  return { session: sessionOf(response)!, device: deviceOf(response)! };
}

/** What a client sees of an answer, except the request id. */
async function seen(response: Response): Promise<unknown> {
  const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
  return [response.status, headers, await response.text()];
}

test(
  "S18: after 80 wrong passwords of strangers the right one works from known devices only, until a reset by mail",
  async (service) => {
    await registerByMail(service);
    const { device } = await logInFromDevice(service);
    await guess(service, STRANGERS.most);
    for (const wait of [0, STRANGERS.longest, 86_400_000, 30 * 86_400_000]) {
      service.clock.now += wait;
      const answers = [await attempt(service, WRONG), await attempt(service, PASSWORD)];
      for (const answer of answers) assert.equal(answer.status, 429, `after ${wait}`);
      assert.equal((await attempt(service, PASSWORD, { device })).status, 200, "from a known device");
    }
    await service.mails();
    assert.equal((await service.send("POST", "/reset_password", { email: EMAIL }))[0], 200);
    const [{ token }] = await service.mails();
    const form = { email: EMAIL, reset_token: token, new_password: "another horse 7" };
    assert.equal((await service.send("PUT", "/reset_password", form))[0], 200);
    assert.equal((await attempt(service, "another horse 7")).status, 200, "by the new password from anywhere");
  },
  PUBLIC_SETTINGS,
);

test("S18: after ten wrong passwords strangers wait 30 seconds, then twice as long, at most 15 minutes", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const waits: number[] = [];
  for (let made = 0; made < 18;) {
    const { status, headers } = await attempt(service, WRONG);
    if (status === 401) made++;
    else {
      const wait = Number(headers.get("retry-after"));
      waits.push(wait);
      // One second early is too early, and a try does not extend the wait.
      service.clock.now += (wait - 1) * 1_000;
      assert.equal((await attempt(service, PASSWORD)).headers.get("retry-after"), "1");
      service.clock.now += 1_000;
    }
  }
  assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
});

test(
  "S18: a known device has its own ten guesses and uses up nobody else's; beyond them it is a stranger",
  async (service) => {
    await registerByMail(service);
    const { device } = await logInFromDevice(service);
    const { device: second } = await logInFromDevice(service);
    await guess(service, DEVICE.most, { device });
    assert.equal((await attempt(service, PASSWORD, { device: second })).status, 200);
    assert.equal((await attempt(service, PASSWORD)).status, 200, "a stranger's guess");
    await guess(service, STRANGERS.free, { device });
    assert.equal((await attempt(service, PASSWORD, { device })).status, 429, "counted as a stranger's");
    assert.equal((await attempt(service, PASSWORD)).status, 429);
    await service.rows("DELETE FROM guesses WHERE id LIKE 'account:%'");
    // A device with an invalid signature does not avoid the wait either.
    const forged = device.replace(/^.{43}/, "x".repeat(43));
    await guess(service, STRANGERS.free, { device: forged });
    assert.equal((await attempt(service, PASSWORD)).status, 429, "counted as a stranger's");
  },
  PUBLIC_SETTINGS,
);

test(
  "S18: a user who guessed at a forgotten password can log in on that device right after the reset",
  async (service) => {
    await registerByMail(service);
    const { device } = await logInFromDevice(service);
    await guess(service, DEVICE.most + STRANGERS.free, { device });
    assert.equal((await attempt(service, PASSWORD, { device })).status, 429);
    assert.equal((await service.send("POST", "/reset_password", { email: EMAIL }))[0], 200);
    const token = (await service.mails()).at(-1)!.token;
    const form = { email: EMAIL, reset_token: token, new_password: "another horse 7" };
    assert.equal((await service.send("PUT", "/reset_password", form))[0], 200);
    assert.equal((await attempt(service, "another horse 7", { device })).status, 200);
  },
  PUBLIC_SETTINGS,
);

test("S18: guesses made before an account existed do not count against it", async (service) => {
  await guess(service, STRANGERS.free);
  assert.equal((await attempt(service, PASSWORD)).status, 429);
  await service.register(EMAIL, PASSWORD);
  assert.equal((await attempt(service, PASSWORD)).status, 200);
});

test("S19: a right password resets the count of wrong ones", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (let round = 0; round < 3; round++) {
    for (let made = 0; made < STRANGERS.free - 1; made++) assert.equal((await attempt(service, WRONG)).status, 401);
    assert.equal((await attempt(service, PASSWORD)).status, 200);
  }
});

test("S20: instances share the count, also one that starts later", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const other = await service.another();
  for (let made = 0; made < STRANGERS.free; made++) {
    assert.equal((await attempt(made % 2 === 0 ? service : other, WRONG)).status, 401);
  }
  const restarted = await service.another();
  for (const each of [service, other, restarted]) assert.equal((await attempt(each, PASSWORD)).status, 429);
});

test("V37: of 200 concurrent wrong guesses on two instances, ten reach the hash", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const recorders = [recordHashes(service.auth), recordHashes((await service.another()).auth)];
  const apps = recorders.map(({ auth }) => createApp(auth));
  const statuses = await Promise.all(Array.from({ length: 200 }, async (_, index) => {
    const body = new URLSearchParams({ email: EMAIL, password: WRONG });
    return (await apps[index % 2].request("/sessions", { method: "POST", body })).status;
  }));
  assert.equal(recorders[0].costs.length + recorders[1].costs.length, STRANGERS.free);
  assert.equal(statuses.filter((status) => status === 401).length, STRANGERS.free);
  assert.equal(statuses.filter((status) => status === 429).length, 200 - STRANGERS.free);
});

test("S16, S17: a throttled login costs no hash, and known and unknown addresses get the same answer", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const { device } = await logInFromDevice(service);
  // A cookie of another user's device, or an invalid one: it is checked for both addresses.
  for (const cookie of [undefined, device.replace(/.$/, (last) => last === "A" ? "B" : "A")]) {
    for (const email of [EMAIL, "nobody@example.com"]) await guess(service, STRANGERS.free, { email, device: cookie });
    const { auth, costs } = recordHashes(service.auth);
    const traces = [EMAIL, "nobody@example.com"].map(async (email) => {
      const traced = traceStatements(auth);
      const response = await createApp(traced.auth).request("/sessions", {
        method: "POST",
        body: new URLSearchParams({ email, password: PASSWORD }),
        headers: cookie === undefined ? {} : { cookie: `device_id=${cookie}` },
      });
      return { answer: await seen(response), texts: traced.texts, retry: response.headers.get("retry-after") };
    });
    const [known, unknown] = await Promise.all(traces);
    assert.ok(Number(known.retry) > 0);
    assert.deepEqual(unknown, known);
    assert.deepEqual(costs, []);
    await service.rows("DELETE FROM guesses");
  }
});

test("V42: all spellings of an address share one count", async (service) => {
  const spellings = ["bob@example.com", "BOB@EXAMPLE.COM", "Bob@Example.Com", "bob@EXAMPLE.com", "bOB@example.COM"];
  await service.register(EMAIL, PASSWORD);
  for (let made = 0; made < STRANGERS.free; made++) {
    const email = spellings[made % spellings.length];
    assert.equal((await attempt(service, WRONG, { email })).status, 401, email);
  }
  for (const email of spellings) assert.equal((await attempt(service, PASSWORD, { email })).status, 429, email);
  // An invalid address has no account to count for, and costs the same hash.
  const { auth, costs } = recordHashes(service.auth);
  const body = new URLSearchParams({ email: ` ${EMAIL}`, password: PASSWORD });
  assert.equal((await createApp(auth).request("/sessions", { method: "POST", body })).status, 401);
  assert.equal(costs.length, 1);
});

const BEHIND_A_SESSION: [string, string, (password: string) => Record<string, string>][] = [
  ["PUT", "/password", (password) => ({ current_password: password, new_password: "another horse 7" })],
  ["POST", "/change_email", (password) => ({ password, new_email: "new@example.com" })],
  ["DELETE", "/account", (password) => ({ password })],
];

for (const [method, path, form] of BEHIND_A_SESSION) {
  test(`V38: ${method} ${path} shares its count of guesses and its limit with logins`, async (service) => {
    await service.register(EMAIL, PASSWORD);
    const { session, device } = await logInFromDevice(service);
    const ask = (password: string, more: RequestOptions = {}) =>
      service.request(method, path, { session, form: form(password), ip: stranger(), ...more });
    for (let made = 0; made < STRANGERS.free; made++) assert.equal((await ask(WRONG)).status, 403);
    const refused = await ask(PASSWORD);
    assert.deepEqual([refused.status, refused.headers.get("error-code")], [429, "throttled"]);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal((await attempt(service, PASSWORD)).status, 429, "a login of a stranger");
    // The thief of a session counts as a stranger; the owner sends the device cookie.
    assert.equal((await ask(PASSWORD, { device })).status, 200);
  });
}

test("a guess that was not compared is given back: broken hashes and aborted requests cost the owner nothing", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const body = new URLSearchParams({ email: EMAIL, password: WRONG });
  const broken = createApp(withBcrypt(service.auth, () => Promise.reject(new Error("broken"))));
  for (let made = 0; made < 3 * STRANGERS.free; made++) {
    assert.equal((await broken.request("/sessions", { method: "POST", body })).status, 503);
    const gone = new Request("http://localhost/sessions", { method: "POST", body, signal: AbortSignal.abort() });
    assert.equal((await createApp(service.auth).fetch(gone)).status, 499);
    const long = { email: EMAIL, password: "x".repeat(2_000) };
    assert.equal((await service.request("POST", "/sessions", { form: long })).status, 400);
  }
  assert.deepEqual(await service.rows("SELECT id, count FROM guesses WHERE count > 0"), []);
  assert.deepEqual(await service.rows("SELECT id, count FROM counters WHERE count > 0"), []);
});

test("throttling writes one event when guesses must wait, and one when only a reset by mail helps", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const events = async () =>
    (await service.rows("SELECT user_id, details FROM events WHERE type = 'throttled' ORDER BY id")).map((event) => ({
      known: event.user_id !== null,
      ...JSON.parse(String(event.details)),
    }));
  for (const email of [EMAIL, "nobody@example.com"]) {
    for (let made = 0; made < 40; made++) await attempt(service, WRONG, { email });
    // Ids of one millisecond have no order.
    service.clock.now += 1_000;
  }
  const first = [{ known: true, by: "account", mode: "enforce" }, { known: false, by: "account", mode: "enforce" }];
  assert.deepEqual(await events(), first);
  assert.equal(service.auth.metrics.sum(METRIC.throttled), 2 * (40 - STRANGERS.free));
  await guess(service, STRANGERS.most - STRANGERS.free);
  for (let made = 0; made < 20; made++) {
    service.clock.now += STRANGERS.longest;
    assert.equal((await attempt(service, WRONG)).status, 429);
  }
  assert.deepEqual(await events(), [...first, first[0]]);
});

test("THROTTLE=observe refuses no guess and counts those it would have refused", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const statuses: number[] = [];
  const refusals = () => service.auth.metrics.sum(METRIC.throttled);
  for (let made = 0; made < 40; made++) statuses.push((await attempt(service, WRONG)).status);
  assert.deepEqual(new Set(statuses), new Set([401]));
  assert.equal((await attempt(service, PASSWORD)).status, 200);
  assert.equal(
    refusals(),
    40 - STRANGERS.free + 1,
    "the right password would have been refused too",
  );
  const events = await service.rows("SELECT details FROM events WHERE type = 'throttled'");
  assert.deepEqual(events.map((event) => JSON.parse(String(event.details))), [{ by: "account", mode: "observe" }]);
  // Now from one network, also beyond its limit: the account's count is not affected.
  const beforehand = refusals();
  for (let made = 0; made < 130; made++) {
    assert.equal((await attempt(service, WRONG, { ip: "192.0.2.1", email: `user${made}@example.com` })).status, 401);
  }
  assert.equal(refusals(), beforehand + 30);
  const rows = await service.rows("SELECT id FROM guesses WHERE count = 1 AND next_at = 0");
  assert.equal(rows.length, 130);
}, { THROTTLE: "observe" });

Deno.test("the README's table of limits has each number as the rules use it", () => {
  const lines = limitTable().split("\n");
  assert.equal(lines.length, 2 + Object.values(LIMITS).filter(({ readme }) => readme !== undefined).length);
  for (const line of lines) assert.equal(line.split(" | ").length, 4, line);
  assert.match(lines[2], /\| 10 free, 80 in all \| one every 30 seconds, doubling to 15 minutes; after 80 only once/);
  assert.match(lines[3], /\| 10 in all \| the device counts as a stranger \|/);
  assert.match(lines[4], /\| 20 in all \|/);
  assert.match(lines[5], /\| 100 in 10 minutes \|/);
  assert.match(lines[6], /\| 5 in an hour \|/);
});
