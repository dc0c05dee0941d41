/**
 * Values that would be SQL if they were not bound: they are data in every field and cookie, and no column name comes
 * from a request.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findUserBy, updateUser } from "../../db/users.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";

const CORPUS = [
  "'",
  "''",
  '"',
  "`",
  "\\",
  "\\'",
  ";",
  "--",
  "/*",
  "#",
  "%",
  "_",
  "$1",
  "?1",
  ":name",
  "@name",
  "' OR '1'='1",
  "' OR 1=1--",
  '" OR ""="',
  "' OR TRUE -- -",
  "1 OR 1=1",
  "bob@example.com'--",
  "bob@example.com' OR 'a'='a",
  "x'; DROP TABLE users;--",
  "x'); DELETE FROM sessions; --",
  "'; UPDATE users SET hashed_password = NULL; --",
  "' UNION SELECT email, hashed_password FROM users--",
  "' AND (SELECT pg_sleep(5)) IS NULL--",
  "'||(SELECT hashed_password FROM users LIMIT 1)||'",
  "' AND randomblob(500000000)--",
  "$$; DROP TABLE users; $$",
  "E'\\\\x27 OR 1=1",
  "\u02bc OR 1=1--",
  "\uff07 OR 1=1--",
  "%27 OR 1=1--",
  "NULL",
  "users",
  "*",
];

function snapshot(service: Service): Promise<unknown[][]> {
  return Promise.all(["users", "sessions", "tokens"].map((table) => service.rows(`SELECT * FROM ${table}`)));
}

test("S14: SQL in the fields of login, reset and new password is data, and changes no row", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.logIn(EMAIL, PASSWORD);
  const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
    number,
    Record<string, string>,
  ];
  const before = await snapshot(service);
  const login = { email: EMAIL, password: PASSWORD };
  const update = { email: EMAIL, reset_token, new_password: "n3w" };
  for (const text of CORPUS) {
    const cases: [number, string, string, Record<string, string>][] = [
      [401, "POST", "/sessions", { ...login, email: text }],
      [401, "POST", "/sessions", { ...login, email: `${text}@example.com` }],
      [401, "POST", "/sessions", { ...login, email: EMAIL + text }],
      [401, "POST", "/sessions", { ...login, password: text }],
      [401, "POST", "/sessions", { ...login, password: PASSWORD + text }],
      [403, "POST", "/reset_password", { email: text }],
      [403, "POST", "/reset_password", { email: EMAIL + text }],
      [403, "PUT", "/reset_password", { ...update, email: text }],
      [403, "PUT", "/reset_password", { ...update, reset_token: text }],
      [403, "PUT", "/reset_password", { ...update, reset_token: reset_token + text }],
      [403, "PUT", "/reset_password", { ...update, reset_token: text.padEnd(43, "x").slice(0, 43) }],
    ];
    for (const [status, method, path, form] of cases) {
      assert.equal((await service.send(method, path, form))[0], status, `${method} ${path} ${JSON.stringify(form)}`);
    }
  }
  assert.deepEqual(await snapshot(service), before);
}, { THROTTLE: "observe" });

test("S14: SQL in cookies, headers, queries and field names changes no row", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.logIn(EMAIL, PASSWORD);
  const before = await snapshot(service);
  for (const text of CORPUS) {
    const plain = text.replace(/[^\x20-\x7e]/g, "");
    for (const value of [plain, plain.padEnd(43, "x").slice(0, 43), encodeURIComponent(text)]) {
      const headers = { cookie: `session_id=${value}`, "x-request-id": value };
      assert.equal((await service.request("GET", "/profile", { headers })).status, 403, value);
      assert.equal((await service.request("DELETE", "/sessions", { headers })).status, 403, value);
    }
    const query = `?session_id=${encodeURIComponent(text)}`;
    assert.equal((await service.request("GET", `/profile${query}`)).status, 403, text);
    assert.equal((await service.send("POST", "/reset_password", { [`email${text}`]: EMAIL }))[0], 400, text);
  }
  assert.deepEqual(await snapshot(service), before);
});

test("S14: SQL as a password or user agent is stored as text and changes no other row", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const [index, text] of CORPUS.entries()) {
    const email = `user${index}@example.com`;
    await service.register(email, text);
    const headers = { "user-agent": text.replace(/[^\x20-\x7e]/g, "") };
    const login = await service.request("POST", "/sessions", { form: { email, password: text }, headers });
    assert.equal(login.status, 200, text);
    const [row] = await service.rows(
      "SELECT user_agent FROM sessions JOIN users ON users.id = user_id WHERE email = $1",
      email,
    );
    assert.equal(row.user_agent, headers["user-agent"].trim());
  }
  const [{ count }] = await service.rows<{ count: number }>("SELECT count(*) AS count FROM users");
  assert.equal(count, CORPUS.length + 1);
  await service.logIn(EMAIL, PASSWORD);
});

test("S14: an unknown column is an error and never part of a statement", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [before] = await service.rows("SELECT * FROM users");
  const { db } = service.auth;
  for (const name of [...CORPUS, "hashed_password", "1=1) OR (email_key", "id = id --", "constructor", "__proto__"]) {
    const key = Object.fromEntries([[name, "x"]]) as Record<"id", string>;
    await assert.rejects(async () => await findUserBy(db, key), TypeError, name);
  }
  for (const name of [...CORPUS, "id", "created_at", "email = email --", "constructor", "__proto__"]) {
    const change = Object.fromEntries([[name, "x"]]) as Record<"email", string>;
    await assert.rejects(updateUser(db, String(before.id), change), TypeError, name);
  }
  assert.deepEqual(await service.rows("SELECT * FROM users"), [before]);
});
