/**
 * Password reset: a token works once, for its owner, for half an hour, and a new password ends all sessions and tokens
 * of the old one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", OTHER = "eve@example.com", PASSWORD = "b4l0u";
const MINUTE = 60_000;

async function tokenFor(service: Service, email = EMAIL): Promise<string> {
  const [status, body] = await service.send("POST", "/reset_password", { email });
  assert.equal(status, 200);
  return (body as { reset_token: string }).reset_token;
}

async function put(service: Service, token: string, password: string, email = EMAIL): Promise<number> {
  const form = { email, reset_token: token, new_password: password };
  return (await service.send("PUT", "/reset_password", form))[0];
}

async function loginStatus(service: Service, password: string, email = EMAIL): Promise<number> {
  return (await service.send("POST", "/sessions", { email, password }))[0];
}

test("S24, F21: of 50 concurrent uses of one token on two instances exactly one succeeds", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  const instances = [service, await service.another()];
  const passwords = Array.from({ length: 50 }, (_, index) => `password ${index}`);
  const answers = await Promise.all(passwords.map((password, index) => put(instances[index % 2], token, password)));
  const winners = passwords.filter((_, index) => answers[index] === 200);
  assert.equal(winners.length, 1, answers.join());
  assert.ok(answers.every((status) => [200, 403, 503].includes(status)), answers.join());
  assert.equal(await loginStatus(instances[1], winners[0]), 200);
  const loser = passwords.find((password) => password !== winners[0])!;
  for (const password of [PASSWORD, loser]) assert.equal(await loginStatus(service, password), 401);
  assert.deepEqual(await service.rows("SELECT * FROM tokens WHERE purpose <> 'undo'"), []);
});

test("S24: a used token is refused", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  assert.equal(await put(service, token, "first"), 200);
  assert.equal(await put(service, token, "second"), 403);
  assert.equal(await loginStatus(service, "first"), 200);
});

test("S26: the database holds no token or session id, and no stored value works as one", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  const tables = ["users", "sessions", "tokens", "keys"];
  const stored = (await Promise.all(tables.map((table) => service.rows(`SELECT * FROM ${table}`)))).flat();
  const values = stored.flatMap((row) => Object.values(row)).filter((value) => typeof value === "string");
  for (const secret of [token, session, PASSWORD]) {
    assert.ok(!values.some((value) => value.includes(secret)), "a secret is stored as it is");
  }
  for (const value of values) {
    assert.equal(await put(service, value.slice(0, 256), "x"), 403);
    assert.equal((await service.send("GET", "/profile", undefined, value))[0], 403);
  }
  assert.equal(await put(service, token, "n3w"), 200);
});

test("S27: a token ends after 30 minutes", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  service.clock.now += 30 * MINUTE;
  assert.equal(await put(service, token, "late"), 403);
  const second = await tokenFor(service);
  service.clock.now += 30 * MINUTE - 1;
  assert.equal(await put(service, second, "in time"), 200);
});

test("S27: a new token ends the user's old one, but not another user's", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register(OTHER, PASSWORD);
  const [old, others] = [await tokenFor(service), await tokenFor(service, OTHER)];
  const fresh = await tokenFor(service);
  assert.notEqual(fresh, old);
  assert.equal(await put(service, old, "x"), 403);
  assert.equal(await put(service, fresh, "n3w"), 200);
  assert.equal(await put(service, others, "0th3r", OTHER), 200);
});

test("S28, V70: a reset ends the user's sessions on all devices, but not other users' sessions", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register(OTHER, PASSWORD);
  const devices = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  const others = await service.logIn(OTHER, PASSWORD);
  for (const session of devices) assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  assert.equal(await put(service, await tokenFor(service), "n3w"), 200);
  const instance = await service.another();
  for (const session of devices) {
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await instance.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await service.send("DELETE", "/sessions", undefined, session))[0], 403);
  }
  assert.deepEqual(await service.send("GET", "/profile", undefined, others), [200, { email: OTHER }]);
  assert.equal(await loginStatus(service, PASSWORD), 401);
  assert.equal(await loginStatus(service, "n3w"), 200);
});

test("S29: a reset logs nobody in", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const form = { email: EMAIL, reset_token: await tokenFor(service), new_password: "n3w" };
  const response = await service.request("PUT", "/reset_password", { form });
  assert.equal(response.status, 200);
  assert.equal(sessionOf(response), undefined);
  assert.deepEqual(response.headers.getSetCookie(), []);
  assert.deepEqual(await service.rows("SELECT * FROM sessions"), []);
});

test("S31: a token sent with another user's address is refused and stays valid for its owner", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register(OTHER, PASSWORD);
  const token = await tokenFor(service);
  for (const email of [OTHER, "nobody@example.com", "nonsense", "bob@example.com.evil.example"]) {
    assert.equal(await put(service, token, "st0len", email), 403, email);
  }
  assert.equal(await loginStatus(service, PASSWORD, OTHER), 200);
  assert.equal(await put(service, token, "n3w", "BOB@EXAMPLE.COM"), 200);
  assert.equal(await loginStatus(service, "n3w"), 200);
});

test("S31, V69: a missing, empty or null-like token matches no user without a token", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const before = await service.rows("SELECT * FROM users");
  const form = { email: EMAIL, new_password: "st0len" };
  assert.equal((await service.send("PUT", "/reset_password", form))[0], 400);
  assert.equal(await put(service, "", "st0len"), 400);
  for (const token of ["null", "None", "undefined", "NULL", "0", " ", "''", "A".repeat(43), "=".repeat(43)]) {
    assert.equal(await put(service, token, "st0len"), 403, token);
  }
  for (const reset_token of [null, 0, false, [], {}, [null]]) {
    const response = await service.request("PUT", "/reset_password", { json: { ...form, reset_token } });
    assert.equal(response.status, 400, JSON.stringify(reset_token));
  }
  assert.deepEqual(await service.rows("SELECT * FROM users"), before);
});

test("a changed, cut or lengthened token is refused, and the real one stays valid", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  const swapped = token.replace(/[a-z]/i, (letter) => letter === "a" ? "b" : "a");
  for (const wrong of [token.slice(0, -1), `${token}A`, ` ${token}`, `${token}\n`, swapped, `${token}=`]) {
    assert.equal(await put(service, wrong, "st0len"), 403);
  }
  assert.equal(await put(service, token, "n3w"), 200);
});

test("an invalid new password does not use up the token", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const token = await tokenFor(service);
  for (const password of ["", "x".repeat(257), "x".repeat(4097)]) {
    assert.equal(await put(service, token, password), 400);
  }
  assert.equal(await put(service, token, "n3w"), 200);
});
