/**
 * The content of mails: in each language, as text and as HTML, with any text from users in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Locale, LOCALES, pickLocale } from "../../auth/languages.ts";
import { composeMail, type MailContent } from "../../auth/mail/compose.ts";
import { de } from "../../auth/mail/texts/de.ts";
import { en, type MailWords } from "../../auth/mail/texts/en.ts";
import { es } from "../../auth/mail/texts/es.ts";
import { fr } from "../../auth/mail/texts/fr.ts";
import { pt } from "../../auth/mail/texts/pt.ts";
import type { MailKind } from "../../auth/mail_kinds.ts";
import { describeUserAgent } from "../../auth/user_agents.ts";

const TEXTS: Record<Locale, MailWords> = { en, fr, de, es, pt };
const KINDS: MailKind[] = [
  "register",
  "verify",
  "reset",
  "already_registered",
  "address_reserved",
  "password_changed",
  "change_email",
  "change_email_notice",
  "email_changed",
  "new_device",
  "account_closed",
];
const LINK = `https://app.example/x?token=${"t0ken-_".repeat(6)}A`;
const WINDOWS_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/** Mails to an address that somebody else may have typed; they must not contain that person's text. */
const UNPROVEN: MailKind[] = ["register", "verify", "change_email"];
const ASKING: MailKind[] = ["register", "verify", "reset", "change_email"];

/** Any 16 bits, so also half a surrogate pair; fast-check's own "binary" takes seconds to build its tables. */
const CODE_UNIT = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

function content(kind: MailKind, more: Partial<MailContent> = {}): MailContent {
  return {
    kind,
    locale: "en",
    appName: "Bienvenue",
    name: "Ada",
    ...(!["change_email_notice", "address_reserved"].includes(kind) && { link: LINK }),
    ...(ASKING.includes(kind) && { code: "04711815", codeMinutes: 10 }),
    time: Date.UTC(2026, 10, 22, 17, 5),
    ip: "203.0.113.7",
    userAgent: WINDOWS_FIREFOX,
    ...((kind === "email_changed" || kind === "change_email_notice") && { newEmail: "lovelace@new.example" }),
    ...(kind === "account_closed" && { purgeAt: Date.UTC(2026, 11, 6, 17, 5) }),
    ...more,
  };
}

function eachMail(check: (mail: ReturnType<typeof composeMail>, given: MailContent) => void): void {
  for (const locale of LOCALES) {
    for (const kind of KINDS) {
      const given = content(kind, { locale });
      check(composeMail(given), given);
    }
  }
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };

/** In one pass, so that an entity written as text stays as it is. */
function decoded(html: string): string {
  return html.replace(/&(?:#(\d+)|(\w+));/g, (entity, code, name) => {
    return code ? String.fromCharCode(Number(code)) : ENTITIES[name] ?? entity;
  });
}

/** The visible text of the HTML: without tags, with entities decoded. */
function visible(html: string): string {
  const body = html.replace(/<style>[^<]*<\/style>|<title>[^<]*<\/title>/g, " ").replace(/<[^>]*>/g, " ");
  return decoded(body).replace(/[ \n]+/g, " ").trim();
}

function tagsOf(html: string): string[] {
  return html.match(/<[^>]*>/g)!;
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => decoded(link));
}

Deno.test("every language has every text, and no other", () => {
  const words = Object.keys(en).sort();
  const missing = LOCALES.flatMap((locale) =>
    words.filter((word) => !(word in TEXTS[locale])).map((word) => `${locale}: ${word}`)
  );
  assert.deepEqual(missing, []);
  for (const locale of LOCALES) assert.deepEqual(Object.keys(TEXTS[locale]).sort(), words, locale);
});

Deno.test("each translation has the same placeholders as the English text and is not a copy of it", () => {
  const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
  for (const [word, english] of Object.entries(en)) {
    for (const locale of LOCALES) {
      const text = (TEXTS[locale] as Record<string, string>)[word];
      assert.deepEqual(places(text), places(english), `${locale}: ${word}`);
      if (locale !== "en") assert.notEqual(text, english, `${locale}: ${word}`);
      assert.equal(text, text.trim().replace(/  +/g, " "), `${locale}: ${word}`);
      assert(!/[<>\n]/.test(text), `${locale}: ${word}`);
    }
  }
});

Deno.test("each translation has the same numbers as the English text", () => {
  for (const [word, english] of Object.entries(en)) {
    for (const locale of LOCALES) {
      const text = (TEXTS[locale] as Record<string, string>)[word];
      assert.deepEqual(text.match(/\d+/g), english.match(/\d+/g), `${locale}: ${word}`);
    }
  }
});

Deno.test("a text that is missing in a language appears in English", () => {
  const saved = fr["reset.title"];
  delete fr["reset.title"];
  try {
    const mail = composeMail(content("reset", { locale: "fr" }));
    assert(mail.text.startsWith("Choose a new password\n"));
    assert(mail.text.includes("Bonjour Ada,"));
  } finally {
    fr["reset.title"] = saved;
  }
});

Deno.test("each mail has one link at most, its action, in text and in HTML", () => {
  eachMail((mail, { kind, link }) => {
    const inText = mail.text.match(/https?:\/\/\S+/g) ?? [];
    assert.deepEqual([inText, linksOf(mail.html)], link === undefined ? [[], []] : [[link], [link]], kind);
    if (link) assert(mail.text.split("\n").includes(link), `${kind}: the link stands on a line of its own`);
  });
});

Deno.test("mails that ask for an action contain the code and its lifetime, other mails do not", () => {
  eachMail((mail, { kind, code }) => {
    for (const shown of [mail.text, visible(mail.html)]) {
      assert.deepEqual(shown.match(/\b\d{8}\b/g), code === undefined ? null : [code], kind);
      if (code !== undefined) assert.match(shown, /\b10 [Mm]inut/, kind);
    }
    assert(!/\d{8}/.test(mail.subject));
  });
});

Deno.test("each mail names time, network address and device in the reader's language", () => {
  const when: Record<Locale, string> = {
    en: "When: 22 November 2026 at 17:05 UTC",
    fr: "Quand\u00a0: 22 novembre 2026 à 17:05 UTC",
    de: "Wann: 22. November 2026 um 17:05 UTC",
    es: "Cuándo: 22 de noviembre de 2026, 17:05 UTC",
    pt: "Quando: 22 de novembro de 2026 às 17:05 UTC",
  };
  const device = { en: "on", fr: "sur", de: "unter", es: "en", pt: "no" };
  eachMail((mail, { kind, locale }) => {
    for (const shown of [mail.text, visible(mail.html)]) {
      assert(shown.includes(when[locale]), `${locale} ${kind}: ${shown}`);
      assert(shown.includes("203.0.113.7"), kind);
      assert(shown.includes(`Firefox ${device[locale]} Windows`), kind);
    }
  });
});

Deno.test("times are UTC whatever the time zone of the machine", () => {
  const zone = Deno.env.get("TZ");
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    assert.match(composeMail(content("reset")).text, /^When: 22 November 2026 at 17:05 UTC$/m);
  } finally {
    if (zone === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", zone);
  }
});

Deno.test("text and HTML have the same content in the same order", () => {
  eachMail((mail, { kind }) => {
    const html = visible(mail.html);
    let at = 0;
    for (const paragraph of mail.text.replace(/^(=+|-- )$/gm, "").split("\n\n")) {
      for (const piece of paragraph.replaceAll("\n", " ").split(/:? (?=https:)/)) {
        const found = html.indexOf(piece.trim(), at);
        assert(found >= 0, `${kind}: ${piece} is missing in ${html.slice(at)}`);
        at = found;
      }
    }
  });
});

Deno.test("a registration mail says to ignore it when the reader did not sign up", () => {
  const text = composeMail(content("register")).text.replaceAll("\n", " ");
  assert.match(text, /ignore this email and no account will be created/);
  assert.match(text, /Never click the link for a sign-up you didn’t start yourself/);
});

Deno.test("the mail about a closed account names the day of erasure", () => {
  const { text } = composeMail(content("account_closed"));
  assert.match(text, /^Erased on: 6 December 2026 at 17:05 UTC$/m);
});

Deno.test("the old mailbox sees the new address masked", () => {
  for (const kind of ["email_changed", "change_email_notice"] as const) {
    const mail = composeMail(content(kind));
    assert.match(mail.text, /^New address: l\*\*\*@new\.example$/m);
    assert(!(mail.text + mail.html).includes("lovelace"));
    assert.match(composeMail(content(kind, { newEmail: "a@new.example" })).text, /^New address: \*\*\*@new\.example$/m);
  }
});

Deno.test("V19, V43: text from users is escaped in the HTML", () => {
  const attacks = [
    "<script>alert(1)</script>",
    '"onload=alert(1) x="',
    "' onmouseover='x",
    "</title></style><img src=x onerror=y>",
    "&lt;b&gt;",
  ];
  eachMail((plain, given) => {
    for (const attack of attacks) {
      const newEmail = given.newEmail && `${attack}@${attack}.example`;
      const written = { name: attack, userAgent: attack, ip: attack, appName: attack, newEmail };
      const mail = composeMail({ ...given, ...written });
      // No tag and no attribute that the mail without the attack does not have.
      const known = new Set(tagsOf(plain.html));
      assert.deepEqual(tagsOf(mail.html).filter((tag) => !known.has(tag)), [], `${given.kind}: ${attack}`);
      // The attack is still readable as text.
      assert(visible(mail.html).includes(attack), `${given.kind}: ${attack}`);
    }
  });
});

Deno.test("a link is the same in text and HTML, whatever characters it contains", () => {
  const link = `${LINK}&next="><b>`;
  const mail = composeMail(content("reset", { link }));
  assert(mail.text.split("\n").includes(link));
  assert(visible(mail.html).includes(link));
  assert.deepEqual(linksOf(mail.html), [link]);
  assert.deepEqual(tagsOf(mail.html).filter((tag) => tag === "<b>"), []);
});

Deno.test("S23: text from users cannot break a line or change the writing direction", () => {
  const attacks = ["Ada\r\nWhen: yesterday\r\n\r\nPay now", "\u202eadA\u2066 \u0000\u001b[31m\u0085\u2028x\ud800"];
  for (const attack of attacks) {
    for (const kind of KINDS) {
      const newEmail = kind === "email_changed" ? `a@${attack}` : undefined;
      const mail = composeMail(content(kind, { name: attack, userAgent: attack, ip: attack, newEmail }));
      assert(!/^(?:Pay now|When: yesterday)/m.test(mail.text), kind);
      const { subject } = composeMail(content(kind, { appName: attack }));
      for (const shown of [subject, mail.text.replaceAll("\n", ""), mail.html.replaceAll("\n", "")]) {
        assert(shown.isWellFormed() && !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(shown), kind);
      }
    }
  }
});

Deno.test("V43: property: no text from users changes the tags of a mail", () => {
  const word = fc.oneof(fc.string({ unit: CODE_UNIT }), fc.constantFrom("<b>", '"', "'>", "&", "{name}", "$&", "$1"));
  const text = fc.array(word, { maxLength: 4 }).map((words) => `x${words.join("")}`);
  const arbitrary = fc.record({
    kind: fc.constantFrom(...KINDS),
    locale: fc.constantFrom(...LOCALES),
    written: fc.record({ appName: text, name: text, userAgent: text, ip: text }),
  });
  fc.assert(fc.property(arbitrary, ({ kind, locale, written }) => {
    const mail = composeMail(content(kind, { locale, ...written }));
    const plain = composeMail(content(kind, { locale, appName: "x", name: "x", userAgent: "x", ip: "x" }));
    assert.deepEqual(tagsOf(mail.html), tagsOf(plain.html));
    assert(!/\p{Cc}/u.test(mail.subject));
  }));
});

Deno.test("a name appears in the greeting only when no mail program makes a link of it", () => {
  for (
    const name of ["https://evil.example", "win at evil.example", "a@evil.example", "www.evil", "x".repeat(61), " "]
  ) {
    assert.match(composeMail(content("new_device", { name })).text, /^Hello,$/m, name);
  }
  for (const name of ["Ada", "Dr. J.R. Müller-O'Hara", "李 小龍", "{app}", "x".repeat(60)]) {
    assert(composeMail(content("new_device", { name })).text.includes(`\nHello ${name},\n`), name);
  }
});

Deno.test("mails to an unproven address contain no text of the person who requested them", () => {
  for (const kind of UNPROVEN) {
    const mail = composeMail(content(kind, { name: "Lottery", userAgent: "You have won, call 0900" }));
    assert(!/Lottery|0900/.test(mail.text + mail.html), kind);
    assert(composeMail(content(kind)).text.includes("Firefox on Windows"), kind);
  }
});

Deno.test("the HTML loads nothing, runs nothing, and declares its language and dark mode", () => {
  eachMail(({ html }, { locale }) => {
    assert(!/<(?:img|script|link|iframe|form|object|svg)\b|url\(|@import|@font-face|\bsrc=|\bon\w+=/i.test(html));
    assert(html.includes(`<html lang="${locale}">`));
    assert.match(html, /<meta name="color-scheme" content="light dark">/);
  });
});

Deno.test("lines of text have at most 78 characters", () => {
  eachMail((mail, { kind, locale }) => {
    for (const line of mail.text.split("\n")) {
      assert(line.length <= 78 || line === LINK, `${locale} ${kind}: ${line}`);
    }
  });
});

Deno.test("each kind of mail has its own subject, which contains the app's name", () => {
  for (const locale of LOCALES) {
    const subjects = KINDS.map((kind) => composeMail(content(kind, { locale })).subject);
    assert.equal(new Set(subjects).size, KINDS.length);
    for (const subject of subjects) assert(subject.includes("Bienvenue") && !subject.includes("Ada"), subject);
  }
});

Deno.test("Accept-Language selects the best language by quality; a region falls back to its language", () => {
  const cases: [string | undefined, Locale][] = [
    [undefined, "en"],
    ["", "en"],
    ["fr", "fr"],
    ["FR-ch", "fr"],
    ["pt-BR,pt;q=0.9,en;q=0.8", "pt"],
    ["de-AT;q=0.5, es ; Q=0.7", "es"],
    ["en;q=0.4,de;q=0.6", "de"],
    ["nl, de;q=0.1", "de"],
    ["de, de-AT;q=0.1, fr;q=0.5", "de"],
    ["zh-Hant-TW", "en"],
    ["*", "en"],
    ["*;q=0.5, fr;q=0.1", "en"],
    ["en;q=0, *", "fr"],
    ["fr;q=0", "en"],
    ["fr;q=0, de;q=0.001", "de"],
    ["fr;q=2, de;q=0.1", "de"],
    ["fr;q=abc, es;q=0.1", "es"],
    ["es, fr", "es"],
    ["fr, es", "fr"],
    ["de;level=1;q=0.2, fr;q=0.3", "fr"],
    [",;,;q=1,,", "en"],
  ];
  for (const [header, locale] of cases) assert.equal(pickLocale(header), locale, String(header));
});

Deno.test("property: every Accept-Language header gives a language", () => {
  const part = fc.constantFrom(
    "fr",
    "de-DE",
    "*",
    ";",
    ",",
    "q=",
    "0.5",
    "1.0001",
    "-",
    " ",
    "__proto__",
    "constructor",
  );
  const header = fc.oneof(fc.string({ unit: CODE_UNIT }), fc.array(part).map((parts) => parts.join("")));
  fc.assert(fc.property(header, (text) => assert(LOCALES.includes(pickLocale(text)))));
});

Deno.test("a user agent is shown as people call it", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const cases: [string, string][] = [
    [WINDOWS_FIREFOX, "Firefox on Windows"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/140.0.0.0 Safari/537.36`, "Chrome on Linux"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/140.0.0.0 Safari/537.36`, "Chrome on Linux"],
    [`Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/140.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
    [`Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, "Edge on Windows"],
    [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/140 Safari/537.36 OPR/120`, "Opera on ChromeOS"],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
      "Safari on macOS",
    ],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605 CriOS/140 Safari/604", "Chrome on iOS"],
    ["curl/8.5.0", "curl"],
    ["python-requests/2.32", "python-requests/2.32"],
    ["", "an unknown browser"],
    ["\r\n\0", "an unknown browser"],
    ["Bot\r\nX: y\u202e", "Bot X: y"],
    ["😀".repeat(100), "😀".repeat(60)],
  ];
  for (const [userAgent, shown] of cases) assert.equal(describeUserAgent(userAgent, "en"), shown, userAgent);
  assert.equal(describeUserAgent(undefined, "de"), "ein unbekannter Browser");
  assert.equal(describeUserAgent(WINDOWS_FIREFOX, "pt"), "Firefox no Windows");
});
