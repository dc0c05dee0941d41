/**
 * No mail holds a text that a stranger wrote: in each kind of mail, in each language, and in each field that a request
 * can fill.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LOCALES } from "../../auth/languages.ts";
import { composeMail } from "../../auth/mail/compose.ts";
import { MAIL_RULES, type MailKind } from "../../auth/mail_kinds.ts";
import { knownUserAgent } from "../../auth/user_agents.ts";
import { ANNA, BERT, browserOf, NEW_PASSWORD, PASSWORD } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const KINDS = Object.keys(MAIL_RULES) as MailKind[];
const LURES = [
  "Your account is blocked, call 0900 666 now",
  "http://evil.example/login",
  "evil.example",
  "<a href=http://evil.example>secure your account</a>",
  "Firefoxx (call 0900 666)",
  "Anna\r\nBcc: evil@evil.example",
  "0900/666",
  "evil\uff0eexample",
  "evil\u3002example",
  "evil\uff61example",
  "evil\u2024example",
  "evil.e\u200dxample",
  "ww\u200dw.evil",
];
/** A part of every lure. */
const LURED = /0900|666|evil|blocked|secure your account|Bcc|Firefoxx/i;
const UNKNOWN = {
  en: "an unknown browser",
  fr: "un navigateur inconnu",
  de: "ein unbekannter Browser",
  es: "un navegador desconocido",
  pt: "um navegador desconhecido",
};

Deno.test("A9: no kind of mail, in no language, holds what a client wrote as its User-Agent, name or address", () => {
  for (const locale of LOCALES) {
    for (const kind of KINDS) {
      for (const lure of LURES) {
        const { subject, text, html } = composeMail({
          kind,
          locale,
          appName: "Bienvenue",
          name: lure,
          link: "https://app.example/x?token=abc",
          time: 0,
          ip: `fe80::1%${lure}`,
          userAgent: lure,
          // The domain is what the owner needs to know. The part before it is free text.
          newEmail: `${lure}@new.example`,
        });
        const mail = [subject, text, html].join("\n");
        assert.doesNotMatch(mail, LURED, `${kind} ${locale}: ${lure}`);
        assert.ok(text.includes(UNKNOWN[locale]), `${kind} ${locale}`);
      }
    }
  }
});

Deno.test("A9: a known browser is named, whatever stands beside it", () => {
  const lured = "Mozilla/5.0 (Windows NT 10.0; call 0900 666) Gecko/20100101 Firefox/140.0 http://evil.example";
  assert.equal(knownUserAgent(lured, "en"), "Firefox on Windows");
  assert.equal(knownUserAgent("curl/8.5.0 http://evil.example", "en"), "curl");
  for (const locale of LOCALES) assert.equal(knownUserAgent(undefined, locale), UNKNOWN[locale]);
});

test("A9: a request with lures in every header brings none into any kind of mail", async (service) => {
  const seen = new Set<string>();
  for (const [index, locale] of LOCALES.entries()) {
    const lure = LURES[index].replace("\r\n", " ");
    const headers = {
      "user-agent": lure,
      "accept-language": `${locale}, ${lure}`,
      referer: `https://evil.example/${encodeURIComponent(lure)}`,
      "x-forwarded-for": lure,
      "x-forwarded-host": "evil.example",
    };
    const owner = `${locale}${ANNA}`;
    const send = async (method: string, path: string, options: RequestOptions): Promise<Response> => {
      service.clock.now += 1;
      const response = await service.request(method, path, { ip: "192.0.2.1", headers, ...options });
      assert.equal(response.status, 200, `${method} ${path}: ${await response.clone().text()}`);
      return response;
    };
    const form = { email: owner, password: PASSWORD };
    await send("POST", "/users", { form });
    await send("POST", "/verify_email", { form: { email: owner } });
    const proof = await tokenOf(service, seen, owner);
    await send("PUT", "/verify_email", { form: { verification_token: proof } });
    // The same forms again, by somebody who does not know the account.
    await send("POST", "/users", { form });
    await send("POST", "/reset_password", { form: { email: owner } });
    let { session } = browserOf(await send("POST", "/sessions", { form }));
    // A second device.
    await send("POST", "/sessions", { form });
    await send("PATCH", "/account", { json: { name: lure }, session });
    const password = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    session = browserOf(await send("PUT", "/password", { form: password, session })).session;
    const change = { new_email: `${locale}${BERT}`, password: NEW_PASSWORD };
    await send("POST", "/change_email", { form: change, session });
    const moved = await tokenOf(service, seen, change.new_email);
    session = browserOf(await send("PUT", "/change_email", { form: { change_token: moved }, session })).session;
    // The account may get its former address back. A day has one mail about it.
    await service.rows("DELETE FROM counters");
    await send("POST", "/users", { form });
    await send("DELETE", "/account", { form: { password: NEW_PASSWORD }, session });
    await tokenOf(service, seen, change.new_email);
    // The operator's import may leave an address unproven.
    await service.rows("UPDATE users SET email_verified_at = NULL, purge_at = NULL, closed_at = NULL");
    await send("POST", "/verify_email", { form: { email: change.new_email } });
    await tokenOf(service, seen, change.new_email);
    await service.rows("DELETE FROM counters");
  }
  assert.deepEqual([...seen].sort(), [...KINDS].sort(), "every kind of mail was sent");
}, PUBLIC_SETTINGS);

/** Reads all new mails and gives the token of the last one to this address. */
async function tokenOf(service: Service, seen: Set<string>, to: string): Promise<string> {
  const rows = await service.rows<{ mail: string }>("SELECT mail FROM events WHERE mail IS NOT NULL");
  for (const { mail } of rows) seen.add(JSON.parse(mail).kind);
  seen.delete("none");
  const mails = await service.mails();
  for (const { subject, text, html, token, code } of mails) {
    // Random letters and digits may hold any of the words.
    const mail = [subject, text, html].join("\n").replaceAll(token || "no token", "").replaceAll(code || "no code", "");
    assert.doesNotMatch(mail, LURED);
  }
  return mails.findLast((mail) => mail.to === to)!.token;
}
