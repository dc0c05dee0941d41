/**
 * A database that accepts no writes: a user with a session is accepted, and no failed write is acknowledged.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { validLogin } from "../../auth/sign_in/exercise.ts";
import type { DB } from "../../db/db.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import { createApp } from "../../routes/app.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";

/** A context whose database reads normally and refuses every write, like a full or locked disk. */
function unwritable(auth: Auth): Auth {
  const refuse = () => Promise.reject(new DatabaseUnavailable("refused by the test"));
  const db: DB = new Proxy(auth.db, {
    get: (target, verb) => {
      if (verb === "run" || verb === "transaction") return refuse;
      if (verb === "relaxed") return db;
      return (sql: string, ...values: string[]) => {
        return sql.startsWith("SELECT") ? target[verb as "all"](sql, ...values) : refuse();
      };
    },
  });
  return { ...auth, db };
}

async function ask(auth: Auth, method: string, path: string, form?: Record<string, string>, session?: string) {
  const headers: Record<string, string> = session === undefined ? {} : { cookie: `session_id=${session}` };
  return await createApp(auth).request(path, { method, headers, body: form && new URLSearchParams(form) });
}

async function users(service: Service) {
  return await service.rows("SELECT * FROM users WHERE email_key IN ($1, $2)", EMAIL, "b@x.test");
}

test("F04: F05: F07: a session check answers 200 even when its use cannot be stored", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const session = await service.logIn(EMAIL, "b4l0u");
  const auth = unwritable(service.auth);
  assert.equal((await ask(auth, "GET", "/profile", undefined, session)).status, 200);
  service.clock.now += 3_600_000;
  assert.equal((await ask(auth, "GET", "/profile", undefined, session)).status, 200);
});

test("F07: a session check does not wait until its use is stored", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const session = await service.logIn(EMAIL, "b4l0u");
  service.clock.now += 3_600_000;
  const lock = Promise.withResolvers<void>();
  const noting: Promise<number>[] = [];
  const db: DB = new Proxy(service.auth.db, {
    get: (target, verb) => {
      if (verb === "relaxed") return db;
      if (verb !== "run") return (sql: string, ...values: string[]) => target[verb as "get"](sql, ...values);
      return (sql: string, ...values: string[]) => {
        noting.push(lock.promise.then(() => target.run(sql, ...values)));
        return noting.at(-1);
      };
    },
  });
  assert.equal((await ask({ ...service.auth, db }, "GET", "/profile", undefined, session)).status, 200);
  assert.equal(noting.length, 1);
  const lastSeen = async () => Number((await service.rows("SELECT last_seen_at FROM sessions"))[0].last_seen_at);
  assert.equal(await lastSeen(), service.clock.now - 3_600_000);
  lock.resolve();
  await Promise.all(noting);
  assert.equal(await lastSeen(), service.clock.now);
});

test("F04: F05: a write that cannot be stored answers 503 with Retry-After and leaves no trace", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const session = await service.logIn(EMAIL, "b4l0u");
  const [, asked] = await service.send("POST", "/reset_password", { email: EMAIL });
  const { reset_token } = asked as { reset_token: string };
  const before = await users(service);
  const auth = unwritable(service.auth);
  const requests: [string, string, Record<string, string>?, string?][] = [
    ["POST", "/users", { email: "b@x.test", password: "b4l0u" }],
    ["POST", "/sessions", { email: EMAIL, password: "b4l0u" }],
    ["DELETE", "/sessions", undefined, session],
    ["POST", "/reset_password", { email: EMAIL }],
    ["PUT", "/reset_password", { email: EMAIL, reset_token, new_password: "t4rt1fl3tt3" }],
  ];
  for (const [method, path, form, cookie] of requests) {
    const response = await ask(auth, method, path, form, cookie);
    assert.equal(response.status, 503, `${method} ${path}`);
    assert.equal(response.headers.get("error-code"), "database_unavailable");
    assert.notEqual(response.headers.get("retry-after"), null);
    assert.deepEqual(response.headers.getSetCookie(), [], "no cookie is set or taken away");
  }
  assert.deepEqual(await users(service), before);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200, "the logout was not claimed");
});

test("validLogin throws while guesses cannot be counted", async (service) => {
  await service.register(EMAIL, "b4l0u");
  for (const password of ["b4l0u", "wrong"]) {
    await assert.rejects(validLogin(unwritable(service.auth), EMAIL, password), DatabaseUnavailable);
  }
});
