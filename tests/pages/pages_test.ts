/**
 * What holds on every page: five languages, headers, escaped text of strangers, and that programs get the same answers
 * as without pages.
 *
 * @module
 */
import assert from "node:assert/strict";
import { contrast, LEAST_CONTRAST, paletteOf } from "../../auth/colors.ts";
import { LOCALES } from "../../auth/languages.ts";
import { BROWSER_ACCEPT, formOf, submitForm } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const email = "anna@example.com";
const password = "correct horse battery";
const BROWSER = { accept: BROWSER_ACCEPT };
const TOKEN = "x".repeat(43);
/** Every page, and its status for a logged-in user. */
const PAGES: [string, number][] = [
  ["/login?again=yes", 200],
  ["/register", 200],
  ["/forgot", 200],
  ["/reset", 200],
  [`/reset?token=${TOKEN}`, 403],
  ["/verify", 200],
  [`/verify?email=${email}`, 200],
  [`/verify?token=${TOKEN}`, 403],
  ["/change-email", 200],
  [`/change-email?token=${TOKEN}`, 403],
  ["/undo?done=kept", 200],
  [`/undo?token=${TOKEN}`, 403],
  [`/reopen?token=${TOKEN}`, 403],
  ["/account", 200],
  ["/nowhere", 404],
];

async function signedIn(service: Service): Promise<string> {
  await service.register(email, password);
  if (service.auth.config.profile === "public") {
    const [{ token }] = await service.mails();
    await service.send("PUT", "/verify_email", { verification_token: token });
  }
  return await service.logIn(email, password);
}

test(
  "every page renders in five languages: by lang, by Accept-Language, and by the account's language first",
  async (service) => {
    const session = await signedIn(service);
    for (const [path, status] of PAGES) {
      const titles = new Set<string>();
      for (const locale of LOCALES) {
        // A page of the account uses the account's language, whatever the address says.
        if (path === "/account") await service.request("PATCH", "/account", { form: { locale }, session });
        const separator = path.includes("?") ? "&" : "?";
        const response = await service.request("GET", `${path}${separator}lang=${locale}`, {
          headers: BROWSER,
          session: path === "/register" ? undefined : session,
        });
        const text = await response.text();
        assert.equal(response.status, status, path);
        assert.match(text, new RegExp(`^<!DOCTYPE html><html lang="${locale}">`), path);
        assert.doesNotMatch(text, /undefined|\[object|\{\w+\}/, `${path} in ${locale}`);
        titles.add(/<title>(.*?)<\/title>/.exec(text)![1]);
      }
      assert.equal(titles.size, 5, `${path}: ${[...titles]}`);
    }
    const german = { headers: { ...BROWSER, "accept-language": "de" } };
    assert.match(await (await service.request("GET", "/forgot", german)).text(), /<html lang="de">/);
    await service.request("PATCH", "/account", { form: { locale: "es" }, session });
    assert.match(await (await service.request("GET", "/forgot", { ...german, session })).text(), /<html lang="es">/);
  },
  PUBLIC_SETTINGS,
);

test(
  "S66: every page has the security headers, loads nothing from elsewhere and has no inline script or style",
  async (service) => {
    const session = await signedIn(service);
    for (const [path] of [...PAGES, ["/undo", 200], ["/reopen", 200]] as [string, number][]) {
      const cookie = path === "/register" ? undefined : session;
      const { headers, body } = await service.request("GET", path, { headers: BROWSER, session: cookie });
      assert.equal(headers.get("content-type"), "text/html; charset=utf-8", path);
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.equal(headers.get("cross-origin-opener-policy"), "same-origin", path);
      assert.equal(headers.get("cross-origin-resource-policy"), "same-origin", path);
      assert.equal(headers.get("referrer-policy"), "strict-origin", path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.match(headers.get("strict-transport-security")!, /max-age=31536000/, path);
      assert.ok(headers.get("x-request-id"), path);
      const policy = headers.get("content-security-policy")!;
      assert.equal(
        policy,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      const text = await new Response(body).text();
      assert.doesNotMatch(text, /<style|style="|<script(?! src="\/assets\/)|\son\w+="|javascript:/i, path);
      assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\//, path);
    }
  },
  PUBLIC_SETTINGS,
);

test(
  "B3: every page, refused forms and errors too, lets browsers send its origin, and JSON nothing",
  async (service) => {
    const headers = BROWSER;
    const pages = [
      await service.request("GET", "/docs"),
      await service.request("GET", "/nowhere", { headers }),
      await service.request("POST", "/login", { headers, form: { email: "", password: "" } }),
      await service.request("POST", "/login", { headers: { ...headers, "content-type": "text/plain" }, body: "x" }),
      await service.request("POST", "/login", { headers: { ...headers, origin: "null" }, form: {} }),
      await service.request("GET", "/reset?token=x", { headers }),
    ];
    assert.deepEqual(pages.map(({ status }) => status), [200, 404, 400, 415, 403, 403]);
    for (const page of pages) assert.equal(page.headers.get("referrer-policy"), "strict-origin", `${page.status}`);
    const json = await service.request("GET", "/profile");
    assert.equal(json.headers.get("referrer-policy"), "no-referrer");
  },
  PUBLIC_SETTINGS,
);

test("style, script and picture have hashed names, are cached for a year, and are small", async (service) => {
  const page = await (await service.request("GET", "/login", { headers: BROWSER })).text();
  const paths = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  const types = ["text/css", "image/svg+xml", "text/javascript"];
  let size = page.length;
  for (const [index, path] of [...new Set(paths)].entries()) {
    assert.match(path, /\.[0-9a-f]{16}\.\w+$/);
    const response = await service.request("GET", path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), `${types[index]}; charset=utf-8`);
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    size += (await response.arrayBuffer()).byteLength;
  }
  assert.ok(size < 50_000, `${size} bytes`);
  assert.equal((await service.request("GET", "/assets/style.0000000000000000.css")).status, 404);
});

test("V43: markup in a name, an address or a user agent is escaped on every page", async (service) => {
  const evil = "<script>alert(1)</script>\"onload='x'";
  await service.register(email, password);
  const login = await service.request("POST", "/sessions", {
    form: { email, password },
    headers: { "user-agent": evil },
  });
  const session = /session_id=([^;]+)/.exec(login.headers.getSetCookie()[0])![1];
  await service.request("PATCH", "/account", { form: { name: evil }, session });
  const places: [string, string, Record<string, string>][] = [
    ["GET", "/account", {}],
    ["GET", `/verify?email=${encodeURIComponent(evil)}`, {}],
    ["GET", `/login?again=yes&return_to=${encodeURIComponent("/" + evil)}&done=${encodeURIComponent(evil)}`, {}],
    ["GET", `/reset?token=${encodeURIComponent(evil)}&lang=${encodeURIComponent(evil)}`, {}],
    ["POST", "/login", { email: evil, password: evil, return_to: `/${evil}` }],
    ["POST", "/register", { email: evil, password: evil }],
    ["POST", "/verify", { email: evil, code: evil }],
    ["POST", "/account/profile", { name: `${evil}\n`, locale: "en" }],
    ["POST", "/account/email", { new_email: evil, password }],
    ["GET", `/${encodeURIComponent(evil)}`, {}],
  ];
  for (const [method, path, form] of places) {
    const options = { headers: BROWSER, session, ...(method === "POST" && { form }) };
    const text = await (await service.request(method, path, options)).text();
    assert.match(text, /^<!DOCTYPE html>/, path);
    assert.doesNotMatch(text, /<script>|"onload=|'x'/, `${method} ${path}`);
  }
  const account = await (await service.request("GET", "/account", { headers: BROWSER, session })).text();
  assert.ok(account.includes("&lt;script&gt;"), "the name and the device are shown");
});

test("a link cannot put its author's text on a page", async (service) => {
  const text = "your account is lost, call 555-0100";
  for (const path of ["/verify", "/reset", "/login"]) {
    const query = new URLSearchParams({ email: text, done: text, again: "yes" });
    const page = await (await service.request("GET", `${path}?${query}`, { headers: BROWSER })).text();
    assert.ok(!page.includes("555-0100"), path);
  }
}, PUBLIC_SETTINGS);

test("a program that accepts anything gets JSON where a browser gets a page", async (service) => {
  const session = await signedIn(service);
  for (const accept of [undefined, "*/*", "application/json", "text/*", "text/html;q=0, */*"]) {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const root = await service.request("GET", "/", { headers, session });
    assert.deepEqual([root.status, await root.json()], [200, { message: "Bienvenue" }]);
    const account = await service.request("GET", "/account", { headers, session });
    assert.equal((await account.json()).email, email);
    const stranger = await service.request("GET", "/account", { headers });
    assert.deepEqual([stranger.status, (await stranger.json()).message], [403, "not logged in"]);
    const lost = await service.request("GET", "/nowhere", { headers });
    assert.deepEqual([lost.status, lost.headers.get("content-type")], [404, "application/json"]);
  }
  // POST, PUT and DELETE answer JSON even to clients that accept text/html.
  for (const [method, path, form] of [["POST", "/undo", "undo_token"], ["POST", "/reopen", "reopen_token"]]) {
    const response = await service.request(method, path, { form: { [form]: TOKEN }, headers: BROWSER });
    assert.deepEqual([response.status, (await response.json()).message.length > 0], [403, true]);
  }
  const deleted = await service.request("DELETE", "/", { headers: BROWSER });
  assert.deepEqual(await deleted.json(), { message: "Bienvenue" });
  const profile = await service.request("GET", "/profile", { headers: BROWSER });
  assert.deepEqual([profile.status, await profile.json()], [403, { message: "not logged in" }]);
});

test("GET / redirects a browser to the account, or to the login", async (service) => {
  const session = await signedIn(service);
  for (const [cookie, location] of [[session, "/account"], [undefined, "/login"]]) {
    const response = await service.request("GET", "/", { headers: BROWSER, session: cookie });
    assert.deepEqual([response.status, response.headers.get("location")], [302, location]);
  }
}, PUBLIC_SETTINGS);

test("a logged-in user who opens /register is redirected", async (service) => {
  const session = await signedIn(service);
  for (const [path, location] of [["/register", "/account"], ["/register?return_to=/change-email", "/change-email"]]) {
    const response = await service.request("GET", path, { headers: BROWSER, session });
    assert.deepEqual([response.status, response.headers.get("location")], [302, location]);
  }
}, PUBLIC_SETTINGS);

test("a page that needs a token and has none says to open the link in the mail", async (service) => {
  for (const path of ["/undo", "/reopen"]) {
    const text = await (await service.request("GET", path, { headers: BROWSER })).text();
    assert.match(text, /<title>Open the link from your email · /);
    assert.doesNotMatch(text, /no longer works/);
  }
}, PUBLIC_SETTINGS);

test("/.well-known/change-password leads to the password form, after a login if needed", async (service) => {
  const session = await signedIn(service);
  const path = "/.well-known/change-password";
  const straight = await service.request("GET", path, { session });
  assert.deepEqual([straight.status, straight.headers.get("location")], [302, "/account#password"]);
  const login = (await service.request("GET", path)).headers.get("location")!;
  const done = await submitForm(service, login, { email, password });
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account#password"]);
}, PUBLIC_SETTINGS);

test("S65: a form that another site sends is refused on every page", async (service) => {
  const session = await signedIn(service);
  const foreign: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ];
  for (const path of ["/login", "/logout", "/register", "/forgot", "/verify", "/account/password", "/account/close"]) {
    for (const headers of foreign) {
      const response = await service.request("POST", path, { form: { password }, headers, session });
      assert.deepEqual([response.status, response.headers.get("error-code")], [403, "origin_refused"], path);
      const told = await service.request("POST", path, { form: { password }, headers: { ...headers, ...BROWSER } });
      assert.match(await told.text(), /This form did not come from our own page/);
    }
  }
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
}, PUBLIC_SETTINGS);

test("/dev/mailbox shows the caught mails with working links in a browser", async (service) => {
  const session = await signedIn(service);
  await service.request("POST", "/change_email", { form: { new_email: "anna@example.org", password }, session });
  const [mail] = await service.mails();
  const page = await (await service.request("GET", "/dev/mailbox", { headers: BROWSER })).text();
  assert.ok(page.includes(`<a href="/change-email?token=${mail.token}">`));
  assert.match(page, /<code data-copy="Copy" data-copied="Copied">\d{8}<\/code>/);
  const json = await (await service.request("GET", "/dev/mailbox")).json();
  assert.equal(json.mails.length, 2);
});

test(
  "APP_NAME, APP_LOGO_URL and APP_COLOR appear on the pages, and the policy allows the logo's origin",
  async (service) => {
    const response = await service.request("GET", "/login", { headers: BROWSER });
    const text = await response.text();
    assert.match(text, /<title>Log in · Äpfel &amp; Birnen<\/title>/);
    assert.ok(text.includes('src="https://cdn.example.com/logo.svg?a=1&amp;b=2" alt="Äpfel &amp; Birnen"'));
    assert.match(response.headers.get("content-security-policy")!, /; img-src 'self' https:\/\/cdn\.example\.com;/);
    const style = await (await service.request("GET", /href="(\/assets\/style[^"]+)"/.exec(text)![1])).text();
    assert.match(style, /^:root\{--accent:#ffb300;--on-accent:#000000;/);
  },
  { APP_NAME: "Äpfel & Birnen", APP_LOGO_URL: "https://cdn.example.com/logo.svg?a=1&b=2", APP_COLOR: "#FFB300" },
);

Deno.test("text in and on any accepted APP_COLOR has enough contrast", () => {
  for (const color of ["#1f5fd0", "#d01f1f", "#00a86b", "#ffb300", "#000000", "#777777", "#6a0dad", "#00b5b5"]) {
    const { accent, onAccent, light, dark } = paletteOf(color);
    for (const [one, other] of [[accent, onAccent], [light, "#ffffff"], [light, "#f4f5f8"], [dark, "#1a1e26"]]) {
      assert.ok(contrast(one, other) >= LEAST_CONTRAST, `${one} on ${other}`);
    }
  }
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.throws(() => paletteOf("#ffffff"), /too pale/);
  assert.throws(() => paletteOf("#ffff00"), /too pale/);
});

test("with SIGN_UP=closed no page links to the sign-up", async (service) => {
  const login = await (await service.request("GET", "/login", { headers: BROWSER })).text();
  assert.ok(!login.includes("/register"));
  const page = await service.request("GET", "/register", { headers: BROWSER });
  assert.equal(page.status, 403);
  const form = { email, password };
  assert.equal((await service.request("POST", "/register", { headers: BROWSER, form })).status, 403);
  assert.equal((await service.rows("SELECT id FROM users WHERE email_key = $1", email)).length, 0);
  assert.throws(() => formOf("<p>nothing</p>"));
}, { SIGN_UP: "closed" });
