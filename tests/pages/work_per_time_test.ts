/**
 * What a page with many times and forms costs, by count: a formatter is made once for each language, and the id of the
 * forms once for each page. Both took most of the account page's CPU.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LOCALES } from "../../auth/languages.ts";
import { MAIL_RULES, type MailKind } from "../../auth/mail_kinds.ts";
import { composeMail } from "../../auth/mail/compose.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import { MOST_SESSIONS } from "../../auth/sign_in/sessions.ts";
import { momentText, waitText } from "../../auth/text.ts";
import { BROWSER_ACCEPT, formOf } from "../kit/form_browser.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";
const STYLES = ["medium", "long"] as const;

/** How many formatters this work makes. */
async function formattersMade(work: () => Promise<void> | void): Promise<number> {
  const given = { DateTimeFormat: Intl.DateTimeFormat, RelativeTimeFormat: Intl.RelativeTimeFormat };
  let made = 0;
  const counting = <T extends object>(format: T): T =>
    new Proxy(format, {
      construct: (target, parts, self) => {
        made++;
        return Reflect.construct(target as new () => object, parts, self);
      },
    });
  Object.assign(Intl, {
    DateTimeFormat: counting(Intl.DateTimeFormat),
    RelativeTimeFormat: counting(Intl.RelativeTimeFormat),
  });
  try {
    await work();
  } finally {
    Object.assign(Intl, given);
  }
  return made;
}

async function pageOf(service: Service, session: string): Promise<string> {
  const response = await service.request("GET", "/account", { session, headers: { accept: BROWSER_ACCEPT } });
  assert.equal(response.status, 200);
  return await response.text();
}

test("the account page makes a formatter for a language once, however many times it shows", async (service) => {
  await service.register(EMAIL, PASSWORD);
  let session = "";
  for (let count = 0; count < MOST_SESSIONS; count++) {
    session = (await createSession(service.auth, EMAIL, { userAgent: "Mozilla/5.0 (X11; Linux) Firefox/131.0" }))!;
  }
  for (const locale of LOCALES) {
    await service.send("PATCH", "/account", { locale }, session);
    for (const most of [1, 0]) {
      let text = "";
      const made = await formattersMade(async () => void (text = await pageOf(service, session)));
      assert.ok(made <= most, `${locale}: ${made}`);
      const times = [...text.matchAll(/<time datetime="([^"]+)">([^<]+)</g)];
      assert.ok(times.length >= MOST_SESSIONS, `${times.length}`);
      for (const [, datetime, shown] of times) {
        assert.equal(shown, momentText(Date.parse(datetime), locale, "medium"));
      }
    }
  }
});

test("all forms of a page have one id, and each of them still does its own work once", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const others = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  const headers = { accept: BROWSER_ACCEPT };
  const opened = await service.request("GET", "/account", { session, headers });
  const browser = opened.headers.getSetCookie().find((cookie) => cookie.startsWith("browser_id="))!.split(";")[0];
  const text = await opened.text();
  const forms = [...text.matchAll(/<form [^]*?<\/form>/g)].map(([form]) => form);
  const ids = forms.map((form) => /name="form_id" value="([^"]+)"/.exec(form)?.[1]);
  assert.ok(forms.length > 6 && ids[0] !== undefined);
  assert.deepEqual([...new Set(ids)], [ids[0]]);

  const post = (form: string) => {
    const { action, fields } = formOf(form);
    const cookie = `session_id=${session}; ${browser}`;
    return service.request("POST", action, { headers: { ...headers, cookie }, form: Object.fromEntries(fields) });
  };
  const live = async () =>
    (await Promise.all(others.map((other) => service.send("GET", "/profile", undefined, other)))).map(([status]) =>
      status
    )
      .filter((status) => status === 200).length;
  const ends = forms.filter((form) => form.includes('action="/account/devices"'));
  assert.equal(ends.length, 2);
  for (const [index, form] of ends.entries()) {
    for (const copy of [1, 2]) {
      const answer = await post(form);
      assert.deepEqual(
        [answer.status, answer.headers.get("location")],
        [303, "/account?done=session#devices"],
        `${copy}`,
      );
      assert.equal(await live(), 1 - index);
    }
  }
  const ended = await service.rows("SELECT id FROM events WHERE type = $1", "session_ended");
  assert.equal(ended.length, 2, "each of the two forms did its work once");
});

Deno.test("a mail makes a formatter for a language once", async () => {
  const compose = () => {
    for (const locale of LOCALES) {
      for (const kind of Object.keys(MAIL_RULES) as MailKind[]) {
        composeMail({ kind, locale, appName: "App", time: 0, purgeAt: 86_400_000 });
      }
    }
  };
  assert.ok(await formattersMade(compose) <= LOCALES.length);
  assert.equal(await formattersMade(compose), 0);
});

Deno.test("a kept formatter writes what a new one writes", () => {
  const times = [0, 1e12, Date.UTC(2024, 1, 29, 23, 59, 59, 999), Date.UTC(2026, 5, 1, 12)];
  for (const locale of LOCALES) {
    for (const dateStyle of STYLES) {
      const fresh = new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, {
        dateStyle,
        timeStyle: "short",
        timeZone: "UTC",
      });
      for (const time of times) assert.equal(momentText(time, locale, dateStyle), `${fresh.format(time)} UTC`);
    }
    const wait = (seconds: number) => waitText(seconds, locale);
    const fresh = new Intl.RelativeTimeFormat(locale);
    assert.deepEqual([wait(1), wait(59)], [fresh.format(1, "second"), fresh.format(59, "second")]);
    assert.deepEqual([wait(60), wait(61)], [fresh.format(1, "minute"), fresh.format(2, "minute")]);
    assert.deepEqual([wait(5_399), wait(5_400)], [fresh.format(90, "minute"), fresh.format(2, "hour")]);
  }
  assert.equal(momentText(0, "en", "medium"), "1 Jan 1970, 00:00 UTC");
  assert.equal(waitText(900, "de"), "in 15 Minuten");
});
