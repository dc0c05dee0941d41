/**
 * A stranger has the proof of a change mailed to somebody's mailbox, while its owner expects such a mail.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  ANNA,
  BERT,
  type Browser,
  HOUR,
  logIn,
  mailbox,
  mailTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
  THIEF,
  THIEF_PASSWORD,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

/** An address that Anna wants and that has no account yet. */
const NEW = "anna@example.org";
const REFUSED: [number, string] = [403, "invalid_token"];

async function ask(service: Service, { session }: Browser, new_email: string, password: string): Promise<void> {
  const form = { new_email, password };
  assert.deepEqual(await outcome(service, "POST", "/change_email", { form, session }), [200, null]);
  service.clock.now += 1;
}

/** A stranger with an own account asks to change its address to this one. Returns the session. */
async function thiefAsks(service: Service, email: string): Promise<Browser> {
  await signUp(service, THIEF, THIEF_PASSWORD);
  const thief = await logIn(service, THIEF, THIEF_PASSWORD);
  await ask(service, thief, email, THIEF_PASSWORD);
  return thief;
}

function prove(service: Service, change_token: string, session?: string): Promise<[number, string | null]> {
  return outcome(service, "PUT", "/change_email", { form: { change_token }, session });
}

async function emails(service: Service): Promise<unknown[]> {
  return (await service.rows("SELECT email FROM users ORDER BY email")).map(({ email }) => email);
}

test("A2: a change of a stranger's account does not take the address of a waiting registration", async (service) => {
  await service.register(ANNA, PASSWORD);
  const { token: own } = await mailTo(service, ANNA);
  const thief = await thiefAsks(service, ANNA);
  const { token, subject } = await mailTo(service, ANNA);
  assert.match(subject, /new email address/);
  assert.deepEqual(await prove(service, token), REFUSED);
  // Her own mail goes on to work, and then the other's does not.
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form: { verification_token: own } }), [200, null]);
  await logIn(service, ANNA, PASSWORD);
  assert.deepEqual(await prove(service, token, thief.session), REFUSED);
  assert.deepEqual(await emails(service), [ANNA, THIEF]);
}, PUBLIC_SETTINGS);

test("A2: the link of another account's change is refused where somebody is logged in", async (service) => {
  await signUp(service);
  const anna = await logIn(service);
  await thiefAsks(service, NEW);
  const { token } = await mailTo(service, NEW);
  assert.deepEqual(await prove(service, token, anna.session), REFUSED);
  assert.deepEqual(await emails(service), [ANNA, THIEF]);
  assert.deepEqual(await outcome(service, "GET", "/account", { session: anna.session }), [200, null]);
  // Nothing is contested: whoever has the mailbox and is nobody else may prove it.
  assert.deepEqual(await prove(service, token), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "A2: of two accounts that wait for one address, a link proves it only in its account's session",
  async (service) => {
    await signUp(service);
    const anna = await logIn(service);
    await thiefAsks(service, NEW);
    const { token: others } = await mailTo(service, NEW);
    await ask(service, anna, NEW, PASSWORD);
    const { token: own } = await mailTo(service, NEW);
    assert.deepEqual(await prove(service, others), REFUSED);
    assert.deepEqual(await prove(service, own), REFUSED);
    assert.deepEqual(await prove(service, own, anna.session), [200, null]);
    assert.deepEqual(await emails(service), [NEW, THIEF]);
  },
  PUBLIC_SETTINGS,
);

test("A2: who waits for another address, or waited for too long, contests nothing", async (service) => {
  await signUp(service);
  await service.register(NEW, NEW_PASSWORD);
  await service.mails();
  service.clock.now += 24 * HOUR;
  await service.register(BERT, NEW_PASSWORD);
  await ask(service, await logIn(service), NEW, PASSWORD);
  const { token } = await mailTo(service, NEW);
  assert.deepEqual(await prove(service, token), [200, null]);
}, PUBLIC_SETTINGS);

test("A8: who has the password does not bury the first mail to the owner under others", async (service) => {
  await signUp(service);
  let { session } = await logIn(service);
  let current_password = PASSWORD;
  const refused: [number, string] = [429, "rate_limited"];
  for (let count = 0; count < 21; count++) {
    const form = { current_password, new_password: `battery staple ${count}` };
    const response = await service.request("PUT", "/password", { form, session });
    await response.body?.cancel();
    if (count === 20) assert.deepEqual([response.status, response.headers.get("error-code")], refused);
    else {
      assert.equal(response.status, 200);
      session = sessionOf(response)!;
      current_password = form.new_password;
    }
  }
  for (let count = 0; count < 21; count++) {
    const form = { new_email: `x${count}@example.net`, password: current_password };
    const answer = await outcome(service, "POST", "/change_email", { form, session, ip: `192.0.2.${count}` });
    assert.deepEqual(answer, count < 20 ? [200, null] : refused);
  }
  await service.mails();
  // Beside these, the mail of the registration.
  assert.equal(mailbox(service, ANNA).length, 1 + 20 + 20);
  // Her way back is still there.
  await outcome(service, "POST", "/reset_password", { form: { email: ANNA } });
  const { token } = await mailTo(service, ANNA);
  const reset = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form: reset }), [200, null]);
}, PUBLIC_SETTINGS);
