/**
 * Reset tokens: random, stored as hashes, valid once and for a limited time, and for their owner only.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hashToken, isToken, newId, randomToken } from "../../auth/secrets.ts";
import * as tokens from "../../db/tokens.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";
const MINUTE = 60_000;

async function ask(service: Service, email = EMAIL): Promise<string> {
  const [status, body] = await service.send("POST", "/reset_password", { email });
  assert.equal(status, 200);
  return (body as { reset_token: string }).reset_token;
}

async function reset(service: Service, reset_token: string, new_password: string, email = EMAIL): Promise<number> {
  return (await service.send("PUT", "/reset_password", { email, reset_token, new_password }))[0];
}

Deno.test("S25: ten thousand tokens have 256 random bits each and no duplicate", () => {
  const all = Array.from({ length: 10_000 }, randomToken);
  assert.equal(new Set(all).size, all.length);
  const ones = new Array<number>(256).fill(0);
  for (const token of all) {
    assert.equal(isToken(token), true);
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    for (let bit = 0; bit < 256; bit++) ones[bit] += (bytes[bit >> 3] >> (bit & 7)) & 1;
  }
  // Eight standard deviations from the half: a good source fails this once in 10^12 runs.
  for (const [bit, count] of ones.entries()) assert.ok(Math.abs(count - 5_000) < 400, `bit ${bit}: ${count} ones`);
});

Deno.test("S26: the stored value of a token is its SHA-256 hash", () => {
  const token = randomToken();
  assert.equal(hashToken(token), createHash("sha256").update(token).digest("base64url"));
  assert.notEqual(hashToken(token), hashToken(token.slice(0, -1) + (token.endsWith("A") ? "E" : "A")));
});

Deno.test("V57: row ids are unique and ordered by time", () => {
  const now = Date.now();
  const ids = Array.from({ length: 1_000 }, () => newId(now));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => id < newId(now + 1)));
  assert.match(ids[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("S26: the database holds no token, and no stored value works as one", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const token = await ask(service);
  const [row] = await service.rows<Record<string, string>>(
    "SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2",
    "reset",
    hashToken(token),
  );
  assert.equal(JSON.stringify(row).includes(token), false);
  for (const value of [row.secret_hash, row.subject]) assert.equal(await reset(service, value, "t4rt1fl3tt3"), 403);
  assert.equal(await reset(service, token, "t4rt1fl3tt3"), 200);
});

test("S27: a token is valid for exactly 30 minutes", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const [first, start] = [await ask(service), service.clock.now];
  service.clock.now = start + 30 * MINUTE;
  assert.equal(await reset(service, first, "t4rt1fl3tt3"), 403);
  const second = await ask(service);
  service.clock.now = start + 60 * MINUTE - 1;
  assert.equal(await reset(service, second, "t4rt1fl3tt3"), 200);
});

test("S27: a new token ends the user's old one, and no other user's", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await service.register("other@x.test", "b4l0u");
  const others = await ask(service, "other@x.test");
  const [old, fresh] = [await ask(service), await ask(service)];
  assert.equal(await reset(service, old, "t4rt1fl3tt3"), 403);
  assert.equal(await reset(service, fresh, "t4rt1fl3tt3"), 200);
  assert.equal(await reset(service, others, "t4rt1fl3tt3", "other@x.test"), 200);
});

test("S24: F21: of many concurrent uses of one token on two instances exactly one sets its password", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "b4l0u");
  const token = await ask(service);
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => reset(index % 2 ? service : other, token, `password ${index}`)),
  );
  assert.equal(statuses.filter((status) => status === 200).length, 1);
  assert.ok(statuses.every((status) => [200, 403, 503].includes(status)), statuses.join(" "));
  await service.logIn(EMAIL, `password ${statuses.indexOf(200)}`);
});

test("S28: a reset ends all sessions and tokens of the user, and no other user's", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await service.register("other@x.test", "b4l0u");
  const ids = [await service.logIn(EMAIL, "b4l0u"), await service.logIn(EMAIL, "b4l0u")];
  const others = await service.logIn("other@x.test", "b4l0u");
  const token = await ask(service);
  assert.equal(await reset(service, token, "t4rt1fl3tt3"), 200);
  for (const id of ids) assert.equal((await service.send("GET", "/profile", undefined, id))[0], 403);
  assert.equal((await service.send("GET", "/profile", undefined, others))[0], 200);
  assert.equal(await reset(service, token, "again"), 403);
  const left = await service.rows(
    "SELECT purpose FROM tokens WHERE user_id = (SELECT id FROM users WHERE email_key = $1)",
    EMAIL,
  );
  assert.deepEqual(left.filter(({ purpose }) => purpose !== "undo"), []);
});

test("S31: a token sent with another user's address is refused and stays valid for its owner", async (service) => {
  await service.register(EMAIL, "b4l0u");
  await service.register("other@x.test", "b4l0u");
  const token = await ask(service);
  for (const email of ["other@x.test", "unknown@x.test", "@", "guillaume@holberton.io.x.test"]) {
    assert.equal(await reset(service, token, "stolen", email), 403, email);
  }
  await service.logIn("other@x.test", "b4l0u");
  assert.equal(await reset(service, token, "t4rt1fl3tt3", "Guillaume@HOLBERTON.io"), 200);
});

test("S31: V69: a missing token answers 400, a null-like one 403, and no row changes", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const before = await service.rows("SELECT * FROM users WHERE email_key = $1", EMAIL);
  for (const word of ["null", "None", "undefined", "0", "NULL", "' OR '1'='1", "A".repeat(43), "A".repeat(42)]) {
    assert.equal(await reset(service, word, "stolen"), 403, word);
  }
  assert.equal(await reset(service, "", "stolen"), 400);
  const missing = { email: EMAIL, new_password: "stolen" };
  assert.equal((await service.send("PUT", "/reset_password", missing))[0], 400);
  const json = await service.request("PUT", "/reset_password", { json: { ...missing, reset_token: null } });
  assert.equal(json.status, 400);
  assert.deepEqual(await service.rows("SELECT * FROM users WHERE email_key = $1", EMAIL), before);
});

test("S29: a reset logs nobody in", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const form = { email: EMAIL, reset_token: await ask(service), new_password: "t4rt1fl3tt3" };
  const response = await service.request("PUT", "/reset_password", { form });
  assert.deepEqual([response.status, response.headers.getSetCookie()], [200, []]);
});

test("S27: a token that expires while the new password is hashed is refused", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const hash = hashToken(await ask(service));
  const end = service.clock.now + 30 * MINUTE;
  assert.equal(await tokens.consumeToken(service.auth.db, "reset", hash, end), undefined);
  assert.equal((await tokens.consumeToken(service.auth.db, "reset", hash, end - 1))?.secret_hash, hash);
  assert.equal(await tokens.consumeToken(service.auth.db, "reset", hash, end - 1), undefined, "taken is taken");
});

test("a token of one purpose is refused for another", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const hash = hashToken(await ask(service));
  const other = "verify" as tokens.Purpose;
  assert.equal(await tokens.findToken(service.auth.db, other, hash, service.clock.now), undefined);
  assert.equal(await tokens.consumeToken(service.auth.db, other, hash, service.clock.now), undefined);
  assert.notEqual(await tokens.consumeToken(service.auth.db, "reset", hash, service.clock.now), undefined);
});

test("V57: a deleted user's cookie and token are refused for a new user with the same address", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const [session, token] = [await service.logIn(EMAIL, "b4l0u"), await ask(service)];
  const [gone] = await service.rows("DELETE FROM users WHERE email_key = $1 RETURNING id", EMAIL);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  await service.register(EMAIL, "t4rt1fl3tt3");
  const [next] = await service.rows("SELECT id FROM users WHERE email_key = $1", EMAIL);
  assert.notEqual(next.id, gone.id);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  assert.equal(await reset(service, token, "stolen"), 403);
  await service.logIn(EMAIL, "t4rt1fl3tt3");
});
