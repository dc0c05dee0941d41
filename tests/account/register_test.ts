/**
 * Sign-up in the public profile: which passwords are accepted, what exists before the mailbox is proven, and that
 * nobody can prepare an account for another person.
 *
 * @module
 */
import assert from "node:assert/strict";
import { registerUser } from "../../auth/account/register.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import {
  ANNA,
  BERT,
  browserOf,
  countOf,
  DAY,
  logIn,
  mailTo,
  MINUTE,
  outcome,
  PASSWORD,
  signUp,
  THIEF,
  THIEF_PASSWORD,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** Passwords that a public service refuses, each with a part of the reason. */
const WEAK: Record<string, [string, RegExp]> = {
  "S1: seven characters": ["ab cd e", /at least 8/],
  "S1: seven emoji": ["😀🐴🔋📎🍕🚲🌧", /at least 8/],
  "S5: common": ["passwordpassword", /most common/],
  "S5: a row": ["123456789012345", /row|common/],
  "S6: the address": [ANNA, /address/],
  "S6: the service": ["bienvenue", /service/],
};
/** Passwords that it accepts: passphrases, other scripts, one kind of characters, 64 times four bytes. */
const GOOD = ["a b c d e f g h", "солнце над рекой", "qxzvkwjhf", "😀🐴🔋📎🍕🚲🌧🎹", "🐴🔋".repeat(32)];

test("S1, S5, S6: POST /users answers 400 to a weak password with the reason, and stores nothing", async (service) => {
  for (const [what, [password, reason]] of Object.entries(WEAK)) {
    const response = await service.request("POST", "/users", { json: { email: ANNA, password } });
    assert.deepEqual([response.status, response.headers.get("error-code")], [400, "weak_password"], what);
    assert.match((await response.json()).message, reason, what);
  }
  assert.equal(await countOf(service, "tokens"), 0);
}, PUBLIC_SETTINGS);

test("S1, S5, S6: a weak password is refused by change and reset, and the token stays valid", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  const { token } = await mailTo(service, ANNA);
  for (const [what, [password]] of Object.entries(WEAK)) {
    const change = { current_password: PASSWORD, new_password: password };
    assert.deepEqual(
      await outcome(service, "PUT", "/password", { form: change, session }),
      [400, "weak_password"],
      what,
    );
    const reset = { email: ANNA, reset_token: token, new_password: password };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form: reset }), [400, "weak_password"], what);
  }
  await logIn(service);
  const reset = { email: ANNA, reset_token: token, new_password: GOOD[0] };
  assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
}, PUBLIC_SETTINGS);

test("S4: passphrases, all scripts and one kind of characters are accepted, at sign-up and later", async (service) => {
  for (const [index, password] of GOOD.entries()) await signUp(service, `p${index}@example.org`, password);
  await signUp(service);
  let { session } = await logIn(service);
  let current = PASSWORD;
  for (const password of GOOD) {
    const form = { current_password: current, new_password: password };
    assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null], password);
    await service.mails();
    session = (await logIn(service, ANNA, password)).session;
    current = password;
  }
}, PUBLIC_SETTINGS);

test("S1: PASSWORD_MIN_LENGTH sets the minimum length", async (service) => {
  const form = (password: string) => ({ form: { email: ANNA, password } });
  assert.deepEqual(await outcome(service, "POST", "/users", form("fourteen chars")), [400, "weak_password"]);
  assert.deepEqual(await outcome(service, "POST", "/users", form("fifteen charact")), [200, null]);
}, { ...PUBLIC_SETTINGS, PASSWORD_MIN_LENGTH: "15" });

test("S8: POST /users stores no hint and no secret question", async (service) => {
  const form = { email: ANNA, password: PASSWORD, hint: "canary-hint", question: "canary-q", answer: "canary-a" };
  assert.deepEqual(await outcome(service, "POST", "/users", { form }), [200, null]);
  const stored = JSON.stringify(await service.rows("SELECT * FROM tokens, events"));
  assert.ok(!stored.includes("canary"));
}, PUBLIC_SETTINGS);

test("a public registration makes a token for 24 hours but no user, so a login answers 401", async (service) => {
  await service.register(ANNA, PASSWORD);
  assert.deepEqual([await countOf(service, "users"), await countOf(service, "tokens")], [0, 1]);
  const login = { form: { email: ANNA, password: PASSWORD } };
  assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
  service.clock.now += 30 * MINUTE;
  // The 24 hours start when the mail is sent.
  const { token } = await mailTo(service, ANNA);
  service.clock.now += DAY;
  const proof = { form: { verification_token: token } };
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", proof), [403, "invalid_token"]);
  service.clock.now -= 1;
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", proof), [200, null]);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("registering a known address mails a notice and does not change the password", async (service) => {
  await signUp(service);
  await service.register(ANNA.toUpperCase(), THIEF_PASSWORD);
  const mail = await mailTo(service, ANNA);
  assert.deepEqual([mail.token, mail.code], ["", ""]);
  await logIn(service);
  const login = { form: { email: ANNA, password: THIEF_PASSWORD } };
  assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
  assert.equal(await countOf(service, "users"), 1);
}, PUBLIC_SETTINGS);

test("S35, V26: after the owner has proven an address, other registrations for it are void", async (service) => {
  await service.register(ANNA, THIEF_PASSWORD);
  const prepared = await mailTo(service, ANNA);
  await service.register(ANNA, PASSWORD);
  const own = await mailTo(service, ANNA);
  await service.register(ANNA, THIEF_PASSWORD);
  const later = await mailTo(service, ANNA);
  const form = { verification_token: own.token };
  const { session } = browserOf(await service.request("PUT", "/verify_email", { form }));
  for (const { token } of [prepared, later]) {
    const form = { verification_token: token };
    assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form }), [403, "invalid_token"]);
  }
  // Not even a row: once the account is gone, a registration from before would make an account with its password.
  assert.deepEqual(await service.rows("SELECT purpose FROM tokens"), []);
  const login = { form: { email: ANNA, password: THIEF_PASSWORD } };
  assert.deepEqual(await outcome(service, "POST", "/sessions", login), [401, "wrong_credentials"]);
  const first = { form: { new_password: PASSWORD }, session };
  assert.deepEqual(await outcome(service, "PUT", "/password", first), [200, null]);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("S35: a reset proves the mailbox and ends earlier sessions and passwords", async (service) => {
  // An account made in the local profile: with a password and a session, without a proof.
  await unprovenAccount(service);
  assert.equal((await service.send("POST", "/sessions", { email: ANNA, password: THIEF_PASSWORD }))[0], 401);
  await service.send("POST", "/reset_password", { email: ANNA });
  const { token } = await mailTo(service, ANNA);
  const form = { email: ANNA, reset_token: token, new_password: PASSWORD };
  assert.equal((await service.send("PUT", "/reset_password", form))[0], 200);
  assert.equal(await countOf(service, "sessions"), 0);
  assert.equal((await service.send("POST", "/sessions", { email: ANNA, password: THIEF_PASSWORD }))[0], 401);
  await logIn(service);
}, PUBLIC_SETTINGS);

test("V01, V53: identity fields in a body or query are ignored without a session", async (service) => {
  await signUp(service, BERT);
  const [bert] = await service.rows<{ id: string }>("SELECT id FROM users");
  const claims = { id: bert.id, user_id: bert.id, email_verified_at: "1", email_verified: "1", role: "admin" };
  const query = new URLSearchParams(claims);
  const form = { email: ANNA, password: PASSWORD, ...claims };
  assert.deepEqual(await outcome(service, "POST", `/users?${query}`, { form }), [200, null]);
  assert.deepEqual(await outcome(service, "POST", "/sessions", { form }), [401, "wrong_credentials"]);
  for (const path of ["/account", "/account/events", "/account/export", "/sessions", "/profile"]) {
    assert.deepEqual(await outcome(service, "GET", `${path}?${query}`), [403, "no_session"], path);
  }
  for (const [method, path] of [["PATCH", "/account"], ["DELETE", "/account"], ["PUT", "/password"]]) {
    assert.deepEqual(await outcome(service, method, path, { form: claims }), [403, "no_session"], path);
  }
}, PUBLIC_SETTINGS);

test("SIGN_UP=closed refuses registrations, and password resets still work", async (service) => {
  const form = { email: ANNA, password: PASSWORD };
  assert.deepEqual(await outcome(service, "POST", "/users", { form }), [403, "sign_up_closed"]);
  assert.equal(await countOf(service, "tokens"), 0);
  assert.deepEqual(await outcome(service, "POST", "/reset_password", { form: { email: THIEF } }), [200, null]);
}, { ...PUBLIC_SETTINGS, SIGN_UP: "closed" });

/** Makes an account as the local profile does. */
async function unprovenAccount(service: Service): Promise<void> {
  const { config } = service.auth;
  const local = { ...service.auth, config: { ...config, profile: "local" as const, publicUrl: undefined } };
  await registerUser(local, ANNA, THIEF_PASSWORD);
  assert.ok(await createSession(local, ANNA));
}
