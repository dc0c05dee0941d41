/**
 * Several registrations that wait for one address: whoever proves the mailbox gets an account that has nobody's
 * password, is signed in, and chooses the first one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BROWSER_ACCEPT, submitForm } from "../kit/form_browser.ts";
import {
  ANNA,
  type Browser,
  browserOf,
  countOf,
  DAY,
  eventTypes,
  HOUR,
  logIn,
  mailbox,
  mailTo,
  MINUTE,
  moveTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  raw,
  signUp,
  THIEF,
  THIEF_PASSWORD,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** The answer to a proof after several registrations. */
const PROVEN = { email: ANNA, message: "email verified", has_password: false };
const VERIFY_PAGE = `/verify?email=${encodeURIComponent(ANNA)}`;

/** A stranger registers Anna's address until no more mail is sent. Then she registers it herself. */
async function prepareHijack(service: Service): Promise<void> {
  for (let count = 0; count < 5; count++) {
    await service.register(ANNA, THIEF_PASSWORD);
    service.clock.now += 1;
  }
  await service.mails();
  await service.register(ANNA, PASSWORD);
  assert.deepEqual(await service.mails(), [], "her own registration sends no mail");
}

/** Proves the mailbox by JSON. Checks the answer, and gives its cookies. */
async function prove(service: Service, form: Record<string, string>): Promise<Browser> {
  const response = await service.request("PUT", "/verify_email", { form });
  assert.deepEqual([response.status, await response.json()], [200, PROVEN]);
  return browserOf(response);
}

async function assertNobodysPassword(service: Service): Promise<void> {
  const rows = await service.rows("SELECT hashed_password FROM users");
  assert.deepEqual(rows.map((row) => row.hashed_password), [null]);
  for (const password of [PASSWORD, THIEF_PASSWORD]) {
    const login = { form: { email: ANNA, password } };
    assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
  }
}

for (const by of ["link", "code"] as const) {
  test(
    `A2: after a stranger's registrations, a proof by ${by} signs in to an account without a password`,
    async (service) => {
      await prepareHijack(service);
      const { token, code } = mailbox(service, ANNA).at(-1)!;
      const { session, device } = await prove(
        service,
        by === "link" ? { verification_token: token } : { email: ANNA, code },
      );
      await assertNobodysPassword(service);
      assert.deepEqual(await service.send("GET", "/profile", undefined, session), [200, { email: ANNA }]);
      const form = { new_password: NEW_PASSWORD };
      assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
      // The next login is the later one.
      service.clock.now += 1;
      await logIn(service, ANNA, NEW_PASSWORD, { device });
      const [{ methods }] = await service.rows("SELECT methods FROM sessions ORDER BY created_at LIMIT 1");
      assert.equal(methods, "mail", "the gate made the session");
    },
    PUBLIC_SETTINGS,
  );

  test(`A2: the page that proves by ${by} leads to choosing a first password`, async (service) => {
    await prepareHijack(service);
    const { token, code } = mailbox(service, ANNA).at(-1)!;
    const proven = by === "link"
      ? await submitForm(service, `/verify?token=${token}`)
      : await submitForm(service, VERIFY_PAGE, { code });
    assert.deepEqual([proven.status, proven.headers.get("location")], [303, "/account/password?done=unset"]);
    await assertNobodysPassword(service);
    const { session } = browserOf(proven);
    const refused = await submitForm(service, "/account/password", { new_password: "password" }, undefined, session);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /most common/);
    const chosen = await submitForm(service, "/account/password", { new_password: NEW_PASSWORD }, undefined, session);
    assert.deepEqual([chosen.status, chosen.headers.get("location")], [303, "/account?done=password#password"]);
    const now = browserOf(chosen).session;
    assert.deepEqual(await service.send("GET", "/profile", undefined, now), [200, { email: ANNA }]);
    await logIn(service, ANNA, NEW_PASSWORD);
    const again = await service.request("GET", "/account/password", { session: now });
    assert.equal(again.headers.get("location"), "/account#password", "the page is for a first password only");
  }, PUBLIC_SETTINGS);
}

test(
  "A2: the page of the first password names the account, and leads on to where the sign-up began",
  async (service) => {
    const headers = { accept: BROWSER_ACCEPT };
    await service.register(ANNA, THIEF_PASSWORD);
    const form = { email: ANNA, password: PASSWORD, return_to: "/account#devices" };
    const signedUp = await service.request("POST", "/register", { form, headers });
    assert.equal(signedUp.status, 303);
    const { code } = await mailTo(service, ANNA);
    const start = signedUp.headers.get("location")!;
    const proven = await submitForm(service, start, { code });
    const next = proven.headers.get("location")!;
    assert.equal(next, "/account/password?done=unset&return_to=%2Faccount%23devices");
    const { session } = browserOf(proven);
    const page = await (await service.request("GET", next, { headers, session })).text();
    assert.ok(page.includes(ANNA) && page.includes("choose a password"), page);
    const chosen = await submitForm(service, next, { new_password: NEW_PASSWORD }, undefined, session);
    assert.equal(chosen.headers.get("location"), "/account#devices");
  },
  PUBLIC_SETTINGS,
);

test("A2: it does not matter whose registration came first, nor whose mail proves", async (service) => {
  const orders = [[THIEF_PASSWORD, PASSWORD], [PASSWORD, THIEF_PASSWORD]];
  for (const [index, passwords] of orders.entries()) {
    for (const which of [0, 1]) {
      const email = `p${index}${which}@example.com`;
      for (const password of passwords) {
        await service.register(email, password);
        service.clock.now += 1;
      }
      const { token } = (await service.mails()).filter(({ to }) => to === email)[which];
      const response = await service.request("PUT", "/verify_email", { form: { verification_token: token } });
      assert.deepEqual(await response.json(), { ...PROVEN, email });
      for (const password of passwords) {
        assert.deepEqual(await outcome(service, "POST", "/sessions", { form: { email, password } }), [
          401,
          "wrong_credentials",
        ]);
      }
    }
  }
}, PUBLIC_SETTINGS);

test("A2: a single registration keeps its password, and its proof signs nobody in", async (service) => {
  await service.register(ANNA, PASSWORD);
  const { token } = await mailTo(service, ANNA);
  const response = await service.request("PUT", "/verify_email", { form: { verification_token: token } });
  assert.deepEqual(await response.json(), { email: ANNA, message: "email verified" });
  assert.deepEqual(response.headers.getSetCookie(), []);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("A2: a registration that has ended counts for a week, also when the mail is asked for again", async (service) => {
  // Anna's ends unproven, then a stranger's is the only one left.
  await service.register(ANNA, PASSWORD);
  await service.mails();
  service.clock.now += DAY + 2 * HOUR;
  await service.register(ANNA, THIEF_PASSWORD);
  await service.mails();
  service.clock.now += 1;
  await service.send("POST", "/verify_email", { email: ANNA });
  await prove(service, { verification_token: (await mailTo(service, ANNA)).token });
  await assertNobodysPassword(service);
}, PUBLIC_SETTINGS);

test("A2: registrations that overlap have no password, also when the week began before them", async (service) => {
  await service.register(ANNA, PASSWORD);
  service.clock.now += 7 * DAY - HOUR;
  await service.register(ANNA, PASSWORD);
  service.clock.now += 2 * HOUR;
  await service.register(ANNA, THIEF_PASSWORD);
  service.clock.now += DAY - HOUR;
  // Only the stranger's is live now.
  await service.send("POST", "/verify_email", { email: ANNA });
  await prove(service, { verification_token: (await mailTo(service, ANNA)).token });
  await assertNobodysPassword(service);
}, PUBLIC_SETTINGS);

test("A2: after a week without another one, a registration is a single one again", async (service) => {
  await service.register(ANNA, THIEF_PASSWORD);
  await service.mails();
  service.clock.now += 7 * DAY;
  await signUp(service);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("A2: what the owner of an address has proven does not count for the next owner", async (service) => {
  await signUp(service);
  await moveTo(service, await logIn(service), "anna@example.org", PASSWORD);
  // The undo link is valid from the sending of its mail. Until it ends, the address is nobody else's.
  await service.mails();
  service.clock.now += 3 * DAY;
  await signUp(service);
  await logIn(service);
}, PUBLIC_SETTINGS);

test(
  "A2: registrations from before the upgrade, each with its password, prove an account without one",
  async (service) => {
    await service.register(ANNA, THIEF_PASSWORD);
    const [{ hashed_password }] = await service.rows<{ hashed_password: string }>("SELECT hashed_password FROM tokens");
    service.clock.now += 1;
    await service.register(ANNA, PASSWORD);
    await service.rows("UPDATE tokens SET hashed_password = $1", hashed_password);
    await prove(service, { verification_token: (await mailTo(service, ANNA)).token });
    await assertNobodysPassword(service);
  },
  PUBLIC_SETTINGS,
);

test(
  "A2, F21, S24: 50 proofs at once, by the mails of five registrations on two instances, make one account",
  async (service) => {
    for (let count = 0; count < 5; count++) {
      await service.register(ANNA, `${count} ${THIEF_PASSWORD}`);
      service.clock.now += 1;
    }
    const tokens = (await service.mails()).map(({ token }) => token);
    assert.equal(tokens.length, 5);
    const instances = [service, await service.another()];
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
      const form = { verification_token: tokens[index % 5] };
      const response = await instances[index % 2].request("PUT", "/verify_email", { form });
      await response.body?.cancel();
      return response;
    }));
    const winners = answers.filter(({ status }) => status === 200);
    assert.equal(winners.length, 1, answers.map(({ status }) => status).join());
    assert.ok(answers.every(({ status }) => [200, 403, 503].includes(status)));
    assert.deepEqual([await countOf(service, "users"), await countOf(service, "sessions")], [1, 1]);
    assert.equal(await countOf(service, "tokens"), 0, "no registration is left");
    const { session } = browserOf(winners[0]);
    assert.deepEqual(await service.send("GET", "/profile", undefined, session), [200, { email: ANNA }]);
  },
  PUBLIC_SETTINGS,
);

test("A2, S16: registrations at once all lose their password, and each is answered alike", async (service) => {
  const instances = [service, await service.another()];
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => {
    const form = { email: ANNA, password: index === 0 ? PASSWORD : `${index} ${THIEF_PASSWORD}` };
    return instances[index % 2].request("POST", "/users", { form });
  }));
  assert.equal(new Set(await Promise.all(answers.map(raw))).size, 1);
  const rows = await service.rows("SELECT hashed_password FROM tokens WHERE purpose = 'register'");
  assert.deepEqual(rows.map((row) => row.hashed_password), Array(10).fill(null));
}, PUBLIC_SETTINGS);

test(
  "A2: the first password needs no old one for ten minutes; after that only the mailbox sets it",
  async (service) => {
    await prepareHijack(service);
    const { token } = mailbox(service, ANNA).at(-1)!;
    const { session } = await prove(service, { verification_token: token });
    service.clock.now += 10 * MINUTE;
    const form = { new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [403, "login_required"]);
    const page = await submitForm(service, "/account/password", form, undefined, session);
    const text = await page.text();
    assert.equal(page.status, 403);
    assert.ok(
      text.includes(`href="/forgot?email=${encodeURIComponent(ANNA)}"`),
      "it leads to the mail, not to the login",
    );
    service.clock.now -= 1;
    assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
    // The session of the choice cannot set another one without the password.
    const next = { form: { new_password: THIEF_PASSWORD }, session };
    assert.deepEqual(await outcome(service, "PUT", "/password", next), [403, "no_session"]);
  },
  PUBLIC_SETTINGS,
);

test(
  "A2: a stranger's session in the prover's browser ends, and a reset by mail also sets the first password",
  async (service) => {
    await signUp(service, THIEF, THIEF_PASSWORD);
    const planted = await logIn(service, THIEF, THIEF_PASSWORD);
    await prepareHijack(service);
    const { token } = mailbox(service, ANNA).at(-1)!;
    const form = { verification_token: token };
    const response = await service.request("PUT", "/verify_email", { form, session: planted.session });
    assert.equal(response.status, 200);
    assert.notEqual(browserOf(response).session, planted.session);
    assert.deepEqual(await outcome(service, "GET", "/profile", { session: planted.session }), [403, "no_session"]);
    await service.send("POST", "/reset_password", { email: ANNA });
    const reset = { email: ANNA, reset_token: (await mailTo(service, ANNA)).token, new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form: reset }), [200, null]);
    await logIn(service, ANNA, NEW_PASSWORD);
    assert.equal((await eventTypes(service)).filter((type) => type === "logged_in").length, 3);
  },
  PUBLIC_SETTINGS,
);
