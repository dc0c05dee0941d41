/**
 * The forms of the pages without a script: what each does, how a refused one is shown again, and that no password is
 * shown.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BROWSER_ACCEPT, formOf, readRefusedForm, signUp, submitForm } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, sessionOf, test } from "../kit/service.ts";

const email = "anna@example.com";
const password = "correct horse battery";
const other = "battery staple horse";
const BROWSER = { accept: BROWSER_ACCEPT };
const refused = (response: Response, action: string) => readRefusedForm(response, action, [password, other, "wrong"]);

test("a user can register at /register, prove the address at /verify and log in at /login", async (service) => {
  const asked = await submitForm(service, "/register?return_to=/account%23devices", { email, password });
  assert.equal(asked.status, 303);
  const waiting = asked.headers.get("location")!;
  assert.equal(waiting, "/verify?email=anna%40example.com&return_to=%2Faccount%23devices");
  const [mail] = await service.mails();
  const verified = await submitForm(service, waiting, { code: mail.code });
  const login = verified.headers.get("location")!;
  const done = await submitForm(service, login, { password });
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account#devices"]);
  assert.ok(done.headers.getSetCookie().some((cookie) => cookie.startsWith("__Host-device_id=")));
  assert.equal((await service.send("GET", "/profile", undefined, sessionOf(done)))[0], 200);
}, PUBLIC_SETTINGS);

test("a person whose registration may be a stranger's is led from the proof to a new password", async (service) => {
  await service.register(email, other);
  await service.register(email, password);
  await service.mails();
  const again = await submitForm(service, "/verify?email=anna%40example.com", {}, "/verify/again");
  assert.equal(again.status, 303);
  const [{ code }] = await service.mails();
  const verified = await submitForm(service, again.headers.get("location")!, { code });
  const choosing = verified.headers.get("location")!;
  assert.equal(choosing, "/account/password?done=unset");
  const session = sessionOf(verified);
  const page = await (await service.request("GET", choosing, { headers: BROWSER, session })).text();
  assert.match(page, /One step is left: choose a password/);
  const set = await submitForm(service, choosing, { new_password: "another horse 7" }, undefined, session);
  assert.deepEqual([set.status, set.headers.get("location")], [303, "/account?done=password#password"]);
}, PUBLIC_SETTINGS);

test("S16: /register and /forgot give the same answer to known and unknown addresses", async (service) => {
  await signUp(service, email, password);
  for (const [path, rest] of [["/register", { password: other }], ["/forgot", {}]] as const) {
    const [known, unknown] = [
      await submitForm(service, path, { email, ...rest }),
      await submitForm(service, path, {
        email: "nobody@example.com",
        ...rest,
      }),
    ];
    assert.equal(known.status, unknown.status);
    const place = known.headers.get("location")!;
    assert.equal(place.replace("anna", "nobody"), unknown.headers.get("location"));
    const pages = await Promise.all([known, unknown].map(async (response) => {
      const page = await service.request("GET", response.headers.get("location")!, { headers: BROWSER });
      return (await page.text()).replaceAll("nobody", "anna").replaceAll(/(name="form_id" value=)"[\w.-]+"/g, "$1");
    }));
    assert.equal(pages[0], pages[1]);
  }
}, PUBLIC_SETTINGS);

test("an invalid form is shown again with its values, and message and focus at the wrong field", async (service) => {
  await signUp(service, email, password);
  const login = await refused(await submitForm(service, "/login", { email, password: "wrong" }), "/login");
  assert.deepEqual([login.status, login.field, login.typed.get("email")], [401, "password", email]);
  assert.equal(login.message, "Wrong email address or password.");
  const empty = await refused(await submitForm(service, "/login", { email: "", password: "wrong" }), "/login");
  assert.deepEqual([empty.status, empty.field], [400, "email"]);

  const weak = await refused(
    await submitForm(service, "/register", { email: "new@example.com", password: "password" }),
    "/register",
  );
  assert.deepEqual([weak.status, weak.field, weak.typed.get("email")], [400, "password", "new@example.com"]);
  assert.match(weak.message!, /most common/);
  const short = await refused(
    await submitForm(service, "/register?lang=de", { email: "new@example.com", password: "kurz" }),
    "/register",
  );
  assert.equal(short.message, "Bitte verwenden Sie mindestens 8 Zeichen.");
  const odd = await refused(await submitForm(service, "/register", { email: "no address", password }), "/register");
  assert.deepEqual([odd.status, odd.field], [400, "email"]);
  const forgot = await refused(await submitForm(service, "/forgot", { email: "no address" }), "/forgot");
  assert.deepEqual([forgot.status, forgot.field, forgot.typed.get("email")], [400, "email", "no address"]);
}, PUBLIC_SETTINGS);

test("all missing fields are named at once, with the focus on the first", async (service) => {
  const text = await (await submitForm(service, "/login", {})).text();
  assert.equal(text.match(/Please fill in this field\./g)?.length, 2);
  assert.equal(text.match(/aria-invalid="true"/g)?.length, 2);
  assert.match(text, /<input id="email"[^>]*autofocus/);
  assert.equal(text.match(/ autofocus/g)?.length, 1);
}, PUBLIC_SETTINGS);

test("a throttled login shows how long to wait and links to the reset", async (service) => {
  await signUp(service, email, password);
  let response = await submitForm(service, "/login", { email, password: "wrong" });
  for (let count = 0; response.status !== 429 && count < 20; count++) {
    response = await submitForm(service, "/login", { email, password: "wrong" });
  }
  const text = await response.text();
  assert.match(text, /Too many failed attempts\. Try again in (?:30 seconds|1 minute), or/);
  assert.match(text, /<a href="\/forgot\?email=anna%40example\.com">Reset your password<\/a>/);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
}, PUBLIC_SETTINGS);

test("a reached limit is shown on the form, which keeps the typed values", async (service) => {
  for (let count = 0; count < 20; count++) await service.request("POST", "/reset_password", { form: { email } });
  const response = await submitForm(service, "/forgot", { email });
  assert.equal(response.status, 429);
  const text = await response.text();
  assert.match(text, /<p class="notice bad" role="alert" tabindex="-1" autofocus>Too many requests/);
  assert.equal(formOf(text).fields.get("email"), email);
}, PUBLIC_SETTINGS);

test("/reset names the account, and passes the address on to the login", async (service) => {
  await signUp(service, email, password);
  await service.send("POST", "/reset_password", { email });
  const [{ token }] = await service.mails();
  const page = await (await service.request("GET", `/reset?token=${token}`, { headers: BROWSER })).text();
  assert.match(page, /<p>For your account anna@example\.com\./);
  assert.match(page, /<input type="email" name="email" autocomplete="username" value="anna@example.com" hidden/);
  const done = await submitForm(service, `/reset?token=${token}`, { new_password: other });
  assert.equal(done.headers.get("location"), "/login?done=reset&email=anna%40example.com");
}, PUBLIC_SETTINGS);

test("an expired link of /reset asks for the address and sends a new link", async (service) => {
  await signUp(service, email, password);
  await service.send("POST", "/reset_password", { email });
  const [{ token }] = await service.mails();
  service.clock.now += 31 * 60_000;
  const dead = await service.request("GET", `/reset?token=${token}`, { headers: BROWSER });
  assert.equal(dead.status, 403);
  const form = formOf(await dead.text(), "/forgot");
  form.fields.set("email", email);
  const asked = await service.request("POST", "/forgot", { form: Object.fromEntries(form.fields), headers: BROWSER });
  assert.equal(asked.headers.get("location"), "/reset?email=anna%40example.com");
  const [again] = await service.mails();
  assert.equal((await submitForm(service, `/reset?token=${again.token}`, { new_password: other })).status, 303);
}, PUBLIC_SETTINGS);

test("/forgot leads to a page that says to check the mail, and can send it again", async (service) => {
  await signUp(service, email, password);
  const asked = await submitForm(service, "/forgot", { email });
  const page = await (await service.request("GET", asked.headers.get("location")!, { headers: BROWSER })).text();
  assert.match(page, /<h1>Check your email<\/h1>/);
  const again = await submitForm(service, asked.headers.get("location")!, {}, "/forgot");
  assert.equal(again.headers.get("location"), "/reset?email=anna%40example.com&done=resent");
  const told = await (await service.request("GET", again.headers.get("location")!, { headers: BROWSER })).text();
  assert.match(told, /role="status">Sent again/);
  assert.equal((await service.mails()).length, 2);
}, PUBLIC_SETTINGS);

test("in the local profile /register logs in at once, and /forgot leads to the reset", async (service) => {
  const done = await submitForm(service, "/register", { email, password: "b4l0u" });
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account"]);
  assert.ok(sessionOf(done));
  const taken = await refused(await submitForm(service, "/register", { email, password: "b4l0u" }), "/register");
  assert.deepEqual([taken.status, taken.field], [400, "email"]);
  const told = await (await submitForm(service, "/register", { email, password: "b4l0u" })).text();
  assert.ok(
    told.includes('already an account with this address. <a href="/login?email=anna%40example.com">Log in</a>'),
  );
  const unknown = await refused(await submitForm(service, "/forgot", { email: "nobody@example.com" }), "/forgot");
  assert.deepEqual([unknown.status, unknown.field], [403, "email"]);
  const reset = (await submitForm(service, "/forgot", { email })).headers.get("location")!;
  assert.equal((await submitForm(service, reset, { new_password: "t4rt1fl3tt3" })).status, 303);
  await service.logIn(email, "t4rt1fl3tt3");
});

test("a form that cannot be read is answered by a page with the right status", async (service) => {
  const headers = { ...BROWSER, "content-type": "application/x-www-form-urlencoded" };
  for (
    const [body, status] of [["email=%FF", 400], ["email=a&email=b", 400], ["x=" + "y".repeat(20_000), 413]] as const
  ) {
    const response = await service.request("POST", "/login", { body, headers });
    assert.equal(response.status, status);
    assert.match(await response.text(), /<h1>That didn’t work<\/h1>/);
  }
});

test("S17: a password that no hash can hold is a wrong one on the login page, as for an unknown address", async (service) => {
  await service.register(email, password);
  const long = "x".repeat(300);
  const answers = [];
  for (const form of [{ email, password: "wrong" }, { email, password: long }, { email: "b@x.test", password: long }]) {
    answers.push(await refused(await service.request("POST", "/login", { form, headers: BROWSER }), "/login"));
  }
  const [{ status, field, message }] = answers;
  assert.deepEqual([status, field], [401, "password"]);
  assert.ok(message);
  for (const answer of answers) {
    assert.deepEqual([answer.status, answer.field, answer.message], [status, field, message]);
  }
});
