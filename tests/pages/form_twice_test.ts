/**
 * Forms that a browser without scripts posts twice, as a double click does: what was done once is told as done, also on
 * another instance and while the first copy still runs. And what a second copy never gets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { beginFormPost, endFormPost, formIds, formPostOf } from "../../auth/limits/form_posts.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { BROWSER_ACCEPT, formOf, signUp } from "../kit/form_browser.ts";
import { EMAIL, FORMS, Jar, logIn, OTHER, PASSWORD } from "../kit/ready_forms.ts";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const SECOND = 1_000;

/** No second copy gets a cookie, a token or a code. */
function assertBare(response: Response, secrets: string[]): void {
  assert.equal(response.status, 303);
  assert.deepEqual(response.headers.getSetCookie(), []);
  assert.equal(response.headers.get("clear-site-data"), null);
  const location = decodeURIComponent(response.headers.get("location")!);
  for (const secret of secrets) assert.ok(!location.includes(secret), location);
}

function secretsOf(form: Record<string, string>): string[] {
  const { token, code, password, current_password, new_password, form_id } = form;
  return [token, code, password, current_password, new_password, form_id].filter((each) => each !== undefined);
}

for (const [name, prepare] of Object.entries(FORMS)) {
  test(`B2: a second copy of a form tells what the first one did: ${name}`, async (service) => {
    const jar = new Jar();
    const { path, action, typed, words } = await prepare(service, jar);
    const form = await jar.fill(service, path, action, typed);
    // A browser drops the answer of the first copy, with its cookies, when it sends the second one.
    const first = await jar.send(service, "POST", action, form, true);
    assert.equal(first.status, 303, await first.text());
    const mails = (await service.mails()).length;
    const other = await service.another();
    for (const on of [service, other]) {
      service.clock.now += 10 * SECOND;
      const copy = await jar.send(on, "POST", action, form);
      assertBare(copy, secretsOf(form));
      assert.match(await jar.follow(on, copy), words);
    }
    assert.deepEqual(await service.mails(), [], `nothing was done twice; ${mails} mails before`);
  }, PUBLIC_SETTINGS);

  test(`B2: copies that arrive together run once: ${name}`, async (service) => {
    const jar = new Jar();
    const { path, action, typed, words } = await prepare(service, jar);
    const form = await jar.fill(service, path, action, typed);
    const other = await service.another();
    const copies = await Promise.all([service, other, service].map((on) => jar.send(on, "POST", action, form, true)));
    for (const copy of copies) assert.equal(copy.status, 303, await copy.clone().text());
    const bare = copies.filter((copy) => copy.headers.getSetCookie().length === 0);
    assert.ok(bare.length >= 2, "one copy at most has cookies");
    for (const copy of bare) assert.match(await jar.follow(service, copy), words);
    const left = await service.rows("SELECT word FROM form_posts");
    assert.ok(left.every(({ word }) => word !== null), "no copy still runs");
  }, PUBLIC_SETTINGS);
}

test("B2: a form works without an id, with an id of another browser, and with a made-up one", async (service) => {
  const jar = new Jar();
  await logIn(service, jar);
  const stranger = new Jar();
  const foreign = (await stranger.fill(service, "/login", "/login")).form_id;
  const own = await jar.fill(service, "/account", "/account/profile");
  const [random, signed] = own.form_id.split(".");
  const ids = [undefined, "", "x", foreign, `${signed}.${random}`, `${random}.${random}`, `${own.form_id}x`, random];
  for (const [index, id] of ids.entries()) {
    const form: Record<string, string> = { ...own, name: `Anna ${index}` };
    if (id === undefined) delete form.form_id;
    else form.form_id = id;
    const saved = await jar.send(service, "POST", "/account/profile", form);
    assert.deepEqual([saved.status, saved.headers.get("location")], [303, "/account?done=profile#profile"]);
    const [row] = await service.rows("SELECT name FROM users");
    assert.equal(row.name, `Anna ${index}`, "it ran");
  }
  assert.deepEqual(await service.rows("SELECT id FROM form_posts"), [], "none of them was kept");
}, PUBLIC_SETTINGS);

test("B2: a form with other values is no copy, however soon it comes", async (service) => {
  const jar = new Jar();
  await logIn(service, jar);
  const form = await jar.fill(service, "/account", "/account/profile");
  for (const name of ["Anna", "Anne", "Anna"]) {
    assert.equal((await jar.send(service, "POST", "/account/profile", { ...form, name })).status, 303);
    const changed = name === "Anne" ? "Anne" : undefined;
    if (changed) assert.equal((await service.rows("SELECT name FROM users"))[0].name, changed);
  }
  const wrong = { current_password: PASSWORD, new_password: OTHER };
  const asked = { ...await jar.fill(service, "/account", "/account/password"), ...wrong };
  assert.equal((await jar.send(service, "POST", "/account/password", asked)).status, 303);
  const guess = await jar.send(service, "POST", "/account/password", { ...asked, current_password: "a guess" });
  assert.equal(guess.status, 403, "the message is told to nobody who does not know what was sent");
}, PUBLIC_SETTINGS);

test("B2: after 30 seconds, and after a sweep, a form is like any other", async (service) => {
  const jar = new Jar();
  await logIn(service, jar);
  const typed = { current_password: PASSWORD, new_password: OTHER };
  const form = await jar.fill(service, "/account", "/account/password", typed);
  const stale = new Jar();
  for (const [name, value] of jar.cookies) stale.cookies.set(name, value);
  assert.equal((await jar.send(service, "POST", "/account/password", form)).status, 303);
  service.clock.now += 30 * SECOND - 1;
  assert.equal(await sweep(service.auth), 0);
  assertBare(await jar.send(service, "POST", "/account/password", form), secretsOf(form));
  service.clock.now += 1;
  const late = await jar.send(service, "POST", "/account/password", form);
  assert.equal(late.status, 403, "it ran, and the password is another one now");
  const ended = await stale.send(service, "POST", "/account/password", form);
  assert.deepEqual([ended.status, ended.headers.get("location")?.split("&")[0]], [303, "/login?done=unsaved"]);
  assert.equal(
    (await jar.send(service, "POST", "/account/profile", await jar.fill(service, "/account", "/account/profile")))
      .status,
    303,
  );
  service.clock.now += 31 * SECOND;
  await sweep(service.auth);
  assert.deepEqual(await service.rows("SELECT id FROM form_posts"), []);
}, PUBLIC_SETTINGS);

test("B2: a refusal is never told as a success, and a copy of a refused form is judged by itself", async (service) => {
  const jar = new Jar();
  await logIn(service, jar);
  const typed = { current_password: "wrong", new_password: OTHER };
  const form = await jar.fill(service, "/account", "/account/password", typed);
  for (let count = 0; count < 2; count++) {
    const refused = await jar.send(service, "POST", "/account/password", form);
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /This password is wrong\./);
  }
  const empty = await jar.fill(service, "/account", "/account/password", { new_password: OTHER });
  assert.equal((await jar.send(service, "POST", "/account/password", empty)).status, 400);
  const all = await Promise.all([1, 2, 3].map(() => jar.send(service, "POST", "/account/password", form)));
  assert.deepEqual(all.map(({ status }) => status), [403, 403, 403]);
  assert.deepEqual(await service.rows("SELECT id FROM form_posts"), []);
}, PUBLIC_SETTINGS);

test(
  "B2: another site cannot post a copy either, and no copy is told anything without the browser's cookie",
  async (service) => {
    const jar = new Jar();
    await logIn(service, jar);
    const form = await jar.fill(service, "/account", "/account/close", { password: PASSWORD });
    assert.equal((await jar.send(service, "POST", "/account/close", form)).status, 303);
    const cookie = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: BROWSER_ACCEPT, cookie };
    const foreign = { ...headers, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    assert.equal((await service.request("POST", "/account/close", { form, headers: foreign })).status, 403);
    const without = await service.request("POST", "/account/close", { form, headers: { accept: BROWSER_ACCEPT } });
    assert.equal(without.headers.get("location")?.includes("closed"), false);
    const elsewhere = await new Jar().send(service, "POST", "/account/close", form);
    assert.equal(elsewhere.headers.get("location")?.includes("closed"), false);
    const twice = { ...headers, cookie: `${cookie}; __Host-browser_id=${"e".repeat(43)}` };
    const planted = await service.request("POST", "/account/close", { form, headers: twice });
    assert.equal(planted.headers.get("location")?.includes("closed"), false);
  },
  PUBLIC_SETTINGS,
);

test(
  "B2: two logins of one form are two logins, each with its own cookies, and a log-out twice is one",
  async (service) => {
    await signUp(service, EMAIL, PASSWORD);
    const jar = new Jar();
    const form = await jar.fill(service, "/login", "/login", { email: EMAIL, password: PASSWORD });
    const sessions = [];
    for (let count = 0; count < 2; count++) {
      const login = await jar.send(service, "POST", "/login", form);
      assert.deepEqual([login.status, login.headers.get("location")], [303, "/account"]);
      sessions.push(sessionOf(login));
    }
    assert.ok(sessions[0] && sessions[1] && sessions[0] !== sessions[1]);
    const leave = await jar.fill(service, "/account", "/logout");
    for (let count = 0; count < 2; count++) {
      const left = await jar.send(service, "POST", "/logout", leave, true);
      assert.deepEqual([left.status, left.headers.get("location")], [303, "/login?done=logged_out"]);
    }
  },
  PUBLIC_SETTINGS,
);

test("B2: locally a second copy of a registration leads to the login, and each copy of /forgot gets its own token", async (service) => {
  const jar = new Jar();
  const form = await jar.fill(service, "/register", "/register", { email: EMAIL, password: PASSWORD });
  const made = await jar.send(service, "POST", "/register", form, true);
  assert.ok(sessionOf(made));
  const copy = await jar.send(service, "POST", "/register", form);
  assertBare(copy, [PASSWORD]);
  assert.match(await jar.follow(service, copy), /Your account is ready\. Log in to continue\./);
  const forgotten = await jar.fill(service, "/forgot", "/forgot", { email: EMAIL });
  const tokens = [];
  for (let count = 0; count < 2; count++) {
    const asked = await jar.send(service, "POST", "/forgot", forgotten);
    tokens.push(new URL(asked.headers.get("location")!, "http://localhost").searchParams.get("token"));
  }
  assert.ok(tokens[0] && tokens[1] && tokens[0] !== tokens[1]);
});

test("B2: the database holds no part of a posted form, and its key is none of another purpose", async (service) => {
  const jar = new Jar();
  await logIn(service, jar);
  const typed = { current_password: PASSWORD, new_password: OTHER };
  const form = await jar.fill(service, "/account", "/account/password", typed);
  assert.equal((await jar.send(service, "POST", "/account/password", form)).status, 303);
  const [row, ...others] = await service.rows("SELECT * FROM form_posts");
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(row).sort(), ["expires_at", "id", "word"]);
  assert.deepEqual([row.word, row.expires_at], ["done", service.clock.now + 30 * SECOND]);
  assert.match(String(row.id), /^[\w-]{43}$/);
  const [random] = form.form_id.split(".");
  assert.ok(!String(row.id).includes(random));
  // The key is in the browser's page only. Otherwise the same password would have the same id in two forms.
  const { browser, next } = await formIds(service.auth, undefined);
  const fields: [string, string][] = [["password", PASSWORD]];
  const ids = [next(), next()].map((id) => formPostOf(service.auth, { browser, id, path: "/x", fields }));
  assert.equal(new Set(await Promise.all(ids)).size, 2);
  const keys = await service.rows("SELECT purpose, secret FROM keys ORDER BY purpose");
  assert.deepEqual(keys.map(({ purpose }) => purpose), ["code", "device", "form", "work"]);
  assert.equal(new Set(keys.map(({ secret }) => secret)).size, 4);
}, PUBLIC_SETTINGS);

/** A posted form of a browser, without a page. */
async function posted(service: Service): Promise<string> {
  const { browser, next } = await formIds(service.auth, undefined);
  return (await formPostOf(service.auth, { browser, id: next(), path: "/x", fields: [["a", "b"]] }))!;
}

test("B2: a copy waits while the first one runs, takes its place when that one died, and leaves with its client", async (service) => {
  const { auth, clock } = service;
  const other = await service.another();
  const post = await posted(service);
  assert.equal(await beginFormPost(auth, post), undefined, "the first one runs");
  let looks = 0;
  const waited = new Promise<void>((resolve) => {
    const stop = other.watch((sql) => {
      if (!sql.startsWith("SELECT word") || ++looks < 3) return;
      stop();
      resolve();
    });
  });
  const copy = beginFormPost(other.auth, post);
  await waited;
  await endFormPost(auth, post, "kept");
  assert.equal(await copy, "kept");

  const dead = await posted(service);
  assert.equal(await beginFormPost(auth, dead), undefined);
  clock.now += 10 * SECOND - 1;
  const left = AbortSignal.abort();
  await assert.rejects(beginFormPost(auth, dead, left), { code: "client_gone" });
  clock.now += 1;
  assert.equal(await beginFormPost(auth, dead), undefined, "it runs itself");

  const refused = await posted(service);
  assert.equal(await beginFormPost(auth, refused), undefined);
  await endFormPost(auth, refused, undefined);
  assert.equal(await beginFormPost(auth, refused), undefined, "nothing was done");
});

test("B2: a copy that took the place of a slow first one does not take its word away", async (service) => {
  const { auth, clock } = service;
  const post = await posted(service);
  assert.equal(await beginFormPost(auth, post), undefined);
  clock.now += 10 * SECOND;
  assert.equal(await beginFormPost(auth, post), undefined, "it runs too");
  await endFormPost(auth, post, "kept");
  // It found nothing left to do.
  await endFormPost(auth, post, undefined);
  assert.equal(await beginFormPost(auth, post), "kept");
});

test("B2, F12: a clock that was set back makes no form wait for a day, and small differences of clocks do no harm", async (service) => {
  const { auth, clock } = service;
  const post = await posted(service);
  assert.equal(await beginFormPost(auth, post), undefined);
  await endFormPost(auth, post, "kept");
  clock.now -= 20 * SECOND;
  assert.equal(await beginFormPost(auth, post), "kept", "another instance's clock is 20 s behind");
  clock.now -= 24 * 3_600 * SECOND;
  assert.equal(await beginFormPost(auth, post), undefined);
});

test(
  "B2: a page without a form sets no cookie, one with a form sets it once, and an old key still signs",
  async (service) => {
    const jar = new Jar();
    const done = await jar.send(service, "GET", "/logout/done");
    assert.deepEqual(done.headers.getSetCookie(), []);
    const login = await jar.send(service, "GET", "/login");
    const [cookie, ...others] = login.headers.getSetCookie();
    assert.match(cookie, /^__Host-browser_id=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    assert.deepEqual(others, []);
    const again = await jar.send(service, "GET", "/login");
    assert.deepEqual(again.headers.getSetCookie(), []);
    const texts = [await login.text(), await again.text()].map((text) => formOf(text, "/login").fields.get("form_id"));
    assert.ok(texts[0] && texts[1] && texts[0] !== texts[1], "each form has an id of its own");
    const browser = jar.cookies.get("__Host-browser_id")!;
    await service.rows(
      "INSERT INTO keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4)",
      "form-2",
      "form",
      "z".repeat(43),
      service.clock.now + 1,
    );
    const other = await service.another();
    const given = { browser, id: texts[0]!, path: "/login", fields: [] as [string, unknown][] };
    assert.ok(await formPostOf(other.auth, given));
    const { next } = await formIds(other.auth, browser);
    assert.ok(await formPostOf(other.auth, { ...given, id: next() }));
    assert.equal(await formPostOf(other.auth, { ...given, id: next(), browser: "y".repeat(43) }), undefined);
  },
  PUBLIC_SETTINGS,
);

test("B2: a page with a form is shown while the database is away, without an id", async (service) => {
  const refuse = () => Promise.reject(new Error("away"));
  const keyring = { all: refuse, current: refuse } as unknown as Service["auth"]["keyring"];
  const { createApp } = await import("../../routes/app.ts");
  const page = await service.requestTo(createApp({ ...service.auth, keyring }), "GET", "/login", {
    headers: { accept: BROWSER_ACCEPT },
  });
  assert.equal(page.status, 200);
  assert.ok(!formOf(await page.text(), "/login").fields.has("form_id"));
}, PUBLIC_SETTINGS);
