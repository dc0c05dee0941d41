/**
 * Where a log-out ends: locally at `/`, as the contract says, and in public at `/logout/done`, because behind a proxy
 * `/` belongs to another application.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LOCALES } from "../../auth/languages.ts";
import { BROWSER_ACCEPT, signUp } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse battery";
const HTML = { accept: BROWSER_ACCEPT };
/** What each language calls the page. */
const TITLES = {
  en: "You’re logged out",
  fr: "Vous êtes déconnecté",
  de: "Sie sind abgemeldet",
  es: "Has cerrado la sesión",
  pt: "Você saiu da sua conta",
};

test(
  "C4: in public a log-out redirects to /logout/done, which answers whatever method a client keeps",
  async (service) => {
    await signUp(service, EMAIL, PASSWORD);
    const session = await service.logIn(EMAIL, PASSWORD);
    const logout = await service.request("DELETE", "/sessions", { session });
    assert.deepEqual([logout.status, logout.headers.get("location")], [302, "/logout/done"]);
    for (const method of ["GET", "DELETE"]) {
      for (const path of ["/logout/done", "/logout/done/"]) {
        assert.deepEqual(await service.send(method, path, undefined, session), [200, { message: "Bienvenue" }]);
      }
    }
    assert.equal((await service.request("HEAD", "/logout/done")).status, 200);
    const other = await service.request("POST", "/logout/done");
    assert.deepEqual([other.status, other.headers.get("allow")], [405, "GET, HEAD, DELETE"]);
  },
  PUBLIC_SETTINGS,
);

test("C4: locally a log-out redirects to / as before", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const logout = await service.request("DELETE", "/sessions", { session });
  assert.deepEqual([logout.status, logout.headers.get("location")], [302, "/"]);
  assert.deepEqual(await service.send("GET", "/logout/done"), [200, { message: "Bienvenue" }]);
});

test(
  "C4: a browser at /logout/done reads in its language that it is logged out, with a link to the login",
  async (service) => {
    for (const locale of LOCALES) {
      for (const method of ["GET", "DELETE"]) {
        const headers = { ...HTML, "accept-language": locale };
        const page = await service.request(method, "/logout/done", { headers });
        assert.equal(page.status, 200);
        assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
        const text = await page.text();
        assert.ok(text.includes(`<h1>${TITLES[locale]}</h1>`), text);
        assert.match(text, /<a class="button" href="\/login">/);
      }
    }
    const chosen = await (await service.request("GET", "/logout/done?lang=de", { headers: HTML })).text();
    assert.match(chosen, /<a class="button" href="\/login\?lang=de">/);
  },
  PUBLIC_SETTINGS,
);

test("C4: /logout/done tells nobody who is logged in that the session ended", async (service) => {
  await signUp(service, EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const page = await service.request("GET", "/logout/done", { headers: HTML, session });
  assert.deepEqual([page.status, page.headers.get("location")], [302, "/account"]);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
}, PUBLIC_SETTINGS);
