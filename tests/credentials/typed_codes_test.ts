/**
 * Codes as people paste and type them: with separators, invisible characters and the digits of their script. What is no
 * code costs no try.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readCode } from "../../auth/credentials/mail_codes.ts";
import { BROWSER_ACCEPT, formOf } from "../kit/form_browser.ts";
import { ANNA, logIn, mailTo, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";
import "../kit/seed.ts";

const HTML = { accept: BROWSER_ACCEPT };

/** Puts a code into the form in which it may arrive. */
const WRITTEN: Record<string, (code: string) => string> = {
  "a line break after it": (code) => `${code}\n`,
  "a Windows line break": (code) => `${code}\r\n`,
  "a tab before it": (code) => `\t${code}`,
  "spaces around and inside": (code) => ` ${code.slice(0, 4)} ${code.slice(4)} `,
  "no-break spaces": (code) => `\u00a0${code.slice(0, 4)}\u202f${code.slice(4)}\u00a0`,
  "an ideographic space": (code) => `${code.slice(0, 4)}\u3000${code.slice(4)}`,
  "zero-width spaces": (code) => [...code].join("\u200b"),
  "joiners and direction marks": (code) => `\u200e\u2068${[...code].join("\u200d")}\u2069\u200f`,
  "a byte order mark": (code) => `\ufeff${code}`,
  "a word joiner and a soft hyphen": (code) => `${code.slice(0, 4)}\u2060\u00ad${code.slice(4)}`,
  "a line separator": (code) => `${code}\u2028`,
  "a hyphen": (code) => `${code.slice(0, 4)}-${code.slice(4)}`,
  "a non-breaking hyphen, an en dash, an em dash and a minus": (code) =>
    `${code.slice(0, 2)}\u2011${code.slice(2, 4)}\u2013${code.slice(4, 5)}\u2014${code.slice(5, 6)}\u2212${
      code.slice(6)
    }`,
  "full-width digits": (code) => inScript(code, 0xff10),
  "full-width digits with a full-width hyphen": (code) => inScript(code, 0xff10).replace(/^..../, "$&\uff0d"),
  "Arabic digits": (code) => inScript(code, 0x0660),
  "Persian digits": (code) => inScript(code, 0x06f0),
  "Devanagari digits": (code) => inScript(code, 0x0966),
  "Thai digits": (code) => inScript(code, 0x0e50),
  "mathematical digits": (code) => inScript(code, 0x1d7d8),
  "digits beyond the first plane": (code) => inScript(code, 0x1e950),
  "lowered digits": (code) => inScript(code, 0x2080),
};

function inScript(code: string, zero: number): string {
  return [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join("");
}

const NO_CODES = [
  "",
  " ",
  "1234567",
  "123456789",
  "1234 567",
  "12345678 12345678",
  "1234567a",
  "abcdefgh",
  "１２３４５６７",
  "12345678'",
  "0x123456",
  "+12345678",
  "1234567½",
  "一二三四五六七八",
  "1".repeat(99),
];

Deno.test("B4: a code is read the same in whatever form it arrives", () => {
  for (const [form, write] of Object.entries(WRITTEN)) {
    for (const code of ["04711815", "00000000", "99999999", "12345678"]) {
      assert.equal(readCode(write(code)), code, `${form}: ${JSON.stringify(write(code))}`);
    }
  }
  for (const text of NO_CODES) assert.equal(readCode(text), undefined, JSON.stringify(text));
});

Deno.test("B4: every decimal digit of Unicode is read as its value", () => {
  const digits = Array.from({ length: 0x110000 }, (_, point) => point)
    .filter((point) => (point < 0xd800 || point > 0xdfff) && /^\p{Nd}$/u.test(String.fromCodePoint(point)));
  assert.ok(digits.length > 600 && digits.length % 10 === 0, `${digits.length}`);
  digits.forEach((point, index) => {
    // Unicode gives the digits of a script ten places in a row, from zero on (UAX 44, Numeric_Type=Decimal).
    const value = String(index % 10);
    assert.equal(readCode(String.fromCodePoint(point).repeat(8)), value.repeat(8), point.toString(16));
  });
});

Deno.test("B4: property: what is read has eight ASCII digits, and separators anywhere change nothing", () => {
  const separator = fc.constantFrom(" ", "\t", "\n", "\r", "\u00a0", "\u200b", "\ufeff", "-", "\u2010", "\u2212", "");
  const digit = fc.constantFrom(..."0123456789");
  fc.assert(
    fc.property(fc.array(fc.tuple(separator, digit), { minLength: 8, maxLength: 8 }), separator, (pairs, last) => {
      assert.equal(readCode(pairs.flat().join("") + last), pairs.map(([, each]) => each).join(""));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => assert.match(readCode(text) ?? "00000000", /^\d{8}$/)),
  );
});

async function resetCode(service: Service): Promise<string> {
  await service.send("POST", "/reset_password", { email: ANNA });
  return (await mailTo(service, ANNA)).code;
}

test("B4: JSON, form and page take a code in every form, for reset, proof and change of address", async (service) => {
  await signUp(service);
  const forms = Object.values(WRITTEN);
  for (const [index, write] of forms.entries()) {
    service.clock.now += 61 * 60_000;
    const code = write(await resetCode(service));
    const fields = { email: ANNA, code, new_password: index % 2 ? PASSWORD : NEW_PASSWORD };
    if (index % 3 === 0) {
      assert.deepEqual(await outcome(service, "PUT", "/reset_password", { json: fields }), [200, null]);
    } else if (index % 3 === 1) {
      assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form: fields }), [200, null]);
    } else {
      const page = await service.request("POST", "/reset", { form: fields, headers: HTML });
      assert.equal(page.status, 303, await page.text());
    }
  }
}, PUBLIC_SETTINGS);

test("B4: a proof and a change of address take a pasted code too, by JSON and by page", async (service) => {
  for (const [email, byPage] of [["a1@example.com", false], ["a2@example.com", true]] as const) {
    await service.register(email, PASSWORD);
    const form = { email, code: `\u00a0${(await mailTo(service, email)).code}\u200b\n` };
    if (byPage) assert.equal((await service.request("POST", "/verify", { form, headers: HTML })).status, 303);
    else assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form }), [200, null]);
    const { session } = await logIn(service, email, PASSWORD);
    const new_email = `new-${email}`;
    await service.request("POST", "/change_email", { form: { new_email, password: PASSWORD }, session });
    const change = { code: (await mailTo(service, new_email)).code.replace(/^..../, "$&\u2013") };
    if (byPage) {
      const done = await service.request("POST", "/change-email", { form: change, headers: HTML, session });
      assert.deepEqual([done.status, done.headers.get("location")], [303, "/account?done=email#email"]);
    } else assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: change, session }), [200, null]);
  }
}, PUBLIC_SETTINGS);

test("B4: what is no code is refused with 400 and costs no try, by JSON and by page", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const code = await resetCode(service);
  for (const text of NO_CODES.slice(2)) {
    const calls = [
      ["PUT", "/reset_password", { email: ANNA, code: text, new_password: NEW_PASSWORD }],
      ["PUT", "/verify_email", { email: ANNA, code: text }],
      ["PUT", "/change_email", { code: text }],
    ] as const;
    for (const [method, path, form] of calls) {
      const response = await service.request(method, path, { form, session });
      assert.deepEqual(
        [response.status, response.headers.get("error-code")],
        [400, "invalid_field"],
        `${path} ${text}`,
      );
      assert.deepEqual(await response.json(), { message: "code must have 8 digits" });
    }
    for (
      const [path, form] of [["/reset", calls[0][2]], ["/verify", calls[1][2]], ["/change-email", calls[2][2]]] as const
    ) {
      const response = await service.request("POST", path, { form, session, headers: HTML });
      const page = await response.text();
      assert.equal(response.status, 400, `${path} ${text}`);
      assert.match(page, /id="code-fault" role="alert">A code has 8 digits\. Please check what you typed\.</);
      assert.ok(formOf(page, path).fields.has("code"));
    }
  }
  assert.deepEqual(await service.rows("SELECT id FROM counters WHERE id LIKE 'code%'"), []);
  const form = { email: ANNA, code, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("B4: a code in another script counts as a try when it is wrong", async (service) => {
  await signUp(service);
  const right = await resetCode(service);
  const wrong = inScript(String((Number(right) + 1) % 100_000_000).padStart(8, "0"), 0x0660);
  const form = { email: ANNA, code: wrong, new_password: NEW_PASSWORD };
  for (let tries = 0; tries < 5; tries++) {
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
  }
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [429, "too_many_attempts"]);
}, PUBLIC_SETTINGS);
