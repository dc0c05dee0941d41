/**
 * Defaults of a PostgreSQL server or database that differ from those the statements are written for: the isolation
 * level, read-only transactions, the encoding.
 *
 * @module
 */
import assert from "node:assert/strict";
import { moveDatabase } from "../../auth/maintenance/move.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import { DB } from "../../db/db.ts";
import { runSql } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { PGBOUNCER, startPgbouncer } from "../kit/process/pgbouncer.ts";
import { testWith } from "../kit/programs.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const ignore = !ENGINES.includes("postgres");
const FORM = { email: "ada@example.com", password: "correct horse" };
const LEVEL = "SELECT current_setting('transaction_isolation') AS level";

/** An empty database with a setting of its own. */
async function databaseWith(setting: string): Promise<string> {
  const url = await emptyDatabase("postgres");
  await runSql(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${setting}`);
  return url;
}

/** Many logins of one account on two instances: at another level PostgreSQL would cancel most of them. */
async function manyLogins(url: string): Promise<void> {
  await using one = await openService(url);
  await using two = await openService(url);
  assert.deepEqual(await one.auth.db.get(LEVEL), { level: "read committed" });
  assert.deepEqual(await one.auth.db.transaction((tx) => tx.get(LEVEL)), { level: "read committed" });
  assert.deepEqual(await one.auth.db.exclusively((tx) => tx.get(LEVEL)), { level: "read committed" });
  assert.deepEqual(await one.auth.db.snapshot((tx) => tx.get(LEVEL)), { level: "repeatable read" });
  assert.equal(await one.status("POST", "/users", FORM), 200);
  // Without passwords, which have limits of their own. More at once would wait as long as the machine is busy.
  const logins = Array(80).keys();
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    for (const _login of logins) assert.ok(await createSession((index % 2 === 0 ? one : two).auth, FORM.email));
  }));
}

Deno.test("B7: with default_transaction_isolation=serializable everybody logs in", { ignore }, async () => {
  await manyLogins(await databaseWith("default_transaction_isolation = 'serializable'"));
});

testWith(
  [[PGBOUNCER, "--version"], ["test", "-n", Deno.env.get("TEST_DATABASE_URL") ?? ""]],
  "B7: with default_transaction_isolation=serializable everybody logs in behind pgbouncer too",
  async () => {
    const direct = await databaseWith("default_transaction_isolation = 'serializable'");
    await using proxy = await startPgbouncer(direct, 3);
    await manyLogins(`${proxy.url}?pgbouncer=true`);
    // Nothing of ours is left in the proxy's connections, which other programs use too.
    await using other = await DB.open(`${proxy.url}?pgbouncer=true`, { folder: "/tmp" });
    assert.deepEqual(await other.get("SELECT current_setting('default_transaction_isolation') AS level"), {
      level: "serializable",
    });
  },
);

Deno.test(
  "B7: a database that is read-only by default is refused at the start, with what to do",
  { ignore },
  async () => {
    const url = await databaseWith("default_transaction_read_only = on");
    await assert.rejects(openService(url), {
      name: "DatabaseRefused",
      message: /cannot be used: it is read-only by default; ALTER DATABASE … SET default_transaction_read_only = off/,
    });
    await using db = await DB.open(url, { folder: "/tmp" });
    assert.deepEqual(await db.tables(), []);
  },
);

Deno.test("B7: a database in LATIN1 is refused at the start and as the target of a move, with what to do", {
  ignore,
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  const name = `latin_${crypto.randomUUID().replaceAll("-", "")}`;
  await runSql(url.href, `CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const latin = new URL(url);
  latin.pathname = `/${name}`;
  const refused = {
    name: "DatabaseRefused",
    message:
      /cannot be used: its encoding is LATIN1, .* CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and move/,
  };
  try {
    await assert.rejects(openService(latin.href), refused);
    await (await openService(url.href))[Symbol.asyncDispose]();
    await assert.rejects(moveDatabase({ from: url.href, to: latin.href, folder: "/tmp", now: 1 }), refused);
    await using db = await DB.open(latin.href, { folder: "/tmp" });
    assert.deepEqual(await db.tables(), []);
  } finally {
    await runSql(url.href, `DROP DATABASE ${name} WITH (FORCE)`);
  }
});
