/**
 * Valid addresses, and which spellings are one account: a look-alike gives no access, and nobody registers twice.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { emailKey, emailKeyOrUndefined } from "../../auth/email_addresses.ts";
import "../kit/seed.ts";
import { type Service, test } from "../kit/service.ts";

const PASSWORD = "b4l0u";

async function registered(service: Service, email: string): Promise<[number, string | null]> {
  const response = await service.request("POST", "/users", { form: { email, password: PASSWORD } });
  await response.body?.cancel();
  return [response.status, response.headers.get("error-code")];
}

const INVALID = [
  "bob",
  "@",
  "bob@",
  "@example.com",
  "bob@@example.com",
  "bob@example@com",
  "bob @example.com",
  " bob@example.com",
  "bob@example.com ",
  "bob@exam ple.com",
  "bob@example.com\n",
  "bob@example.com\r\nBcc: eve@example.com",
  "bob\t@example.com",
  "bob\x7f@example.com",
  "bob@example.com,eve@example.com",
  "bob@example.com;eve@example.com",
  "bob,eve@example.com",
  "<bob@example.com>",
  "Bob <bob@example.com>",
  '"bob"@example.com',
  '"bob@evil.example"@example.com',
  "bob(comment)@example.com",
  "bob@(comment)example.com",
  "(".repeat(200) + "@example.com",
  "bob\\@example.com",
  ".bob@example.com",
  "bob.@example.com",
  "bob..bob@example.com",
  "bob@.example.com",
  "bob@example..com",
  "bob@example.com.",
  "bob@-example.com",
  "bob@example-.com",
  "bob@exa_mple.com",
  "bob@127.0.0.1",
  "bob@[127.0.0.1]",
  "bob@0x7f.1",
  "bob@example.com:25",
  "bob@example.com/x",
  "bob@example.com?x",
  "bob@example.com#x",
  "bob@%65xample.com",
  "bob@example%2ecom",
  "bob@xn--a",
  "bob@\u202eexample.com",
  "b\u200bob@example.com",
  `${"b".repeat(65)}@example.com`,
  `bob@${"e".repeat(64)}.com`,
  `bob@${"example.".repeat(40)}com`,
];

test("an invalid address answers 400 at registration, and 401 with the usual work at a login", async (service) => {
  const hashes = async (work: () => Promise<unknown>) => {
    const before = service.auth.hashQueue.counts.done;
    await work();
    return service.auth.hashQueue.counts.done - before;
  };
  for (const email of INVALID) {
    assert.deepEqual(await registered(service, email), [400, "invalid_email"], email);
    const done = await hashes(async () => {
      assert.equal((await service.send("POST", "/sessions", { email, password: PASSWORD }))[0], 401, email);
    });
    assert.equal(done, 1, email);
    assert.equal((await service.send("POST", "/reset_password", { email }))[0], 403, email);
  }
  assert.deepEqual(await service.rows("SELECT id FROM users"), []);
});

test("V17: characters that normalise to @ or a dot cannot hide a second address", async (service) => {
  await service.register("bob@victim.example", PASSWORD);
  const lookalikes = [
    "a@evil.example\uff20victim.example",
    "a@evil.example\ufe6bvictim.example",
    "bob\uff20victim.example",
    "bob\ufe6bvictim.example",
    "bob\uff20evil.example@victim.example",
    "bob@victim.example\u2100",
    "bob@victim.example\uff0fevil.example",
    "bob@victim.example\uff1a25",
  ];
  for (const email of lookalikes) {
    assert.deepEqual(await registered(service, email), [400, "invalid_email"], email);
    assert.equal((await service.send("POST", "/reset_password", { email }))[0], 403, email);
  }
});

test("V44: look-alikes by case folding are refused and get no token of the real account", async (service) => {
  await service.register("mike@example.com", PASSWORD);
  const lookalikes = [
    "m\u0131ke@example.com",
    "M\u0130KE@example.com",
    "mi\u212ae@example.com",
    "m\u0456ke@example.com",
    "\uff4dike@example.com",
    "mi\u017fe@example.com",
    "\u1fefmike@example.com",
    "m\u0069\u0307ke@example.com",
  ];
  for (const email of lookalikes) {
    assert.deepEqual(await registered(service, email), [400, "invalid_email"], email);
    assert.equal((await service.send("POST", "/reset_password", { email }))[0], 403, email);
    assert.equal((await service.send("POST", "/sessions", { email, password: PASSWORD }))[0], 401, email);
  }
  assert.deepEqual(await registered(service, "MIKE@EXAMPLE.COM"), [400, "email_taken"]);
});

const ONE_ACCOUNT = [
  "A.b+c@b\u00fccher.example",
  "a.B+C@B\u00dcCHER.example",
  "a.b+c@bu\u0308cher.EXAMPLE",
  "a.b+c@xn--bcher-kva.example",
  "a.b+c@XN--BCHER-KVA.example",
  "a.b+c@b\u00fccher\u3002example",
];

test("V44: spellings of one address are one account, and other addresses are not", async (service) => {
  await service.register(ONE_ACCOUNT[0], PASSWORD);
  for (const email of ONE_ACCOUNT) {
    assert.deepEqual(await registered(service, email), [400, "email_taken"], email);
    assert.equal((await service.send("POST", "/sessions", { email, password: PASSWORD }))[0], 200, email);
  }
  const others = [
    "ab+c@b\u00fccher.example",
    "a.b@b\u00fccher.example",
    "a.b+c@bucher.example",
    "a.b+c@xn--bcher.example",
  ];
  for (const email of others) assert.notEqual((await registered(service, email))[1], "email_taken", email);
});

test("F22: of 100 concurrent registrations of one address on two instances exactly one makes a user", async (service) => {
  const instances = [service, await service.another()];
  const spellings = [...ONE_ACCOUNT, ` ${ONE_ACCOUNT[0]}`];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => registered(instances[index % 2], spellings[index % spellings.length])),
  );
  assert.equal(answers.filter(([status]) => status === 200).length, 1);
  const codes = new Set(answers.filter(([status]) => status !== 200).map(([, code]) => code));
  // "overloaded" and "database_unavailable" are 503: too many at once, or too long a wait for the file's lock.
  for (const code of codes) {
    assert.ok(["email_taken", "invalid_email", "overloaded", "database_unavailable"].includes(code!), String(code));
  }
  assert.ok(codes.has("email_taken"));
  assert.equal((await service.rows("SELECT id FROM users")).length, 1);
});

test("V57: registering the address of a deleted user makes a new user, and old cookies and tokens are refused", async (service) => {
  const email = "bob@example.com";
  await service.register(email, PASSWORD);
  const session = await service.logIn(email, PASSWORD);
  const [, reset] = await service.send("POST", "/reset_password", { email }) as [number, Record<string, string>];
  const [old] = await service.rows("DELETE FROM users RETURNING id");
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  await service.register(email, "n3w");
  const [user] = await service.rows("SELECT id FROM users");
  assert.notEqual(user.id, old.id);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  const form = { email, reset_token: reset.reset_token, new_password: "st0len" };
  assert.equal((await service.send("PUT", "/reset_password", form))[0], 403);
  assert.equal((await service.send("POST", "/sessions", { email, password: PASSWORD }))[0], 401);
  await service.logIn(email, "n3w");
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/).filter((text) => text.slice(2, 4) !== "--");
const valid = fc.tuple(fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(?:\.[a-zA-Z0-9]{1,9})?$/), label)
  .map(([local, domain]) => `${local}@${domain}.example`);
const noise = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("@", ".", "xn--", "a", "\uff20", "1")))
  .map((parts) => parts.join(""));
const nearly = fc.tuple(valid, fc.nat(), noise).map(([email, at, text]) => {
  const index = at % email.length;
  return email.slice(0, index) + text + email.slice(index);
});

Deno.test("property: the key of a key is itself, plain, lower-case and short, and ignores case", () => {
  fc.assert(fc.property(fc.oneof(valid, nearly, noise), (email) => {
    const key = emailKeyOrUndefined(email);
    if (key === undefined) return;
    assert.match(key, /^[!-?A-~]+@[a-z0-9.-]+$/);
    assert.doesNotMatch(key, /[A-Z\s]/);
    assert.ok(key.length <= 254);
    assert.equal(emailKey(key), key);
    assert.equal(emailKey(key.toUpperCase()), key);
    assert.equal(emailKeyOrUndefined(email.normalize("NFD")), key);
  }));
});

Deno.test("property: every plain address has a key that differs only in case", () => {
  fc.assert(fc.property(valid, (email) => assert.equal(emailKey(email), email.toLowerCase())));
});

test("property: no text as an address is answered by a fault", async (service) => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearly, noise), async (email) => {
      const { status } = await service.request("POST", "/reset_password", { json: { email } });
      assert.ok([400, 403].includes(status), String(status));
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(service.logged.filter((entry) => entry.level !== undefined), []);
});
