/**
 * The five pages that links of mails open: opening a page changes nothing, its button does, also without a script.
 *
 * @module
 */
import assert from "node:assert/strict";
import { formOf, submitForm } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const email = "anna@example.com";
const password = "correct horse battery";

/** Registers a user and proves the mailbox, over JSON. */
async function signUp(service: Service): Promise<void> {
  await service.register(email, password);
  const [mail] = await service.mails();
  assert.equal((await service.send("PUT", "/verify_email", { verification_token: mail.token }))[0], 200);
}

test("S36: opening /verify?token= changes nothing; its button makes the account", async (service) => {
  await service.register(email, password);
  const [mail] = await service.mails();
  for (let time = 0; time < 3; time++) {
    for (const accept of ["*/*", "text/html"]) {
      const response = await service.request("GET", `/verify?token=${mail.token}`, { headers: { accept } });
      assert.equal(response.status, 200);
    }
  }
  assert.equal((await service.send("POST", "/sessions", { email, password }))[0], 401);
  const done = await submitForm(service, `/verify?token=${mail.token}`);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/login?done=verified&email=anna%40example.com"]);
  await service.logIn(email, password);
  const again = await service.request("GET", `/verify?token=${mail.token}`);
  assert.equal(again.status, 403);
  assert.match(await again.text(), /no longer works/);
}, PUBLIC_SETTINGS);

test("S36: opening the link of any mail uses nothing up", async (service) => {
  await signUp(service);
  const session = await service.logIn(email, password);
  // From another device, so that there is an undo link.
  await service.logIn(email, password);
  await service.send("POST", "/reset_password", { email });
  await service.send("POST", "/change_email", { new_email: "anna@example.org", password }, session);
  const open = async (): Promise<string[]> => {
    const links = (await service.mails()).map(({ text }) => /^https:\/\/[^/]+(\/\S+\?token=\S+)$/m.exec(text)?.[1]);
    const before = await service.rows("SELECT * FROM tokens ORDER BY secret_hash");
    for (const link of links.filter((link) => link !== undefined)) {
      for (const accept of ["*/*", "text/html", "text/html"]) {
        const response = await service.request("GET", link, { headers: { accept } });
        assert.equal(response.status, 200, link);
        await response.body?.cancel();
      }
    }
    assert.deepEqual(await service.rows("SELECT * FROM tokens ORDER BY secret_hash"), before);
    return links.flatMap((link) => link === undefined ? [] : [link.split("?")[0]]);
  };
  assert.deepEqual((await open()).sort(), ["/change-email", "/reset", "/undo"]);
  await service.send("DELETE", "/account", { password }, session);
  assert.deepEqual(await open(), ["/reopen"]);
}, PUBLIC_SETTINGS);

test("/verify takes the code from the mail, and shows the form again after a wrong one", async (service) => {
  await service.register(email, password);
  const [mail] = await service.mails();
  const start = `/verify?email=${encodeURIComponent(email)}`;
  const wrong = await submitForm(service, start, { code: mail.code === "00000000" ? "11111111" : "00000000" });
  assert.equal(wrong.status, 403);
  const shown = await wrong.text();
  assert.match(shown, /role="alert">This code is wrong/);
  assert.equal(formOf(shown).fields.get("email"), email);
  const done = await submitForm(service, start, { code: mail.code });
  assert.equal(done.status, 303);
  await service.logIn(email, password);
}, PUBLIC_SETTINGS);

test("/verify sends the mail again", async (service) => {
  await service.register(email, password);
  await service.mails();
  const sent = await submitForm(service, `/verify?email=${encodeURIComponent(email)}`, {}, "/verify/again");
  assert.equal(sent.status, 303);
  const [mail] = await service.mails();
  assert.equal((await submitForm(service, `/verify?token=${mail.token}`)).status, 303);
}, PUBLIC_SETTINGS);

test("opening /reset?token= changes nothing; its form sets the password and logs nobody in (S29)", async (service) => {
  await signUp(service);
  await service.send("POST", "/reset_password", { email });
  const [mail] = await service.mails();
  const path = `/reset?token=${mail.token}`;
  for (let time = 0; time < 3; time++) assert.equal((await service.request("GET", path)).status, 200);
  const weak = await submitForm(service, path, { new_password: "password" });
  assert.equal(weak.status, 400);
  const text = await weak.text();
  assert.match(text, /most common/);
  assert.ok(!text.includes('value="password"'));
  const done = await submitForm(service, path, { new_password: "battery staple horse" });
  assert.equal(done.status, 303);
  assert.equal(sessionOf(done), undefined);
  await service.logIn(email, "battery staple horse");
  assert.equal((await service.request("GET", path)).status, 403);
}, PUBLIC_SETTINGS);

test("/reset takes the code, and a refused password does not use up a try", async (service) => {
  await signUp(service);
  await service.send("POST", "/reset_password", { email });
  const [mail] = await service.mails();
  const path = `/reset?email=${encodeURIComponent(email)}`;
  for (let time = 0; time < 6; time++) {
    const weak = await submitForm(service, path, { code: mail.code, new_password: "password" });
    assert.equal(weak.status, 400);
    assert.equal(formOf(await weak.text()).fields.get("code"), mail.code);
  }
  assert.equal(
    (await submitForm(service, path, { code: mail.code, new_password: "battery staple horse" })).status,
    303,
  );
  await service.logIn(email, "battery staple horse");
}, PUBLIC_SETTINGS);

test("opening /change-email?token= changes nothing; its button changes the address", async (service) => {
  await signUp(service);
  const session = await service.logIn(email, password);
  const wish = { new_email: "anna@example.org", password };
  await service.request("POST", "/change_email", { form: wish, session });
  const [mail] = await service.mails();
  const path = `/change-email?token=${mail.token}`;
  for (let time = 0; time < 3; time++) assert.equal((await service.request("GET", path)).status, 200);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  const done = await submitForm(service, path, {}, undefined, session);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account?done=email#email"]);
  assert.deepEqual(await service.send("GET", "/profile", undefined, sessionOf(done)), [200, {
    email: "anna@example.org",
  }]);
}, PUBLIC_SETTINGS);

test("/change-email takes the code when the user is logged in", async (service) => {
  await signUp(service);
  const session = await service.logIn(email, password);
  await service.request("POST", "/change_email", { form: { new_email: "anna@example.org", password }, session });
  const [mail] = await service.mails();
  const stranger = await service.request("GET", "/change-email");
  assert.equal(stranger.headers.get("location"), "/login?return_to=%2Fchange-email");
  assert.equal((await submitForm(service, "/change-email", { code: mail.code }, undefined, session)).status, 303);
  await service.logIn("anna@example.org", password);
}, PUBLIC_SETTINGS);

test("opening /undo?token= changes nothing; its button logs out and freezes", async (service) => {
  await signUp(service);
  await service.logIn(email, password);
  const stranger = await service.logIn(email, password);
  const [mail] = await service.mails();
  const path = `/undo?token=${mail.token}`;
  for (let time = 0; time < 3; time++) {
    const page = await service.request("GET", path);
    assert.equal(page.status, 200);
    assert.ok(!(await page.text()).includes('type="password"'), "no password is asked for before an address changed");
  }
  assert.equal((await service.send("GET", "/profile", undefined, stranger))[0], 200);
  const done = await submitForm(service, path);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/undo?done=kept"]);
  assert.equal((await service.send("GET", "/profile", undefined, stranger))[0], 403);
  assert.equal((await service.request("GET", path)).status, 403);
}, PUBLIC_SETTINGS);

test("/undo asks for the former password after a change of address, and restores the address", async (service) => {
  await signUp(service);
  const session = await service.logIn(email, password);
  await service.request("POST", "/change_email", { form: { new_email: "eve@example.org", password }, session });
  const [proof] = await service.mails();
  await service.send("PUT", "/change_email", { change_token: proof.token });
  const [told] = await service.mails();
  const path = `/undo?token=${told.token}`;
  assert.match(await (await service.request("GET", path)).text(), /type="password"/);
  const wrong = await submitForm(service, path, { password: "wrong password" });
  assert.equal(wrong.status, 403);
  assert.match(await wrong.text(), /role="alert">This password is wrong\.</);
  const done = await submitForm(service, path, { password });
  assert.equal(done.headers.get("location"), "/undo?done=restored");
  const [reset] = await service.mails();
  assert.equal(reset.to, email);
}, PUBLIC_SETTINGS);

test("opening /reopen?token= changes nothing; its button reopens the account", async (service) => {
  await signUp(service);
  const session = await service.logIn(email, password);
  await service.send("DELETE", "/account", { password }, session);
  const [mail] = await service.mails();
  const path = `/reopen?token=${mail.token}`;
  for (let time = 0; time < 3; time++) assert.equal((await service.request("GET", path)).status, 200);
  assert.equal((await service.send("POST", "/sessions", { email, password }))[0], 401);
  assert.equal((await submitForm(service, path)).status, 303);
  await service.logIn(email, password);
  assert.equal((await service.request("GET", path)).status, 403);
}, PUBLIC_SETTINGS);

for (const path of ["/verify", "/reset", "/change-email", "/undo", "/reopen"]) {
  test(`${path} explains what to do after a wrong link`, async (service) => {
    const response = await service.request("GET", `${path}?token=${"x".repeat(43)}`);
    assert.equal(response.status, 403);
    const text = await response.text();
    assert.match(text, /no longer works/);
    assert.match(text, /class="button"/);
  }, PUBLIC_SETTINGS);
}
