/**
 * The PostgreSQL driver: values, errors and transactions as the rest of the service needs them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DB } from "../../db/db.ts";
import { DatabaseRefused, UniqueViolation } from "../../db/errors.ts";
import { openService } from "../kit/opened_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const ignore = !ENGINES.includes("postgres");

async function open(): Promise<{ url: string; db: DB } & AsyncDisposable> {
  const url = await emptyDatabase("postgres");
  const db = await DB.open(url, { folder: "/tmp" });
  return { url, db, [Symbol.asyncDispose]: () => db.close() };
}

Deno.test("on PostgreSQL a BIGINT is read as a number, up to 2^53 - 1", { ignore }, async () => {
  await using opened = await open();
  await opened.db.run("CREATE TABLE times (at BIGINT NOT NULL)");
  await opened.db.run("INSERT INTO times (at) VALUES ($1)", Number.MAX_SAFE_INTEGER);
  const row = await opened.db.get("SELECT at, (SELECT count(*) FROM times) AS count FROM times");
  assert.deepEqual(row, { at: 9_007_199_254_740_991, count: 1 });
});

Deno.test("a violated unique key is recognised by its code, whatever the server's language", {
  ignore,
}, async () => {
  await using opened = await open();
  await opened.db.run("CREATE TABLE names (name TEXT PRIMARY KEY)");
  await opened.db.run("INSERT INTO names (name) VALUES ($1)", "ada");
  await assert.rejects(opened.db.run("INSERT INTO names (name) VALUES ($1)", "ada"), UniqueViolation);
  const inside = opened.db.transaction((db) => db.run("INSERT INTO names (name) VALUES ($1)", "ada"));
  await assert.rejects(inside, UniqueViolation);
});

Deno.test("a transaction with a failed statement is never acknowledged, even when its work continues", {
  ignore,
}, async () => {
  await using opened = await open();
  await opened.db.run("CREATE TABLE names (name TEXT PRIMARY KEY)");
  const work = opened.db.transaction(async (db) => {
    await db.run("INSERT INTO names (name) VALUES ($1)", "ada");
    await db.run("INSERT INTO names (name) VALUES ($1)", "ada").catch(() => {});
    return "done";
  });
  await assert.rejects(work, UniqueViolation);
  assert.deepEqual(await opened.db.all("SELECT name FROM names"), []);
});

Deno.test("a statement that runs after its transaction ended is refused and not stored", { ignore }, async () => {
  await using opened = await open();
  await opened.db.run("CREATE TABLE names (name TEXT PRIMARY KEY)");
  let late: Promise<unknown> | undefined;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const work = opened.db.transaction((db) => {
    late = ended.then(() => db.run("INSERT INTO names (name) VALUES ($1)", "late"));
    throw new TypeError("a rule says no");
  });
  await assert.rejects(work, TypeError);
  resolve();
  await assert.rejects(late!, /has ended/);
  assert.deepEqual(await opened.db.all("SELECT name FROM names"), []);
});

Deno.test("transactions that deadlock are repeated, and all are stored", { ignore }, async () => {
  await using opened = await open();
  const { db } = opened;
  await db.run("CREATE TABLE counters (name TEXT PRIMARY KEY, count BIGINT NOT NULL)");
  await db.run("INSERT INTO counters (name, count) VALUES ('a', 0), ('b', 0)");
  const both = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  const add = (first: "a" | "b", second: "a" | "b"): Promise<number> =>
    db.transaction(async (tx) => {
      await tx.run("UPDATE counters SET count = count + 1 WHERE name = $1", first);
      both[first].resolve();
      await both[second].promise;
      return await tx.run("UPDATE counters SET count = count + 1 WHERE name = $1", second);
    });
  await Promise.all([add("a", "b"), add("b", "a")]);
  assert.deepEqual(await db.all("SELECT name, count FROM counters ORDER BY name"), [
    { name: "a", count: 2 },
    { name: "b", count: 2 },
  ]);
});

Deno.test("a column added by a newer instance breaks no request of an older one", { ignore }, async () => {
  const url = await emptyDatabase("postgres");
  await using older = await openService(url);
  const form = { email: "ada@example.com", password: "correct horse" };
  assert.equal(await older.status("POST", "/users", form), 200);
  // As many connections as the pool has, each with the statement prepared.
  await Promise.all(Array.from({ length: 20 }, () => older.status("POST", "/reset_password", form)));
  const newer = await DB.open(url, { folder: "/tmp" });
  await newer.exclusively((tx) => tx.run("ALTER TABLE users ADD COLUMN nickname TEXT"));
  await newer.exclusively((tx) => tx.run("ALTER TABLE tokens ADD COLUMN nickname TEXT"));
  await newer.close();
  const statuses = await Promise.all(Array.from({ length: 20 }, () => older.status("POST", "/reset_password", form)));
  assert.deepEqual(new Set(statuses), new Set([200]));
  const { reset_token } = await (await older.send("POST", "/reset_password", form)).json();
  const update = { email: form.email, reset_token, new_password: "another horse" };
  assert.equal(await older.status("PUT", "/reset_password", update), 200);
  await older.logIn(form.email, "another horse");
});

Deno.test("a worker has ten connections, and the workers of a process share at most forty", { ignore }, async () => {
  for (const [workers, most] of [[undefined, 10], [2, 10], [8, 5], [16, 2], [64, 2]] as const) {
    await using db = await DB.open(await emptyDatabase("postgres"), { folder: "/tmp", workers });
    await Promise.all(Array.from({ length: 40 }, () => db.get("SELECT pg_sleep(0.02)")));
    const count = await db.get<{ count: number }>(
      "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database()",
    );
    assert.equal(count!.count, most, `${workers} workers`);
  }
});

Deno.test("an unreachable server refuses the start with a message without the password", { ignore }, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await assert.rejects(
    DB.open(`postgres://ada:s3cret@127.0.0.1:${port}/app`, { folder: "/tmp" }),
    (error: Error) => {
      assert.ok(error instanceof DatabaseRefused);
      assert.match(error.message, /^postgres:\/\/127\.0\.0\.1:\d+\/app cannot be reached: .*ECONNREFUSED/);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    },
  );
});

Deno.test("a server that accepts connections and never answers refuses the start", { ignore }, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await assert.rejects(
    DB.open(`postgres://ada@127.0.0.1:${port}/app`, { folder: "/tmp" }),
    (error: Error) => error instanceof DatabaseRefused && /cannot be reached: .*time/.test(error.message),
  );
});
