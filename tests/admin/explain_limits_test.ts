/**
 * `explain` about limits on guessing: each limit is reached by requests, and the finding is compared with a real login.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import {
  addUser,
  blockingCauses,
  EMAIL,
  explainFindings,
  explainJson,
  explainText,
  NEW_PASSWORD,
  PASSWORD,
  tryLogin,
} from "../kit/explain_command.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

const MINUTE = 60_000;

test("explain names the account's limit with its end, and not after that", async (service) => {
  await addUser(service);
  for (let count = 0; count < 10; count++) assert.equal(await tryLogin(service, "wrong"), 401);
  const findings = await explainFindings(service);
  assert.deepEqual(blockingCauses(findings), ["throttled_account"]);
  const { until } = findings.find((finding) => finding.cause === "throttled_account")!;
  assert.equal(await tryLogin(service), 429);
  service.clock.now = until! - 1;
  assert.equal(await tryLogin(service), 429);
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["throttled_account"]);
  service.clock.now = until!;
  assert.deepEqual(blockingCauses(await explainFindings(service)), []);
  assert.equal(await tryLogin(service), 200);
}, PUBLIC_SETTINGS);

test("explain says that an address has no account and is throttled", async (service) => {
  for (let count = 0; count < 10; count++) await tryLogin(service, "wrong");
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["never_registered", "throttled_account"]);
  assert.equal(await tryLogin(service), 429);
}, PUBLIC_SETTINGS);

test("with THROTTLE=observe an exceeded limit refuses no login, and explain says so", async (service) => {
  await addUser(service);
  for (let count = 0; count < 10; count++) await tryLogin(service, "wrong");
  const { findings, observed } = await explainJson(service);
  assert.deepEqual([blockingCauses(findings), observed], [[], true]);
  assert.ok(findings.some((finding) => finding.cause === "throttled_account"));
  assert.match(await explainText(service), /only counted/);
  assert.equal(await tryLogin(service), 200);
}, { ...PUBLIC_SETTINGS, THROTTLE: "observe" });

test(
  "explain names the limit of a network that the user was seen in, or of the one given by --ip, with its end",
  async (service) => {
    await addUser(service);
    assert.equal(await tryLogin(service), 200);
    // 100 others in the same network; without a port the network is "unknown".
    for (let count = 0; count < 99; count++) {
      await service.auth.db.run(
        "INSERT INTO counters (id, count, expires_at) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET count = counters.count + 1",
        "guess:203.0.113.7",
        service.clock.now + MINUTE,
      );
    }
    assert.deepEqual(blockingCauses(await explainFindings(service, "--ip", "203.0.113.7")), []);
    await service.auth.db.run("UPDATE counters SET count = 100 WHERE id = $1", "guess:203.0.113.7");
    const [finding] = await explainFindings(service, "--ip", "::ffff:203.0.113.7");
    assert.deepEqual(finding, {
      cause: "throttled_network",
      blocks: true,
      until: service.clock.now + MINUTE,
      network: "203.0.113.7",
    });
    assert.deepEqual(blockingCauses(await explainFindings(service)), [], "the user was not seen there");
    await service.rows("UPDATE sessions SET ip = $1", "203.0.113.7");
    assert.deepEqual(blockingCauses(await explainFindings(service)), ["throttled_network"]);
    service.clock.now += MINUTE;
    assert.deepEqual(blockingCauses(await explainFindings(service)), []);
  },
  PUBLIC_SETTINGS,
);

test("S18: after 80 wrong passwords of strangers explain says that only known devices get in", async (service) => {
  await addUser(service);
  const first = await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } });
  const device = first.headers.getSetCookie().find((cookie) => cookie.includes("device_id"))!.split(";")[0];
  for (let count = 0; count < LIMITS.strangerGuesses.most; count++) {
    service.clock.now += 16 * MINUTE;
    assert.equal(await tryLogin(service, "wrong"), 401, String(count));
  }
  service.clock.now += 16 * MINUTE;
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["known_devices_only"]);
  assert.equal(await tryLogin(service), 429);
  // This refusal has its own time, but the next guess would be refused as well, so there is no point in waiting for it.
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["known_devices_only"]);
  // An expired count blocks nobody, even before the sweep.
  const { now } = service.clock;
  service.clock.now += LIMITS.strangerGuesses.memory;
  assert.deepEqual(blockingCauses(await explainFindings(service)), []);
  service.clock.now = now;
  const known = await service.request("POST", "/sessions", {
    form: { email: EMAIL, password: PASSWORD },
    headers: { cookie: device },
  });
  assert.equal(known.status, 200);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  const reset_token = (await service.mails()).at(-1)!.token;
  const reset = { email: EMAIL, reset_token, new_password: NEW_PASSWORD };
  assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
  assert.deepEqual(blockingCauses(await explainFindings(service)), []);
  assert.equal(await tryLogin(service, NEW_PASSWORD), 200);
}, { ...PUBLIC_SETTINGS, SESSION_MAX: "400d", SESSION_IDLE: "400d" });

test("explain says when codes work again after five wrong ones", async (service) => {
  await addUser(service);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  const form = { email: EMAIL, code: "00000000", new_password: NEW_PASSWORD };
  const causes = async () => (await explainFindings(service)).map((finding) => finding.cause);
  for (let count = 0; count < 5; count++) await service.request("PUT", "/reset_password", { form });
  assert.deepEqual(await causes(), ["nothing_wrong", "mail", "throttled_codes"]);
  const refused = await service.request("PUT", "/reset_password", { form });
  assert.equal(refused.headers.get("error-code"), "too_many_attempts");
  assert.match(await explainText(service), /- Too many wrong codes .* until \d{4}-.* links of the mails work/);
  service.clock.now += 60 * 60_000;
  assert.ok(!(await causes()).includes("throttled_codes"));
}, PUBLIC_SETTINGS);
