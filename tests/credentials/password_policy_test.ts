/**
 * The password policy of the public profile: what it refuses and why, and that it refuses nothing else.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Hono } from "hono";
import { checkPasswordPolicy, type PasswordContext } from "../../auth/credentials/password_policy.ts";
import { AuthError } from "../../auth/errors.ts";
import type { RequestEnv } from "../../routes/http/answers.ts";
import { answerError } from "../../routes/http/errors.ts";
import { test } from "../kit/service.ts";

const CONTEXT: PasswordContext = { minLength: 8, email: "Anna.Smith+shop@mail.example.co.uk", appName: "Tarte Maison" };
const COMMON = "password is one of the most common ones";
const EMAIL = "password must not be your e-mail address or a part of it";
const SERVICE = "password must not be the name of this service or a part of it";
const REPEATED = "password must not be the same few characters over and over";
const ROW = "password must not be a row of neighbours in the alphabet or on the keyboard";
const SHORT = "password must have at least 8 characters";

const seed = Date.now() % 2 ** 31;
console.log(`password_policy_test.ts: seed ${seed}`);

/** The reason for a refusal, or undefined for an accepted password. Rethrows all other errors. */
function reason(password: string, context: PasswordContext = CONTEXT): string | undefined {
  try {
    checkPasswordPolicy(password, context);
    return undefined;
  } catch (error) {
    if (error instanceof AuthError && error.code === "weak_password") return error.message;
    throw error;
  }
}

function reasons(passwords: string[], context = CONTEXT): Record<string, string | undefined> {
  return Object.fromEntries(passwords.map((password) => [password, reason(password, context)]));
}

/** Asserts the same outcome for all passwords. */
function assertAll(passwords: string[], expected: string | undefined, context = CONTEXT): void {
  assert.deepEqual(reasons(passwords, context), Object.fromEntries(passwords.map((password) => [password, expected])));
}

Deno.test("S1: 7 code points are too short and 8 are enough, whatever their number of bytes", () => {
  assertAll(["xk29dlq", "😀🍕🚲🌵🎻🧊🪁", "ñandúçß", "日本語仮名漢字"], SHORT);
  assertAll(["xk29dlqv", "😀🍕🚲🌵🎻🧊🪁🐙", "ñandúçßá", "日本語仮名漢字入"], undefined);
  // Each has four bytes and two UTF-16 units: a policy that counts either would accept four of them.
  assert.equal(reason("😀".repeat(7)), SHORT);
  assert.equal(reason("😀".repeat(8)), undefined);
});

Deno.test("S1: characters that NFC composes count once, however they were typed", () => {
  assert.equal(reason("xk29dle\u0301"), SHORT);
  assert.equal(reason("xk29dlqe\u0301"), undefined);
});

Deno.test("S1: PASSWORD_MIN_LENGTH sets the minimum length, and the reason names it", () => {
  const context = { ...CONTEXT, minLength: 15 };
  assert.equal(reason("my dog ate 3 sh", context), undefined);
  assert.equal(reason("my dog ate 3 s", context), "password must have at least 15 characters");
});

Deno.test("S2: 64 times the same emoji is accepted", () => assertAll(["😀".repeat(64)], undefined));

Deno.test("S4: passphrases with spaces and in any script are accepted", () => {
  assertAll([
    "correct donkey battery staple",
    "  leading and trailing  ",
    "a b".repeat(15),
    "a b ".repeat(15),
    "no no no no no",
    "tout va très bien, madame",
    "Übergrößenträger am Fluss",
    "собака съела три ботинка",
    "犬が靴を三足食べました",
    "الكلب أكل ثلاثة أحذية",
    "tab\tand\nnew line",
    "👩‍👩‍👧‍👦 🐕 👟",
  ], undefined);
});

Deno.test("S4: one kind of characters alone is enough", () => {
  const kinds = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    '!"#$%&()*/:;<=>?[]^{|}~',
    "αβγδεζηθικλμνξ",
  ];
  const passwords = fc.constantFrom(...kinds).chain((kind) =>
    fc.string({ unit: fc.constantFrom(...kind), minLength: 20 })
  )
    .filter(isVaried);
  fc.assert(fc.property(passwords, (password) => assert.equal(reason(password), undefined)), { seed });
});

Deno.test("S5: a common password is refused as common, whatever its case", () => {
  assertAll(["password", "passwordpassword", "123456789012345", "trustno1", "Password@123", "Iloveyou!"], COMMON);
  assertAll(["PASSWORD", "PassWordPassword", "TrustNo1", "QWERTYUIOP"], COMMON);
});

Deno.test("S5: a common password is refused in composed and decomposed form", () => {
  assertAll(["contraseña", "contrasen\u0303a", "CONTRASEÑA", "CONTRASEN\u0303A"], COMMON);
});

Deno.test("S5: a common password inside a longer password is allowed", () => {
  assertAll(["my password is 7 sheep", "sunshine over Ghent", "xpasswordx"], undefined);
});

Deno.test("S5: the list has more than 3,000 passwords of 8 characters or more, and each is refused", async () => {
  const text = await Deno.readTextFile(new URL("../../auth/credentials/common_passwords.txt", import.meta.url));
  assert.ok(!text.includes("\r"), "other line ends would make every line miss");
  const lines = text.trimEnd().split("\n").filter((line) => !/^#(?: |$)/.test(line));
  assert.ok(lines.length > 3_000);
  assert.deepEqual(lines.filter((line) => [...line].length < 8), []);
  assert.deepEqual(lines.filter((line) => line.normalize("NFC").toLowerCase() !== line), []);
  assert.equal(new Set(lines).size, lines.length);
  const context = { minLength: 8, appName: "" };
  assert.deepEqual(lines.filter((line) => reason(line, context) !== COMMON), []);
});

Deno.test("S5: the list needs neither the network nor permission to read", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-" });
  try {
    const module = JSON.stringify(new URL("../../auth/credentials/password_policy.ts", import.meta.url).href);
    await Deno.writeTextFile(
      `${folder}/ask.ts`,
      `import { checkPasswordPolicy } from ${module};
      for (const name of ["read", "net"] as const) console.log((await Deno.permissions.query({ name })).state);
      try { checkPasswordPolicy("trustno1", { minLength: 8, appName: "" }); } catch (error) { console.log(String(error)); }`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", "--config", "deno.json", `${folder}/ask.ts`],
    }).output();
    const decoder = new TextDecoder();
    const [read, net, error] = decoder.decode(stdout).split("\n");
    assert.deepEqual(
      [read === "granted", net === "granted", error],
      [false, false, `AuthError: ${COMMON}`],
      decoder.decode(stderr),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("S5: rows of neighbouring keys or characters are refused: forward, backward, doubled and from any start", () => {
  assertAll(["34567890123", "98765432109", "abcdefghijkl", "tuvwxyzabc", "zyxwvutsrq", "QWERTZUIOPÜ"], ROW);
  assertAll(["qsdfghjklm", "lkjhgfdsa", "asdfghjklñ", "2wsx3edc4rfv", "aabbccddeeff", "αβγδεζηθ", "абвгдежз"], ROW);
  assertAll(["qwertypqwerty", "abcdefgijkl", "13571357a", "asdfghjkl of doom"], undefined);
});

Deno.test("S5: a short pattern repeated to fill the password is refused, whole or cut at the end", () => {
  assertAll(["aaaaaaaaaaaa", "------------", "            ", "hahahahahaha", "x7qx7qx7qx", "ññññññññññ"], REPEATED);
  assertAll(["sunshinesunshine", "IloveyouIloveyouIlove"], REPEATED);
  assert.equal(reason("1234123412341234", { minLength: 8, appName: "" }), ROW);
  assertAll(["aaaaaaaaaaax", "hahahahaho", "kx9mkx9m"], undefined);
});

Deno.test("S6: the e-mail address or a part of it is refused as the whole password", () => {
  assertAll([
    "Anna.Smith+shop@mail.example.co.uk",
    "anna.smith+shop@mail.example.co.uk",
    "anna.smith+shop",
    "Anna.Smith",
    "annasmith",
    "anna smith",
    "ANNA-SMITH",
    "mail.example.co.uk",
    "mail.example",
    "example.co.uk",
    "mailexample",
  ], EMAIL);
});

Deno.test("S6: a part of the address written several times is refused", () => {
  assertAll(
    ["annaannaanna", "AnnaAnnaAnn", "smithsmith", "anna.anna.anna", "exampleexample", "annasmithannasmith"],
    EMAIL,
  );
});

Deno.test("S6: the address is recognised when the password is composed differently", () => {
  const context = { ...CONTEXT, email: "info@mu\u0308nchen-verein.example" };
  assertAll(["münchen-verein", "MÜNCHENVEREIN", "mu\u0308nchen-verein.example"], EMAIL, context);
});

Deno.test("S6: the name of the service is refused as the whole password", () => {
  assertAll(["Tarte Maison", "tartemaison", "TARTE-MAISON", "maisonmaison", "tarte maisontarte maison"], SERVICE);
});

Deno.test("S6: a name inside a longer password is allowed, and so is another user's address", () => {
  assertAll(
    ["annasmith1987", "I am anna.smith", "tarte maison aux pommes", "smith+anna", "bob.jones@example.org"],
    undefined,
  );
  // Without separators these are empty, and an empty name must match nothing.
  assertAll([".-_+ .-_+@", "'.'- _'.-+"], undefined);
});

Deno.test("S6: without an address the other rules still apply", () => {
  const context = { minLength: 8, appName: "Bienvenue" };
  assert.equal(reason("anna.smith", context), undefined);
  assert.equal(reason("bienvenue", context), SERVICE);
});

test("S5: weak_password answers 400 with its reason", async (service) => {
  const app = new Hono<RequestEnv>();
  app.onError((error, c) => answerError(service.auth, c, error));
  app.post("/", async (c) => {
    checkPasswordPolicy(await c.req.text(), CONTEXT);
    return c.body(null, 204);
  });
  const response = await app.request("/", { method: "POST", body: "passwordpassword" });
  assert.deepEqual([response.status, await response.json()], [400, { message: COMMON }]);
  assert.equal(response.headers.get("error-code"), "weak_password");
});

test("S7: a password does not expire", async (service) => {
  const [email, password] = ["anna@example.com", "my dog ate 3 shoes"];
  await service.register(email, password);
  service.clock.now += 10 * 365 * 86_400_000;
  assert.deepEqual(await service.send("POST", "/sessions", { email, password }), [200, {
    email,
    message: "logged in",
  }]);
});

test("S8: no hint and no secret question is stored", async (service) => {
  const canary = "canary-of-the-first-pet";
  const more = { hint: canary, password_hint: canary, secret_question: canary, secret_answer: canary };
  const form = { email: "anna@example.com", password: "my dog ate 3 shoes", ...more };
  assert.equal((await service.request("POST", "/users", { form })).status, 200);
  const [user] = await service.rows("SELECT * FROM users WHERE email_key = $1", "anna@example.com");
  assert.ok(!JSON.stringify(user).includes(canary));
  assert.deepEqual(Object.keys(user).filter((column) => /hint|question|answer/.test(column)), []);
});

Deno.test("any varied random password of 20 characters or more is accepted", () => {
  const passwords = fc.string({ unit: "binary", minLength: 20, maxLength: 60 }).filter(isVaried);
  fc.assert(fc.property(passwords, (password) => assert.equal(reason(password), undefined)), { seed, numRuns: 500 });
});

Deno.test("any password is either accepted or refused by a code, and no message repeats it", () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((codes) =>
    String.fromCharCode(...codes)
  );
  const passwords = fc.oneof(
    units,
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("a", "b", "1", "2") }),
  );
  const contexts = fc.record({ minLength: fc.integer({ min: 1, max: 64 }), email: fc.string(), appName: units });
  fc.assert(
    fc.property(passwords, contexts, (password, context) => {
      try {
        checkPasswordPolicy(password, context);
      } catch (error) {
        assert.ok(
          error instanceof AuthError && ["weak_password", "invalid_password"].includes(error.code),
          String(error),
        );
        if (password.length > 8) assert.ok(!error.message.includes(password));
      }
    }),
    { seed, numRuns: 1_000 },
  );
});

/** Random enough: at least eight different characters, and no NUL, which no password may contain. */
function isVaried(text: string): boolean {
  return new Set(text.normalize("NFC").toLowerCase()).size >= 8 && !text.includes("\0");
}
