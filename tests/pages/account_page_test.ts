/**
 * The forms of `/account` without a script: what each does, where it leads, and what the page then shows.
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

test("/account changes the profile and confirms it in the new language", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const done = await submitForm(service, "/account", { name: "Ännchen", locale: "de" }, "/account/profile", session);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account?done=profile#profile"]);
  const page = await (await service.request("GET", "/account?done=profile", { headers: BROWSER, session })).text();
  assert.match(page, /role="status">Gespeichert\.</);
  assert.equal(formOf(page, "/account/profile").fields.get("name"), "Ännchen");
  const long = await submitForm(service, "/account", { name: "x".repeat(101) }, "/account/profile", session);
  assert.equal((await refused(long, "/account/profile")).field, "name");
  const french = await submitForm(
    service,
    "/account",
    { name: "x".repeat(101), locale: "fr" },
    "/account/profile",
    session,
  );
  assert.equal((await refused(french, "/account/profile")).typed.get("locale"), "fr");
}, PUBLIC_SETTINGS);

test("/account changes the password with the current one, and ends other sessions", async (service) => {
  await signUp(service, email, password);
  const [mine, theirs] = [await service.logIn(email, password), await service.logIn(email, password)];
  const change = (current_password: string, new_password: string) =>
    submitForm(service, "/account", { current_password, new_password }, "/account/password", mine);
  const wrong = await refused(await change("wrong", other), "/account/password");
  assert.deepEqual([wrong.status, wrong.field], [403, "current_password"]);
  const weak = await refused(await change(password, email), "/account/password");
  assert.deepEqual([weak.status, weak.field], [400, "new_password"]);
  const done = await change(password, other);
  assert.equal(done.status, 303);
  assert.equal((await service.send("GET", "/profile", undefined, theirs))[0], 403);
  assert.equal((await service.send("GET", "/profile", undefined, sessionOf(done)))[0], 200);
}, PUBLIC_SETTINGS);

test("/account requests a new address with the password, and the next page takes the code", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const ask = (new_email: string, typed: string) =>
    submitForm(service, "/account", { new_email, password: typed }, "/account/email", session);
  const wrong = await refused(await ask("anna@example.org", "wrong"), "/account/email");
  assert.deepEqual([wrong.status, wrong.field, wrong.typed.get("new_email")], [
    403,
    "email-password",
    "anna@example.org",
  ]);
  const same = await refused(await ask(email, password), "/account/email");
  assert.equal(same.message, "This is already your address.");
  const asked = await ask("anna@example.org", password);
  const [mail] = await service.mails();
  const done = await submitForm(service, asked.headers.get("location")!, { code: mail.code }, undefined, session);
  assert.equal(done.headers.get("location"), "/account?done=email#email");
  await service.logIn("anna@example.org", password);
}, PUBLIC_SETTINGS);

test("/account lists devices by readable names, and ends one or all others", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const laptop = sessionOf(
    await service.request("POST", "/sessions", { form: { email, password }, headers: { "user-agent": firefox } }),
  );
  await service.logIn(email, password);
  const text = await (await service.request("GET", "/account", { headers: BROWSER, session })).text();
  assert.match(text, /<strong>Firefox on Windows<\/strong>/);
  assert.equal(text.match(/This device/g)?.length, 1);
  const at = text.indexOf("<strong>Firefox on Windows");
  const { fields } = formOf(text.slice(at), "/account/devices");
  const form = Object.fromEntries(fields);
  const ended = await service.request("POST", "/account/devices", { form, headers: BROWSER, session });
  assert.equal(ended.headers.get("location"), "/account?done=session#devices");
  assert.equal((await service.send("GET", "/profile", undefined, laptop))[0], 403);
  const again = await service.request("POST", "/account/devices", { form, headers: BROWSER, session });
  assert.deepEqual([again.status, /already logged out/.test(await again.text())], [404, true]);
  assert.equal((await submitForm(service, "/account", {}, "/account/devices/others", session)).status, 303);
  const [, list] = await service.send("GET", "/sessions", undefined, session) as [number, { sessions: unknown[] }];
  assert.equal(list.sessions.length, 1);
}, PUBLIC_SETTINGS);

test("V12: a form cannot end another user's session", async (service) => {
  await signUp(service, email, password);
  const victim = await service.logIn(email, password);
  const [, { sessions: [{ id }] }] = await service.send("GET", "/sessions", undefined, victim) as [
    number,
    { sessions: { id: string }[] },
  ];
  await service.register("eve@example.com", other);
  const [{ token }] = await service.mails();
  await service.send("PUT", "/verify_email", { verification_token: token });
  const session = await service.logIn("eve@example.com", other);
  const response = await service.request("POST", "/account/devices", { form: { id }, headers: BROWSER, session });
  assert.equal(response.status, 404);
  assert.equal((await service.send("GET", "/profile", undefined, victim))[0], 200);
}, PUBLIC_SETTINGS);

test("/account distinguishes the owner's sign-up from another person's", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const activity = async () =>
    (await (await service.request("GET", "/account", { headers: BROWSER, session })).text()).split('id="activity"')[1];
  assert.match(await activity(), /Sign-up started/);
  assert.doesNotMatch(await activity(), /tried to sign up/);
  service.clock.now += 1_000;
  await service.request("POST", "/users", { form: { email, password: other } });
  assert.match(await activity(), /tried to sign up/);
}, PUBLIC_SETTINGS);

test("/account shows a confirmation in the section of the form that was sent", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  for (
    const [word, part] of [["profile", "profile"], ["password", "password"], ["email", "email"], ["others", "devices"]]
  ) {
    const page = await service.request("GET", `/account?done=${word}`, { headers: BROWSER, session });
    const sections = (await page.text()).split("<section ").filter((section) => section.includes('role="status"'));
    assert.deepEqual(sections.map((section) => /id="(\w+)"/.exec(section)![1]), [part]);
  }
}, PUBLIC_SETTINGS);

test("/account lists events in pages", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  for (let count = 0; count < 35; count++) {
    const answer = await service.request("PATCH", "/account", { form: { name: `Anna ${count}` }, session });
    assert.equal(answer.status, 200);
    // Twenty changes an hour are the limit.
    service.clock.now += 4 * 60_000;
  }
  // Events about mails are not listed and take no place on a page.
  for (let count = 0; count < 3; count++) {
    await service.send("POST", "/reset_password", { email });
    await service.mails();
  }
  const first = await (await service.request("GET", "/account", { headers: BROWSER, session })).text();
  assert.equal(first.match(/Profile changed/g)?.length, 27);
  assert.equal(first.match(/Password reset requested/g)?.length, 3);
  const older = /href="(\/account\?before=[0-9a-f-]{36})#activity"/.exec(first)![1];
  const second = await (await service.request("GET", older, { headers: BROWSER, session })).text();
  assert.equal(second.match(/Profile changed/g)?.length, 8);
  assert.match(second, /Logged in/);
  assert.match(second, /Email address confirmed/);
}, PUBLIC_SETTINGS);

test("/account/download needs a fresh login, then sends the data", async (service) => {
  await signUp(service, email, password);
  const old = await service.logIn(email, password);
  service.clock.now += 11 * 60_000;
  const asked = await service.request("GET", "/account/download", { headers: BROWSER, session: old });
  assert.equal(asked.status, 302);
  const login = asked.headers.get("location")!;
  const done = await submitForm(service, login, { email, password }, undefined, old);
  assert.equal(done.headers.get("location"), "/account?done=export#data");
  const session = sessionOf(done)!;
  const file = await service.request("GET", "/account/download", { headers: BROWSER, session });
  assert.equal(file.headers.get("content-disposition"), 'attachment; filename="account.json"');
  assert.equal((await file.json()).account.email, email);
}, PUBLIC_SETTINGS);

test("/account closes the account with the password, and the mail's page reopens it", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const wrong = await refused(
    await submitForm(service, "/account", { password: "wrong" }, "/account/close", session),
    "/account/close",
  );
  assert.deepEqual([wrong.status, wrong.field], [403, "close-password"]);
  const closed = await submitForm(service, "/account", { password }, "/account/close", session);
  assert.deepEqual([closed.status, closed.headers.get("location")], [303, "/login?done=closed"]);
  assert.match(closed.headers.getSetCookie()[0], /^__Host-session_id=; Max-Age=0/);
  const [mail] = await service.mails();
  const open = await submitForm(service, `/reopen?token=${mail.token}`);
  assert.equal((await submitForm(service, open.headers.get("location")!, { password })).status, 303);
}, PUBLIC_SETTINGS);

test("/logout ends the session; without a session every form of the account leads to the login", async (service) => {
  await signUp(service, email, password);
  const session = await service.logIn(email, password);
  const done = await submitForm(service, "/account", {}, "/logout", session);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/login?done=logged_out"]);
  assert.equal(done.headers.get("clear-site-data"), '"storage"');
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  for (const path of ["/profile", "/password", "/email", "/devices", "/devices/others", "/close"]) {
    const form = {
      password,
      current_password: password,
      new_password: other,
      new_email: "a@example.org",
      locale: "en",
    };
    const response = await service.request("POST", `/account${path}`, { form, headers: BROWSER, session });
    const query = new URLSearchParams({ done: "unsaved", return_to: `/account${path}` });
    assert.deepEqual([response.status, response.headers.get("location")], [303, `/login?${query}`], path);
    const login = await service.request("GET", response.headers.get("location")!, { headers: BROWSER });
    assert.match(await login.text(), /role="status">Your session had ended, so your last change was not saved/);
    const back = await submitForm(service, response.headers.get("location")!, { email, password });
    const part = await service.request("GET", back.headers.get("location")!, { headers: BROWSER });
    assert.match(part.headers.get("location")!, /^\/account#\w+$/);
  }
  const page = await service.request("GET", "/account", { headers: BROWSER, session });
  assert.deepEqual([page.status, page.headers.get("location")], [302, "/login?done=ended"]);
  const stranger = await service.request("GET", "/account", { headers: BROWSER });
  assert.deepEqual([stranger.status, stranger.headers.get("location")], [302, "/login"]);
  const file = await service.request("GET", "/account/download", { headers: BROWSER });
  assert.equal(file.headers.get("location"), "/login?return_to=%2Faccount%23data");
}, PUBLIC_SETTINGS);

test(
  "a user without a password changes address and password and closes the account by a recent sign-in",
  async (service) => {
    await signUp(service, email, password);
    let session = await service.logIn(email, password);
    await service.rows("UPDATE users SET hashed_password = NULL");
    const page = await (await service.request("GET", "/account", { headers: BROWSER, session })).text();
    assert.deepEqual(page.match(/type="password"[^>]* name="\w+"|name="\w+"[^>]* type="password"/g)?.length, 1);
    const form = { new_email: "anna@example.org" };
    const asked = await submitForm(service, "/account", form, "/account/email", session);
    assert.equal(asked.headers.get("location"), "/change-email?email=anna%40example.org");
    service.clock.now += 10 * 60_000;
    const late = await submitForm(service, "/account", {}, "/account/close", session);
    assert.equal(late.status, 403);
    assert.match(await late.text(), /Please log in again\.[^]*href="\/login\?again=yes&amp;return_to=%2Faccount"/);
    service.clock.now -= 1;
    const set = await submitForm(service, "/account", { new_password: other }, "/account/password", session);
    assert.equal(set.headers.get("location"), "/account?done=password#password");
    session = sessionOf(set)!;
    await service.logIn(email, other);
    await service.rows("UPDATE users SET hashed_password = NULL");
    const closed = await submitForm(service, "/account", {}, "/account/close", session);
    assert.deepEqual([closed.status, closed.headers.get("location")], [303, "/login?done=closed"]);
  },
  PUBLIC_SETTINGS,
);
