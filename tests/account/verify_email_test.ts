/**
 * Proving a mailbox by the link or the code of its mail, and sending the mail again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BROWSER_ACCEPT, submitForm } from "../kit/form_browser.ts";
import {
  ANNA,
  BERT,
  browserOf,
  countOf,
  logIn,
  mailTo,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const AGAIN = { email: ANNA, message: "verification mail sent" };

test("PUT /verify_email takes a token, or address and code, as form and as JSON", async (service) => {
  const proofs: [string, (token: string, code: string) => Record<string, string>][] = [
    ["one@example.com", (token) => ({ verification_token: token })],
    ["two@example.com", (_, code) => ({ email: "two@example.com", code })],
    ["six@example.com", (_, code) => ({ email: "SIX@Example.com", code: `${code.slice(0, 4)} ${code.slice(4)}` })],
  ];
  for (const kind of ["form", "json"]) {
    for (const [address, fields] of proofs) {
      const email = kind + address;
      await service.register(email, PASSWORD);
      const { token, code } = await mailTo(service, email);
      const given = fields(token, code);
      if (given.email) given.email = kind + given.email;
      const response = await service.request("PUT", "/verify_email", { [kind]: given });
      assert.deepEqual([response.status, await response.json()], [200, { email, message: "email verified" }]);
      assert.deepEqual(response.headers.getSetCookie(), [], "a proof logs nobody in");
      await logIn(service, email);
    }
  }
}, PUBLIC_SETTINGS);

test("PUT /verify_email answers 400 and names the missing field", async (service) => {
  const faults: [Record<string, string>, RegExp][] = [
    [{}, /verification_token is missing/],
    [{ email: ANNA }, /verification_token is missing/],
    [{ code: "12345678" }, /email is missing/],
    [{ verification_token: "" }, /verification_token is missing/],
  ];
  for (const [form, reason] of faults) {
    const response = await service.request("PUT", "/verify_email", { form });
    assert.equal(response.status, 400);
    assert.match((await response.json()).message, reason);
  }
}, PUBLIC_SETTINGS);

test("POST /verify_email mails a pending registration again and ends its first link", async (service) => {
  await service.register(ANNA, PASSWORD);
  const first = await mailTo(service, ANNA);
  service.clock.now += 1;
  assert.deepEqual(await service.send("POST", "/verify_email", { email: ANNA }), [200, AGAIN]);
  const again = await mailTo(service, ANNA);
  const old = { form: { verification_token: first.token } };
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", old), [403, "invalid_token"]);
  assert.equal((await service.send("PUT", "/verify_email", { verification_token: again.token }))[0], 200);
  await logIn(service, ANNA, PASSWORD);
}, PUBLIC_SETTINGS);

test("POST /verify_email answers everybody alike, and mails only an address waiting for proof", async (service) => {
  await signUp(service, BERT);
  await service.register(ANNA, PASSWORD);
  await service.mails();
  for (const email of [ANNA, BERT, NOBODY]) {
    assert.deepEqual(await service.send("POST", "/verify_email", { email }), [200, { ...AGAIN, email }]);
  }
  assert.deepEqual((await service.mails()).map(({ to }) => to), [ANNA]);
  assert.deepEqual(await outcome(service, "POST", "/verify_email", { form: { email: "@" } }), [400, "invalid_email"]);
}, PUBLIC_SETTINGS);

/** An unproven account from the time when the service ran in the local profile. */
async function unproven(service: Service): Promise<string> {
  await signUp(service);
  const { session } = await logIn(service);
  await service.rows("UPDATE users SET email_verified_at = NULL");
  return session;
}

test(
  "S35: a proof by mail of an account from before the public profile ends its old sessions and password",
  async (service) => {
    const session = await unproven(service);
    assert.equal((await service.send("POST", "/sessions", { email: ANNA, password: PASSWORD }))[0], 401);
    await service.send("POST", "/verify_email", { email: ANNA });
    const { token } = await mailTo(service, ANNA);
    const proven = await service.request("PUT", "/verify_email", { form: { verification_token: token } });
    assert.deepEqual(await proven.json(), { email: ANNA, message: "email verified", has_password: false });
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
    // The account may have been made by anybody, so only the mailbox may set its password.
    assert.equal((await service.send("POST", "/sessions", { email: ANNA, password: PASSWORD }))[0], 401);
    const form = { new_password: NEW_PASSWORD };
    const own = browserOf(proven).session;
    assert.deepEqual(await outcome(service, "PUT", "/password", { form, session: own }), [200, null]);
    await logIn(service, ANNA, NEW_PASSWORD);
  },
  PUBLIC_SETTINGS,
);

test("S36: requests beyond the mail limit do not end tokens that were sent", async (service) => {
  await unproven(service);
  let token = "";
  for (let asked = 0; asked < 8; asked++) {
    await service.send("POST", "/verify_email", { email: ANNA });
    token = (await service.mails()).at(-1)?.token ?? token;
  }
  assert.equal((await service.send("PUT", "/verify_email", { verification_token: token }))[0], 200);
}, PUBLIC_SETTINGS);

test("V41: a token proves only the mailbox that received it, whatever address is sent with it", async (service) => {
  await service.register(ANNA, PASSWORD);
  await service.register(BERT, "somebody else's words");
  const mails = await service.mails();
  const anna = mails.find(({ to }) => to === ANNA)!;
  const form = { email: BERT, code: anna.code };
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form }), [403, "invalid_token"]);
  const verified = await service.send("PUT", "/verify_email", { verification_token: anna.token, email: BERT });
  assert.deepEqual(verified, [200, { email: ANNA, message: "email verified" }]);
  assert.equal(await countOf(service, "users"), 1);
}, PUBLIC_SETTINGS);

test(
  "S36: reading the address of a link by GET or HEAD changes nothing, however often it happens, and the token stays valid",
  async (service) => {
    await service.register(ANNA, PASSWORD);
    const { token, text } = await mailTo(service, ANNA);
    const url = new URL(/https:\S+/.exec(text)![0]);
    for (const method of ["GET", "HEAD", "GET"]) {
      const response = await service.request(method, url.pathname + url.search, { headers: { accept: "text/html" } });
      assert.ok(response.status < 500);
      await response.body?.cancel();
    }
    assert.equal((await service.send("PUT", "/verify_email", { verification_token: token }))[0], 200);
  },
  PUBLIC_SETTINGS,
);

for (const [profile, settings] of [["local", {}], ["public", PUBLIC_SETTINGS]] as const) {
  test(
    `C5: a proof keeps the caller's own session, with a new id and its old age, ${profile} profile`,
    async (service) => {
      await signUpIn(service);
      const own = await logIn(service);
      const other = await logIn(service);
      service.clock.now += 20 * MINUTE;
      const token = await proofToken(service);
      const form = { verification_token: token };
      const response = await service.request("PUT", "/verify_email", { form, session: own.session });
      assert.deepEqual([response.status, await response.json()], [200, { email: ANNA, message: "email verified" }]);
      const { session } = browserOf(response);
      assert.ok(session !== "" && session !== own.session);
      assert.deepEqual(await service.send("GET", "/profile", undefined, session), [200, { email: ANNA }]);
      for (const ended of [own, other]) {
        assert.deepEqual(await outcome(service, "GET", "/profile", ended), [403, "no_session"]);
      }
      // A mail's link authenticates nobody.
      assert.deepEqual(await outcome(service, "GET", "/account/export", { session }), [403, "login_required"]);
      assert.equal(await countOf(service, "sessions"), 1);
    },
    settings,
  );

  test(
    `C5: a proof leaves the session of another account alone, and sets no cookie, ${profile} profile`,
    async (service) => {
      await signUpIn(service);
      await logIn(service);
      await signUpIn(service, BERT);
      const bert = await logIn(service, BERT);
      const token = await proofToken(service);
      const form = { verification_token: token };
      const response = await service.request("PUT", "/verify_email", { form, session: bert.session });
      assert.equal(response.status, 200);
      assert.deepEqual(response.headers.getSetCookie(), []);
      assert.deepEqual(await service.send("GET", "/profile", undefined, bert.session), [200, { email: BERT }]);
      assert.equal(await countOf(service, "sessions"), 1);
    },
    settings,
  );

  test(
    `C5: the page of a proof keeps the session too, and leads to the account, ${profile} profile`,
    async (service) => {
      await signUpIn(service);
      const own = await logIn(service);
      const token = await proofToken(service);
      const done = await submitForm(service, `/verify?token=${token}`, {}, undefined, own.session);
      assert.deepEqual([done.status, done.headers.get("location")], [303, "/account?done=confirmed#email"]);
      const { session } = browserOf(done);
      const headers = { accept: BROWSER_ACCEPT };
      const account = await service.request("GET", "/account?done=confirmed", { headers, session });
      assert.match(await account.text(), /Your email address is confirmed\./);
    },
    settings,
  );
}

test("C5: the description says which sessions a proof ends", async (service) => {
  const text = await (await service.request("GET", "/openapi.json")).text();
  const { description } = JSON.parse(text).paths["/verify_email"].put;
  assert.match(description, /sessions of the account end/);
  assert.match(description, /caller's own stays, with a new id/);
  assert.match(await (await service.request("GET", "/docs")).text(), /own stays, with a new id/);
});

/** Makes an account whose address is not proven, or is proven already. */
async function signUpIn(service: Service, email = ANNA): Promise<void> {
  if (service.auth.config.profile === "local") await service.register(email, PASSWORD);
  else await signUp(service, email);
}

/** The token of a proof. In public no account with a session waits for one, but its mail may still be on its way. */
async function proofToken(service: Service): Promise<string> {
  await service.rows("UPDATE users SET email_verified_at = NULL WHERE email_key = $1", ANNA);
  await service.send("POST", "/verify_email", { email: ANNA });
  const { token } = await mailTo(service, ANNA);
  if (service.auth.config.profile === "public") await service.rows("UPDATE users SET email_verified_at = created_at");
  return token;
}
