/**
 * The first login of an account: silent after a registration here, told to the owner of every other account.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { run } from "../kit/command_line.ts";
import { submitForm } from "../kit/form_browser.ts";
import { ANNA, browserOf, DAY, logIn, mailTo, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";
import { VECTORS } from "../kit/user_stream.ts";

/** The password of the imported hash. */
const IMPORTED = VECTORS.password;
const PROFILES = { local: {}, public: PUBLIC_SETTINGS };

async function importAnna(service: Service, created_at?: string): Promise<void> {
  const line = JSON.stringify({ email: ANNA, hashed_password: VECTORS.hashes[0], created_at });
  const { code } = await run(service, ["users", "import", "--verified"], { input: line + "\n" });
  assert.equal(code, 0);
}

for (const [profile, settings] of Object.entries(PROFILES)) {
  for (const [age, created_at] of [["without", undefined], ["with", "2015-05-05T00:00:00.000Z"]] as const) {
    test(
      `A11: the first login at an account imported ${age} its age is told to its owner, ${profile} profile`,
      async (service) => {
        await importAnna(service, created_at);
        const thief = await logIn(service, ANNA, IMPORTED, { ip: "192.0.2.9" });
        const { text, token } = await mailTo(service, ANNA);
        assert.match(text, /192\.0\.2\.9/);
        await logIn(service, ANNA, IMPORTED, { device: thief.device });
        assert.deepEqual(await service.mails(), [], "the device is known now");
        assert.deepEqual(await outcome(service, "POST", "/undo", { form: { undo_token: token } }), [200, null]);
        assert.deepEqual(await outcome(service, "GET", "/profile", thief), [403, "no_session"]);
      },
      settings,
    );
  }

  test(`A11: so is one by the login page, ${profile} profile`, async (service) => {
    await importAnna(service);
    const login = await submitForm(service, "/login", { email: ANNA, password: IMPORTED });
    assert.ok(browserOf(login).session);
    assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
  }, settings);

  test(`A11: the first login after a registration stays silent, ${profile} profile`, async (service) => {
    if (profile === "public") await signUp(service, ANNA, PASSWORD);
    else await service.register(ANNA, PASSWORD);
    await logIn(service, ANNA, PASSWORD);
    assert.deepEqual(await service.mails(), []);
  }, settings);
}

test(
  "A11: an account that was first used after its registration was forgotten counts as an old one",
  async (service) => {
    await signUp(service, ANNA, PASSWORD);
    service.clock.now += 400 * DAY;
    await sweep(service.auth);
    await logIn(service, ANNA, PASSWORD);
    assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
  },
  { ...PUBLIC_SETTINGS, EVENT_RETENTION: "365d" },
);

test(
  "A11: a user whom the operator added sets the password by mail, and the first login stays silent",
  async (service) => {
    assert.equal((await run(service, ["users", "add", ANNA])).code, 0);
    const { token: reset_token } = await mailTo(service, ANNA);
    const form = { email: ANNA, reset_token, new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
    await service.mails();
    await logIn(service, ANNA, NEW_PASSWORD);
    assert.deepEqual(await service.mails(), []);
  },
  PUBLIC_SETTINGS,
);

test(
  "A11: after several registrations the sign-in by the proof stays silent, and the next device does not",
  async (service) => {
    for (const password of [PASSWORD, NEW_PASSWORD]) await service.register(ANNA, password);
    const { token } = await mailTo(service, ANNA);
    const proven = await service.request("PUT", "/verify_email", { form: { verification_token: token } });
    const form = { new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/password", { form, session: browserOf(proven).session }), [
      200,
      null,
    ]);
    const told = await service.mails();
    assert.equal(told.length, 1, "only the notice of the new password");
    await logIn(service, ANNA, NEW_PASSWORD);
    assert.match((await mailTo(service, ANNA)).text, /\/undo\?token=/);
  },
  PUBLIC_SETTINGS,
);
