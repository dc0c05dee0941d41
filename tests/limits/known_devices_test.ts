/**
 * What a device cookie is worth: a bounded number of guesses, until a change that takes access away. Then it is the
 * cookie of a stranger.
 *
 * @module
 */
import assert from "node:assert/strict";
import { limitId, LIMITS } from "../../auth/limits/limits.ts";
import { run } from "../kit/command_line.ts";
import { ANNA, DAY, logIn, mailbox, mailTo, NEW_PASSWORD, PASSWORD, signUp } from "../kit/people.ts";
import { deviceOf, PUBLIC_SETTINGS, type RequestOptions, type Service, sessionOf, test } from "../kit/service.ts";

const { allDeviceGuesses: DEVICES, deviceGuesses: DEVICE, strangerGuesses: STRANGERS } = LIMITS;
const WRONG = "not the password at all";

let networks = 0;
/** An address in another network each time, so that only the account counts. */
function anywhere(): string {
  networks++;
  return `10.${networks >> 8}.${networks & 255}.1`;
}

function attempt(service: Service, password: string, options: RequestOptions = {}): Promise<Response> {
  return service.request("POST", "/sessions", { ip: anywhere(), form: { email: ANNA, password }, ...options });
}

/** The cookies of this many devices, each from a login without a cookie. */
async function mint(service: Service, count: number, password = PASSWORD): Promise<string[]> {
  const cookies: string[] = [];
  for (let made = 0; made < count; made++) cookies.push(deviceOf(await attempt(service, password))!);
  return cookies;
}

/** How many wrong passwords from this device are compared before one is refused, up to `most`. */
async function guesses(service: Service, device: string | undefined, most = 30): Promise<number> {
  for (let made = 0; made < most; made++) {
    const { status } = await attempt(service, WRONG, { device });
    if (status === 429) return made;
    assert.equal(status, 401);
  }
  return most;
}

/** Whether the account knows this device: it is not refused when strangers are. */
async function isKnown(service: Service, device: string): Promise<boolean> {
  await service.rows("DELETE FROM guesses");
  await service.rows(
    "INSERT INTO guesses (id, count, next_at, expires_at) VALUES ($1, $2, 0, $3)",
    limitId(STRANGERS, ANNA),
    STRANGERS.most,
    service.clock.now + DAY,
  );
  const { status } = await attempt(service, WRONG, { device });
  await service.rows("DELETE FROM guesses");
  return status === 401;
}

async function resetByMail(service: Service): Promise<void> {
  await service.rows("DELETE FROM counters");
  assert.equal((await service.send("POST", "/reset_password", { email: ANNA }))[0], 200);
  const { token } = await mailTo(service, ANNA);
  const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.equal((await service.send("PUT", "/reset_password", form))[0], 200);
}

async function newestUndo(service: Service): Promise<void> {
  await service.mails();
  const { token } = mailbox(service, ANNA).findLast((mail) => mail.text.includes("/undo?token="))!;
  assert.equal((await service.send("POST", "/undo", { undo_token: token }))[0], 200);
}

/** Every event that takes access away from whoever had it. */
const ENDS: Record<string, (service: Service) => Promise<void>> = {
  "a reset by mail": resetByMail,
  "undoing a change": async (service) => {
    // A login from a new device is the change.
    await mint(service, 1);
    await newestUndo(service);
    await resetByMail(service);
  },
  "users compromised": async (service) => {
    assert.equal((await run(service, ["users", "compromised", ANNA])).code, 0);
    await resetByMail(service);
  },
  "a change of password by another device": async (service) => {
    const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const { session } = await logIn(service);
    assert.equal((await service.send("PUT", "/password", form, session))[0], 200);
  },
};

for (const [what, end] of Object.entries(ENDS)) {
  test(`A5: after ${what} no earlier device is known, and its next login tells the owner`, async (service) => {
    await signUp(service);
    const cookies = await mint(service, 3);
    for (const device of cookies) assert.equal(await isKnown(service, device), true);
    await end(service);
    for (const device of cookies) assert.equal(await isKnown(service, device), false);
    // A clock that was set back does not bring a cookie back either (F12).
    for (const days of [-1, -400, 800]) {
      service.clock.now += days * DAY;
      for (const device of cookies) assert.equal(await isKnown(service, device), false, `${days} days`);
      service.clock.now -= days * DAY;
    }
    await service.mails();
    await service.rows("DELETE FROM counters");
    // Ids of one millisecond have no order.
    service.clock.now += 1;
    const again = await attempt(service, NEW_PASSWORD, { device: cookies[0] });
    assert.equal(again.status, 200);
    assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
    const [{ details }] = await service.rows(
      "SELECT details FROM events WHERE type = 'logged_in' ORDER BY id DESC LIMIT 1",
    );
    assert.equal(JSON.parse(String(details)).device, "new");
    assert.equal(await isKnown(service, deviceOf(again)!), true, "from the new login on");
    assert.equal(await isKnown(service, cookies[0]), false);
  }, PUBLIC_SETTINGS);
}

test("A5: a reset while the clock is set back leaves no cookie of later times known", async (service) => {
  await signUp(service);
  const [device] = await mint(service, 1);
  service.clock.now -= 30 * DAY;
  await resetByMail(service);
  assert.equal(await isKnown(service, device), false);
  service.clock.now += 31 * DAY;
  assert.equal(await isKnown(service, device), false);
}, PUBLIC_SETTINGS);

for (const as of ["JSON", "page"] as const) {
  test(
    `A5: after a change of password the device that made it stays known, by a new cookie (${as})`,
    async (service) => {
      await signUp(service);
      const [other] = await mint(service, 1);
      const own = await logIn(service);
      const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
      const changed = as === "JSON"
        ? await service.request("PUT", "/password", { form, ...own })
        : await service.request("POST", "/account/password", { form, ...own });
      assert.equal(changed.status, as === "JSON" ? 200 : 303, await changed.clone().text());
      const names = changed.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
      assert.deepEqual(names, ["__Host-session_id", "__Host-device_id"], "the session's first");
      const renewed = deviceOf(changed)!;
      assert.equal(renewed.split(".")[0], own.device.split(".")[0]);
      assert.deepEqual(
        [await isKnown(service, renewed), await isKnown(service, own.device), await isKnown(service, other)],
        [true, false, false],
      );
      await service.mails();
      await service.rows("DELETE FROM counters");
      const again = await attempt(service, NEW_PASSWORD, { device: renewed });
      assert.equal(again.status, 200);
      assert.deepEqual(await service.mails(), []);
      // A session without the cookie of a known device gets none.
      const session = sessionOf(again)!;
      const bare = await service.request("PUT", "/password", {
        form: { current_password: NEW_PASSWORD, new_password: PASSWORD },
        session,
        device: other,
      });
      assert.equal(bare.status, 200);
      assert.equal(deviceOf(bare), undefined);
      assert.equal(await isKnown(service, renewed), false);
    },
    PUBLIC_SETTINGS,
  );
}

test("A5: a wrong current password leaves every device known", async (service) => {
  await signUp(service);
  const own = await logIn(service);
  const form = { current_password: WRONG, new_password: NEW_PASSWORD };
  const refused = await service.request("PUT", "/password", { form, ...own });
  assert.deepEqual([refused.status, refused.headers.getSetCookie()], [403, []]);
  assert.equal(await isKnown(service, own.device), true);
}, PUBLIC_SETTINGS);

test("A5: a change of address and ending other sessions leave devices known", async (service) => {
  await signUp(service);
  const [device] = await mint(service, 1);
  let email = ANNA;
  for (const new_email of ["anna@example.org", ANNA]) {
    const { session } = await logIn(service, email);
    assert.equal((await service.send("POST", "/change_email", { new_email, password: PASSWORD }, session))[0], 200);
    const { token } = await mailTo(service, new_email);
    assert.equal((await service.send("PUT", "/change_email", { change_token: token }))[0], 200);
    email = new_email;
  }
  const { session } = await logIn(service);
  assert.equal((await service.send("DELETE", "/sessions/others", undefined, session))[0], 200);
  assert.equal((await run(service, ["users", "end-sessions", ANNA])).code, 0);
  assert.equal(await isKnown(service, device), true);
}, PUBLIC_SETTINGS);

test(
  "A5: all devices, strangers and instances together compare at most 100 wrong passwords in a row",
  async (service) => {
    assert.equal(STRANGERS.most + DEVICES.most, 100);
    await signUp(service);
    const cookies = await mint(service, 24);
    const other = await service.another();
    const instances = [service, other];
    let compared = 0;
    // Again and again, from devices and from strangers, and each time after the longest wait.
    for (let round = 0; round < 90; round++) {
      const before = compared;
      // The first round uses up what devices have.
      for (const [index, device] of [...round === 0 ? cookies : cookies.slice(22), undefined].entries()) {
        const { status } = await attempt(instances[index % 2], WRONG, { device });
        if (status === 401) compared++;
        else assert.equal(status, 429);
      }
      if (round > 80) assert.equal(compared, before, `round ${round}`);
      for (const each of instances) each.clock.now += STRANGERS.longest;
    }
    assert.equal(compared, 100);
    assert.equal((await attempt(service, PASSWORD, { device: cookies[0] })).status, 429);
    await service.mails();
    await resetByMail(service);
    await service.rows("DELETE FROM counters");
    assert.equal((await attempt(service, NEW_PASSWORD)).status, 200, "the mailbox helps");
  },
  PUBLIC_SETTINGS,
);

test(
  "A5: twenty devices that guess at once get twenty guesses together, and then those of strangers",
  async (service) => {
    await signUp(service);
    const cookies = await mint(service, 20);
    const statuses = await Promise.all(
      Array.from(
        { length: 200 },
        async (_, index) => (await attempt(service, WRONG, { device: cookies[index % 20] })).status,
      ),
    );
    assert.equal(
      statuses.filter((status) => status === 401).length,
      DEVICES.most + STRANGERS.free,
    );
    assert.equal(statuses.filter((status) => status === 429).length, 200 - DEVICES.most - STRANGERS.free);
  },
  PUBLIC_SETTINGS,
);

test("A5: one device cannot use up the guesses of the others, and strangers cannot either", async (service) => {
  await signUp(service);
  const [stolen, own] = await mint(service, 2);
  // Its own, and then as a stranger.
  assert.equal(await guesses(service, stolen), DEVICE.most + STRANGERS.free);
  assert.equal(await guesses(service, undefined), 0);
  assert.equal((await attempt(service, PASSWORD, { device: stolen })).status, 429);
  assert.equal((await attempt(service, PASSWORD, { device: own })).status, 200);
  assert.equal(await guesses(service, own), DEVICE.most);
}, PUBLIC_SETTINGS);

test("A5: a right password gives a device back what it took, and no other device", async (service) => {
  await signUp(service);
  const [stolen, own] = await mint(service, 2);
  assert.equal(await guesses(service, stolen, DEVICE.most), DEVICE.most);
  for (let day = 0; day < 5; day++) {
    assert.equal(await guesses(service, own, DEVICE.most), DEVICE.most);
    assert.equal((await attempt(service, PASSWORD, { device: own })).status, 200, "as a stranger");
    const rows = await service.rows("SELECT id, count FROM guesses ORDER BY id");
    assert.deepEqual(rows.map(({ count }) => count), [DEVICE.most, DEVICE.most], JSON.stringify(rows));
  }
  // Both are used up: every device counts as a stranger, and gets in while strangers may guess.
  assert.equal(await guesses(service, own, DEVICE.most), DEVICE.most);
  const [third] = await mint(service, 1);
  assert.equal(await guesses(service, third), STRANGERS.free);
}, PUBLIC_SETTINGS);

test("A5: explain says when the devices of a user count as strangers", async (service) => {
  await signUp(service);
  for (const device of await mint(service, 2)) await guesses(service, device, DEVICE.most);
  const { printed } = await run(service, ["explain", ANNA], { settings: PUBLIC_SETTINGS });
  assert.match(printed, /gave 20 wrong passwords in a row together: they count as strangers now/);
  const events = await service.rows("SELECT details FROM events WHERE type = 'throttled' ORDER BY id");
  assert.deepEqual(events.map(({ details }) => JSON.parse(String(details)).by).sort(), ["device", "device", "devices"]);
}, PUBLIC_SETTINGS);

test("A5: secrets rotate device makes every device unknown and nothing else", async (service) => {
  await signUp(service);
  const { session, device } = await logIn(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  const { code } = await mailTo(service, ANNA);
  const rotated = await run(service, ["secrets", "rotate", "device"], { settings: PUBLIC_SETTINGS });
  assert.deepEqual([rotated.code, rotated.noted], [0, ""]);
  assert.match(rotated.printed, /^The new key is device-2\. No device is known any more\./);
  const [{ secret }] = await service.rows("SELECT secret FROM keys WHERE purpose = 'device'");
  assert.ok(!rotated.printed.includes(String(secret)));
  const started = await service.another();
  const keys = await started.rows("SELECT id FROM keys WHERE purpose = 'device'");
  assert.deepEqual(keys.map(({ id }) => id), ["device-2"]);
  assert.equal((await started.send("GET", "/profile", undefined, session))[0], 200);
  assert.equal(await isKnown(started, device), false);
  await started.mails();
  const again = await attempt(started, PASSWORD, { device });
  assert.match((await mailTo(started, ANNA)).text, /\/undo\?token=/);
  assert.equal(await isKnown(started, deviceOf(again)!), true);
  const form = { email: ANNA, code, new_password: NEW_PASSWORD };
  assert.equal((await started.send("PUT", "/reset_password", form))[0], 200, "the key of codes is another");
  const json = await run(service, ["secrets", "rotate", "device", "--json"], { settings: PUBLIC_SETTINGS });
  assert.deepEqual(JSON.parse(json.printed), { key: "device-3" });
}, PUBLIC_SETTINGS);

test("A5: secrets rotate code ends the codes of mails and not their links", async (service) => {
  await signUp(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  const { code, token } = await mailTo(service, ANNA);
  assert.equal((await run(service, ["secrets", "rotate", "code"], { settings: PUBLIC_SETTINGS })).code, 0);
  const started = await service.another();
  const byCode = { email: ANNA, code, new_password: NEW_PASSWORD };
  assert.equal((await started.send("PUT", "/reset_password", byCode))[0], 403);
  const byLink = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.equal((await started.send("PUT", "/reset_password", byLink))[0], 200);
}, PUBLIC_SETTINGS);

test("A5: secrets rotate refuses other words and changes nothing", async (service) => {
  const before = await service.rows("SELECT * FROM keys ORDER BY id");
  for (const words of [["rotate"], ["rotate", "jwt"], ["rotate", "device", "code"], ["rotate", ""]]) {
    assert.equal((await run(service, ["secrets", ...words])).code, 2, words.join(" "));
  }
  assert.deepEqual(await service.rows("SELECT * FROM keys ORDER BY id"), before);
});
