/**
 * The texts of the pages: complete in five languages, well formed, with links from each language to the others.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LOCALES } from "../../auth/languages.ts";
import { STATUS } from "../../routes/http/errors.ts";
import { isWord, PAGE_WORDS, translator } from "../../routes/pages/kit/words.ts";
import { en, type PageWord } from "../../routes/pages/words/en.ts";
import { BROWSER_ACCEPT } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

const email = "anna@example.com";
const password = "correct horse battery";
const BROWSER = { accept: BROWSER_ACCEPT };
const TOKEN = "x".repeat(43);

Deno.test("every language has all texts of the pages with the same placeholders", () => {
  const valuesOf = (text = ""): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const locale of LOCALES) {
    const lacking = Object.keys(en).filter((word) => !PAGE_WORDS[locale][word as PageWord]);
    assert.deepEqual(lacking, [], locale);
    const different = Object.keys(en).filter((word) => {
      const [one, other] = [en, PAGE_WORDS[locale]].map((words) => valuesOf(words[word as PageWord]));
      // A translation may use or omit the name of the app independently of the English text.
      return one.filter((each) => each !== "{app}").join() !== other.filter((each) => each !== "{app}").join();
    });
    assert.deepEqual(different, [], locale);
  }
});

Deno.test("every error code has a text, except those that no person sees on a page", () => {
  // No person sees these: the client has gone, only programs get it, or it appears as a missing page.
  const unseen = ["client_gone", "host_refused", "invalid_field", "method_not_allowed", "not_logged_in"];
  // These appear as a form that could not be read.
  const asOthers = ["body_too_large", "body_too_slow", "stopping", "unsupported_media_type"];
  const silent = Object.keys(STATUS).filter((code) => !isWord(`error.${code}`));
  assert.deepEqual(silent.sort(), [...unseen, ...asOthers].sort());
});

Deno.test("a text that a language lacks appears in English, and placeholders in values are not replaced", () => {
  const say = translator("fr", "{email}");
  assert.equal(say("verify.sent", { email: "{app}" }).includes("{app}"), true);
  assert.match(say("forgot.title"), /oublié\u00a0\?$/);
  assert.equal(translator("de", "App")("email"), "E\u2011Mail-Adresse");
  assert.ok(say("verify.sent", { email: "l'e-mail@example.com" }).includes("l'e-mail@example.com"), "as it was typed");
  const { copy } = PAGE_WORDS.fr;
  delete PAGE_WORDS.fr.copy;
  assert.equal(say("copy"), "Copy");
  PAGE_WORDS.fr.copy = copy;
});

test("the links to other languages keep the page, its token and return_to", async (service) => {
  await service.register(email, password);
  const [{ token }] = await service.mails();
  const way = "return_to=%2Faccount%23devices";
  const pages: [string, string][] = [
    [`/register?${way}`, `/register?${way}`],
    [`/login?email=${email}&done=verified&${way}`, `/login?email=anna%40example.com&done=verified&${way}`],
    [`/verify?email=${email}&${way}`, `/verify?email=anna%40example.com&${way}`],
    [`/verify?token=${token}`, `/verify?token=${token}`],
    [`/forgot?email=${email}`, "/forgot?email=anna%40example.com"],
    [`/reset?email=no&token=${TOKEN}`, `/reset?token=${TOKEN}`],
    ["/undo?done=kept", "/undo?done=kept"],
    ["/nowhere", "/nowhere"],
    ["//evil.example/nowhere", "/login"],
  ];
  for (const [path, kept] of pages) {
    const text = await (await service.request("GET", path, { headers: BROWSER })).text();
    const german = `${kept}${kept.includes("?") ? "&" : "?"}lang=de`;
    assert.ok(text.includes(`<a href="${german.replaceAll("&", "&amp;")}" lang="de"`), `${path} has no ${german}`);
  }
  const form = { email, password: "wrong", return_to: "/account#devices" };
  const refused = await (await service.request("POST", "/login", { headers: BROWSER, form })).text();
  assert.ok(refused.includes(`<a href="/login?email=anna%40example.com&amp;${way}&amp;lang=fr" lang="fr"`));
}, PUBLIC_SETTINGS);
