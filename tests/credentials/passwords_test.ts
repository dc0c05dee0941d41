/**
 * Passwords as users type them: nothing is cut, folded or confused, and old hashes are renewed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { hashPassword, verifyPassword } from "../../auth/credentials/passwords.ts";
import { updateUser } from "../../db/users.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";

async function loginStatus(service: Service, password: string, email = EMAIL): Promise<number> {
  const [status] = await service.send("POST", "/sessions", { email, password });
  return status;
}

async function storedHash(service: Service, email = EMAIL): Promise<string> {
  const [row] = await service.rows<{ hashed_password: string }>(
    "SELECT hashed_password FROM users WHERE email_key = $1",
    email,
  );
  return row.hashed_password;
}

/** Stores a hash of another system in the user's row. */
async function importHash(service: Service, hashed: string): Promise<void> {
  const [row] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", EMAIL);
  await updateUser(service.auth.db, row.id, { hashed_password: hashed });
}

test("S2: a password of 64 emoji is accepted, and its last emoji counts", async (service) => {
  const password = "\u{1F600}".repeat(64);
  await service.register(EMAIL, password);
  await service.logIn(EMAIL, password);
  assert.equal(await loginStatus(service, "\u{1F600}".repeat(63) + "\u{1F601}"), 401);
  assert.equal(await loginStatus(service, "\u{1F600}".repeat(63)), 401);
});

test("S2: a password of more than 256 characters or 1024 bytes answers 400", async (service) => {
  await service.register(EMAIL, "\u{1F600}".repeat(256));
  await service.logIn(EMAIL, "\u{1F600}".repeat(256));
  for (const password of ["\u{1F600}".repeat(257), "a".repeat(257)]) {
    const [status, body] = await service.send("POST", "/users", { email: "b@x.test", password });
    assert.equal(status, 400);
    assert.match((body as { message: string }).message, /^password is longer than/);
  }
});

test("S3: V61: every byte of a password counts, also beyond the 72 bytes that bcrypt reads", async (service) => {
  for (const length of [1, 71, 72, 73, 200]) {
    const email = `a${length}@x.test`;
    const password = "x".repeat(length);
    await service.register(email, password);
    await service.logIn(email, password);
    assert.equal(await loginStatus(service, password.slice(0, -1) + "y", email), 401, `last of ${length} changed`);
    assert.equal(await loginStatus(service, password + "x", email), 401, `one more than ${length}`);
    if (length > 1) assert.equal(await loginStatus(service, password.slice(0, -1), email), 401, `one less`);
    assert.equal(await loginStatus(service, "x".repeat(72) + "another tail", email), 401);
  }
});

test("S3: spaces around a password and the case of letters count", async (service) => {
  await service.register(EMAIL, " B4l0u ");
  await service.logIn(EMAIL, " B4l0u ");
  for (const password of ["B4l0u", " B4l0u", "B4l0u ", " b4l0u ", "\tB4l0u "]) {
    assert.equal(await loginStatus(service, password), 401, JSON.stringify(password));
  }
});

test("S9: composed and decomposed letters are the same password, compatible ones are not", async (service) => {
  await service.register(EMAIL, "caf\u00e9 \u1e69");
  await service.logIn(EMAIL, "cafe\u0301 s\u0323\u0307");
  await service.register("fi@x.test", "\ufb01sh");
  assert.equal(await loginStatus(service, "fish", "fi@x.test"), 401);
});

test("S10: a hash names its scheme and cost, and two users with one password have two salts", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await service.register("b@x.test", "b4l0u");
  const [first, second] = [await storedHash(service), await storedHash(service, "b@x.test")];
  assert.match(first, /^\$2b\$05\$[./A-Za-z0-9]{53}$/);
  assert.notEqual(first, second);
  await service.register("long@x.test", "b4l0u".repeat(20));
  assert.match(await storedHash(service, "long@x.test"), /^\$bcrypt-sha256\$v=2,t=2b,r=5\$.{22}\$.{31}$/);
}, { BCRYPT_COST: "5" });

test("S11: a login renews a hash of an old cost and does not change the password", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await importHash(
    service,
    await hashPassword({ ...service.auth, config: { ...service.auth.config, bcryptCost: 4 } }, "b4l0u"),
  );
  assert.equal(await loginStatus(service, "wrong"), 401);
  assert.match(await storedHash(service), /^\$2b\$04\$/, "a wrong password renews nothing");
  await service.logIn(EMAIL, "b4l0u");
  const renewed = await storedHash(service);
  assert.match(renewed, /^\$2b\$06\$/);
  await service.logIn(EMAIL, "b4l0u");
  assert.equal(await storedHash(service), renewed, "a hash of today's cost is left as it is");
}, { BCRYPT_COST: "6" });

test("S11: a hash that is costlier than the setting is replaced by one of the set cost", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const dear = await hashPassword({ ...service.auth, config: { ...service.auth.config, bcryptCost: 6 } }, "b4l0u");
  await importHash(service, dear);
  await service.logIn(EMAIL, "b4l0u");
  assert.match(await storedHash(service), /^\$2b\$04\$/);
  await service.logIn(EMAIL, "b4l0u");
});

test("S11: concurrent logins that renew one old hash all succeed", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await importHash(
    service,
    await hashPassword({ ...service.auth, config: { ...service.auth.config, bcryptCost: 4 } }, "b4l0u"),
  );
  const statuses = await Promise.all(Array.from({ length: 8 }, () => loginStatus(service, "b4l0u")));
  assert.deepEqual(statuses, Array(8).fill(200));
}, { BCRYPT_COST: "5" });

test("V60: with a long address every character of the password still counts", async (service) => {
  const email = `${"a".repeat(64)}@${"b".repeat(60)}.${"c".repeat(60)}.test`;
  await service.register(email, "b4l0u");
  await service.logIn(email, "b4l0u");
  assert.equal(await loginStatus(service, "b4l0v", email), 401);
});

test("V62: passwords of about 256 and 512 bytes are told apart", async (service) => {
  // Letters of two and three bytes, because a password has at most 256 letters.
  for (const bytes of [254, 255, 256, 257, 258, 511, 512, 513]) {
    const password = bytes % 2 === 0 ? "\u00e9".repeat(bytes / 2) : "\u00e9".repeat((bytes - 3) / 2) + "\u20ac";
    assert.equal(new TextEncoder().encode(password).length, bytes);
    const hashed = await hashPassword(service.auth, password);
    const check = async (text: string) => (await verifyPassword(service.auth, text, hashed)).valid;
    assert.equal(await check(password), true, `${bytes} bytes`);
    assert.equal(await check(password.slice(0, -1)), false, `${bytes} bytes without the last letter`);
    assert.equal(await check(password.slice(0, -1) + "z"), false, `${bytes} bytes with another last letter`);
    assert.equal(await check("\u00e9"), false);
  }
});

test("V62: V63: a NUL in a password answers 400, at registration, login and reset", async (service) => {
  await service.register(EMAIL, "abc");
  const [, asked] = await service.send("POST", "/reset_password", { email: EMAIL });
  const { reset_token } = asked as { reset_token: string };
  for (const password of ["abc\0xyz", "abc\0abc", "\0"]) {
    assert.equal(await loginStatus(service, password), 400);
    assert.equal((await service.send("POST", "/users", { email: "b@x.test", password }))[0], 400);
    const reset = { email: EMAIL, reset_token, new_password: password };
    assert.equal((await service.send("PUT", "/reset_password", reset))[0], 400);
    await assert.rejects(hashPassword(service.auth, password), { code: "invalid_password" });
  }
  await service.logIn(EMAIL, "abc");
});

test("V65: a digest of the password is not accepted as the password", async (service) => {
  const password = "correct horse battery staple ".repeat(4);
  await service.register(EMAIL, password);
  const salt = (await storedHash(service)).split("$")[3];
  for (const encoding of ["hex", "base64", "base64url"] as const) {
    for (const digest of ["sha1", "sha256"]) {
      assert.equal(await loginStatus(service, createHash(digest).update(password).digest(encoding)), 401);
    }
    assert.equal(await loginStatus(service, createHmac("sha256", salt).update(password).digest(encoding)), 401);
  }
  await service.logIn(EMAIL, password);
});

test("V61: V65: a long password never matches a plain bcrypt hash, whose maker may have cut it", async (service) => {
  await service.register(EMAIL, "x".repeat(72));
  assert.equal(await loginStatus(service, "x".repeat(73)), 401);
  assert.equal(await loginStatus(service, "x".repeat(72) + "\u00e9"), 401);
  await service.logIn(EMAIL, "x".repeat(72));
});

test("property: a password matches its own hash and no other password does", async (service) => {
  const word = fc.string({ unit: "binary", minLength: 1, maxLength: 100 }).filter((text) => !text.includes("\0"));
  await fc.assert(
    fc.asyncProperty(word, word, async (password, other) => {
      const hashed = await hashPassword(service.auth, password);
      assert.equal((await verifyPassword(service.auth, password, hashed)).valid, true);
      const same = password.normalize("NFC") === other.normalize("NFC");
      assert.equal((await verifyPassword(service.auth, other, hashed)).valid, same);
    }),
    { numRuns: 100 },
  );
});
