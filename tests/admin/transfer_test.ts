/**
 * Import and export of users as lines of JSON, with the hashes of other systems.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { importUsers } from "../../auth/admin/import_export.ts";
import { type Ran, run } from "../kit/command_line.ts";
import { ANNA, logIn, signUp } from "../kit/people.ts";
import { ENGINES, PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";
import { streamUsers, VECTORS } from "../kit/user_stream.ts";

const HASHES = VECTORS.hashes, PASSWORD = VECTORS.password;

function lines(...users: unknown[]): string {
  return users.map((user) => typeof user === "string" ? user : JSON.stringify(user)).join("\n") + "\n";
}

async function imported(service: Service, input: string, ...words: string[]): Promise<Ran & { result: Result }> {
  const ran = await run(service, ["users", "import", "--json", ...words], { input });
  return { ...ran, result: ran.printed === "" ? {} as Result : JSON.parse(ran.printed) };
}

interface Result {
  added: number;
  duplicates: number;
  refused: number;
  left_out: { line: number; reason: string; duplicate: boolean }[];
}

test("S11, V64: users import takes hashes of other systems, and the first login renews them", async (service) => {
  const users = HASHES.map((hashed_password, index) => ({ email: `user-${index}@x.test`, hashed_password }));
  const { code, result } = await imported(service, lines(...users), "--verified");
  assert.deepEqual([code, result.added, result.refused], [0, 3, 0]);
  for (const { email } of users) {
    assert.equal((await service.send("POST", "/sessions", { email, password: "U*U" }))[0], 401);
    await service.logIn(email, PASSWORD);
  }
  const stored = await service.rows<{ hashed_password: string }>("SELECT hashed_password FROM users");
  for (const row of stored) assert.match(row.hashed_password, /^\$2b\$05\$/);
}, { ...PUBLIC_SETTINGS, BCRYPT_COST: "5" });

test("users import restores every exported field", async (service) => {
  for (const email of ["Ada@X.test", "long@x.test"]) {
    await service.register(email, `${email} é`.repeat(email === "long@x.test" ? 10 : 1));
  }
  await run(service, ["users", "disable", "long@x.test"]);
  await run(service, ["users", "add", "invited@x.test"]);
  const out = await run(service, ["users", "export"]);
  assert.equal(out.code, 0);
  assert.equal(out.printed.trimEnd().split("\n").length, 3);
  const fields = "id, email, email_key, hashed_password, name, locale, created_at, disabled_at, email_verified_at";
  const users = `SELECT ${fields} FROM users ORDER BY email_key`;
  const before = await service.rows(users);
  await service.rows("DELETE FROM users");
  const { code, noted, result } = await imported(service, out.printed);
  assert.deepEqual([code, result.added, result.duplicates], [0, 3, 0]);
  assert.equal(noted, "lines read: 3 of 3 (100 %)\n");
  assert.deepEqual(await service.rows(users), before);
  await service.logIn("Ada@X.test", "Ada@X.test é");
  // A second import changes nothing.
  const again = await imported(service, out.printed);
  assert.deepEqual([again.code, again.result.added, again.result.duplicates], [0, 0, 3]);
  assert.deepEqual(await service.rows(users), before);
});

test("users import refuses invalid lines by their number and imports the others", async (service) => {
  const [hash] = HASHES;
  const bad: unknown[] = [
    "not json",
    "[1]",
    '"text"',
    "null",
    { hashed_password: hash },
    { email: "two@at@x.test" },
    { email: "ok@x.test\r\nBcc: e@x.test" },
    { email: 7 },
    { email: "a1@x.test", hashed_password: hash.replace("$2a", "$2x") },
    { email: "a2@x.test", hashed_password: hash.replace("$05", "$31") },
    { email: "a3@x.test", hashed_password: hash.replace("$05", "$03") },
    { email: "a4@x.test", hashed_password: hash.slice(0, -1) },
    { email: "a5@x.test", hashed_password: `${hash}x` },
    { email: "a6@x.test", hashed_password: "5f4dcc3b5aa765d61d8327deb882cf99" },
    { email: "a7@x.test", hashed_password: "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA" },
    { email: "a8@x.test", hashed_password: "plaintext" },
    { email: "a9@x.test", password: "plaintext" },
    { email: "b1@x.test", is_admin: true },
    { email: "b2@x.test", name: "a\nb" },
    { email: "b3@x.test", name: "\ud800" },
    { email: "b4@x.test", locale: "xx" },
    { email: "b5@x.test", created_at: "yesterday" },
    { email: "b6@x.test", created_at: -1 },
    { email: "b7@x.test", id: "1 OR 1=1" },
    { email: "b8@x.test", closed_at: 1 },
    { email: "b9@x.test", name: "x".repeat(20_000) },
    { email: "c1@x.test", created_at: 8.64e15 + 1 },
    { email: "c2@x.test", hashed_password: hash, frozen_at: 1 },
  ];
  const good = [{ email: "first@x.test" }, { email: "last@x.test", created_at: "2020-01-02T03:04:05Z" }];
  const { code, noted, result } = await imported(service, lines(good[0], ...bad, "", good[1]));
  assert.equal(code, 1);
  assert.deepEqual([result.added, result.duplicates, result.refused], [2, 0, bad.length]);
  assert.deepEqual(result.left_out.map((each) => each.line), bad.map((_, index) => index + 2));
  for (const secret of ["plaintext", "5f4dcc3b", hash]) assert.ok(!(JSON.stringify(result) + noted).includes(secret));
  const rows = await service.rows<{ email: string; created_at: number }>(
    "SELECT email, created_at FROM users ORDER BY email",
  );
  assert.deepEqual(rows.map((row) => row.email), ["first@x.test", "last@x.test"]);
  assert.equal(rows[1].created_at, Date.parse("2020-01-02T03:04:05Z"));
  const forPeople = await run(service, ["users", "import"], { input: lines({ email: "no" }) });
  assert.match(forPeople.noted, /^line 1: email is missing or not an address/);
  assert.match(forPeople.printed, /0 users are new, 0 were there already, 1 lines were refused/);
});

test("users import reports a known or repeated address and keeps its first password", async (service) => {
  await service.register("here@x.test", "b4l0u");
  const twice = [{ email: "HERE@x.test", hashed_password: HASHES[0] }, { email: "new@x.test" }, {
    email: "NEW@X.test",
  }];
  const { code, result } = await imported(service, lines(...twice));
  assert.deepEqual([code, result.added, result.duplicates], [0, 1, 2]);
  assert.deepEqual(result.left_out.map((each) => [each.line, each.duplicate]), [[1, true], [3, true]]);
  await service.logIn("here@x.test", "b4l0u");
});

test("users import lets the first of equal addresses or ids in, wherever the others stand", async (service) => {
  const id = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const users = Array.from({ length: 120 }, (_, index) => ({ id: id(index), email: `user-${index}@x.test` }));
  // The same user again, another with a taken id, another with a taken address, and one whose only rival was refused.
  users[10] = { ...users[9] };
  users[60] = { ...users[1] };
  users[70] = { id: id(2), email: "other@x.test" };
  users[80] = { id: id(80), email: "user-3@x.test" };
  users[90] = { id: id(80), email: "user-90@x.test" };
  users[119] = { id: id(70), email: "OTHER@x.test" };
  const { result } = await imported(service, lines(...users));
  assert.deepEqual(result.left_out.map((each) => each.line), [11, 61, 71, 81]);
  assert.deepEqual([result.added, result.duplicates, result.refused], [116, 4, 0]);
  const stored = await service.rows("SELECT id, email FROM users ORDER BY id");
  const expected = users.filter((_, index) => ![10, 60, 70, 80].includes(index));
  assert.deepEqual(stored.map((row) => ({ ...row })), expected.toSorted((a, b) => a.id < b.id ? -1 : 1));
});

test("users import makes one statement for many users", async (service) => {
  async function* given(): AsyncGenerator<string> {
    for (let index = 0; index < 1_000; index++) yield JSON.stringify({ email: `user-${index}@x.test` });
  }
  let statements = 0;
  const ignore = service.watch(() => statements++);
  const { added } = await importUsers(service.auth, OPERATOR, given(), {
    verified: true,
    onLeftOut: () => assert.fail(),
  });
  ignore();
  assert.equal(added, 1_000);
  assert.ok(statements <= 100, `${statements} statements`);
});

test("V26: users import ends the registrations that wait for its addresses, and no others", async (service) => {
  for (const email of ["one@x.test", "two@x.test"]) {
    assert.equal((await service.send("POST", "/users", { email, password: "correct horse battery" }))[0], 200);
  }
  await imported(service, lines({ email: "zero@x.test" }, { email: "One@x.test" }), "--verified");
  const waiting = await service.rows("SELECT email_key FROM tokens WHERE purpose = 'register'");
  assert.deepEqual(waiting.map((row) => row.email_key), ["two@x.test"]);
  const asked = await service.rows(
    "SELECT email_key FROM events LEFT JOIN users ON users.id = user_id WHERE type = 'registration_requested'",
  );
  assert.deepEqual(asked.map((row) => row.email_key).sort(), [null, "one@x.test"]);
}, PUBLIC_SETTINGS);

test("S35: users import without --verified proves no address", async (service) => {
  await imported(service, lines({ email: "a@x.test", hashed_password: HASHES[0] }));
  assert.equal((await service.send("POST", "/sessions", { email: "a@x.test", password: PASSWORD }))[0], 401);
}, PUBLIC_SETTINGS);

for (const engine of ENGINES) {
  Deno.test(`users import and export stream thousands of users [${engine}]`, () => streamUsers(engine, 3_000));
}

test("A5: the device of an erased account is unknown to the account that is imported under its id", async (service) => {
  await signUp(service);
  const { device } = await logIn(service);
  const { printed } = await run(service, ["users", "export"]);
  await run(service, ["users", "delete", ANNA, "--yes"]);
  assert.equal((await imported(service, printed)).result.added, 1);
  await logIn(service, ANNA, undefined, { device });
  const [login] = await service.rows<{ details: string }>("SELECT details FROM events WHERE type = 'logged_in'");
  assert.deepEqual(JSON.parse(login.details), { device: "new" });
}, PUBLIC_SETTINGS);
