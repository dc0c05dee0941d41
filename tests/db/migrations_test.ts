/**
 * The migrations, from an empty database to the current schema: each runs once, completely and in order.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { DB } from "../../db/db.ts";
import { DatabaseRefused } from "../../db/errors.ts";
import { migrate, type Migration, MIGRATIONS, statementsOf } from "../../db/migrations.ts";
import { emptyDatabase, type Engine, ENGINES, testConfig } from "../kit/service.ts";
import { migrationFiles } from "../kit/sql_texts.ts";

const NAMES = MIGRATIONS.map((migration) => migration.name);
const NEXT: Migration = {
  name: "9999_next",
  sql: "CREATE TABLE next (id TEXT PRIMARY KEY, at BIGINT);\n\nCREATE INDEX next_at ON next (at);\n",
};

/** Runs a test on each engine with connections to one database that has no schema yet. */
function onEmpty(name: string, work: (dbs: DB[], engine: Engine, url: string) => Promise<void>): void {
  for (const engine of ["sqlite", "postgres"] as const) {
    Deno.test(`${name} [${engine}]`, { ignore: !ENGINES.includes(engine) }, async () => {
      const url = await emptyDatabase(engine);
      const dbs: DB[] = [];
      try {
        for (let count = 0; count < 4; count++) dbs.push(await DB.open(url, { folder: "/tmp" }));
        await work(dbs, engine, url);
      } finally {
        for (const db of dbs) await db.close();
        if (engine === "sqlite") await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
      }
    });
  }
}

async function remembered(db: DB): Promise<string[]> {
  const rows = await db.all<{ name: string }>("SELECT name FROM migrations ORDER BY name");
  return rows.map((row) => row.name);
}

onEmpty("every migration is applied once, in order, and recorded by name", async ([db, other]) => {
  assert.deepEqual(await migrate(db, 17), NAMES);
  assert.deepEqual(await remembered(db), NAMES);
  assert.deepEqual(await db.get("SELECT DISTINCT applied_at FROM migrations").then((row) => row?.applied_at), 17);
  assert.deepEqual(await migrate(db, 18), []);
  assert.deepEqual(await migrate(other, 18), []);
});

onEmpty("a new migration is applied to a used database and keeps its rows", async ([db]) => {
  await migrate(db, 1);
  await db.run("INSERT INTO keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4)", "k", "code", "s", 1);
  assert.deepEqual(await migrate(db, 2, [...MIGRATIONS, NEXT]), [NEXT.name]);
  assert.equal((await db.get("SELECT secret FROM keys WHERE id = $1", "k"))?.secret, "s");
  await db.run("INSERT INTO next (id, at) VALUES ($1, $2)", "a", 2 ** 40);
});

onEmpty("F19: instances that migrate at once apply each migration only once", async (dbs) => {
  const applied = await Promise.all(dbs.map((db) => migrate(db, 1)));
  assert.deepEqual(applied.flat().sort(), NAMES);
  assert.deepEqual(await remembered(dbs[0]), NAMES);
});

onEmpty("F20: a failed migration leaves no change, and succeeds once it is corrected", async ([db]) => {
  const broken = { ...NEXT, sql: NEXT.sql + "CREATE INDEX oops ON nowhere (at);\n" };
  await assert.rejects(migrate(db, 1, [...MIGRATIONS, broken]));
  assert.deepEqual(await remembered(db), NAMES);
  await assert.rejects(db.run("INSERT INTO next (id, at) VALUES ($1, $2)", "a", 1));
  assert.deepEqual(await migrate(db, 1, [...MIGRATIONS, NEXT]), [NEXT.name]);
});

onEmpty(
  "F20: the program refuses a database that is newer than itself, with a message, and changes nothing",
  async (dbs, _engine, url) => {
    const [db] = dbs;
    await migrate(db, 1, [...MIGRATIONS.slice(0, -1), NEXT]);
    const sentence =
      "the database is newer than this program (it has 9999_next); start the newer program, or restore a backup";
    await assert.rejects(migrate(db, 1), (error) => error instanceof DatabaseRefused && error.message === sentence);
    assert.deepEqual(await remembered(db), [...NAMES.slice(0, -1), NEXT.name]);
    const log = { write: () => {}, writeRequest: () => {}, flush: () => {} };
    await assert.rejects(openAuth(testConfig({ DATABASE_URL: url }), { folder: "/tmp", log }), { message: sentence });
  },
);

onEmpty("the start of the service migrates an empty database to the current schema", async ([db], _engine, url) => {
  const log = { write: () => {}, writeRequest: () => {}, flush: () => {} };
  await closeAuth(await openAuth(testConfig({ DATABASE_URL: url }), { folder: "/tmp", log }));
  assert.deepEqual(await remembered(db), NAMES);
});

onEmpty("a text in a time column, and a row without its owner, are refused", async ([db]) => {
  await migrate(db, 1);
  const add =
    "INSERT INTO tokens (purpose, subject, secret_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
  await assert.rejects(db.run(add, "reset", "a", "b", null, 1, "soon"));
  await assert.rejects(db.run(add, "reset", "a", "b", "nobody", 1, 2));
  assert.equal(await db.run(add, "reset", "a", "b", null, 1, 2), 1);
});

Deno.test("MIGRATIONS lists every file of the folder, ordered by name", () => {
  assert.deepEqual(
    MIGRATIONS.map(({ name, sql }) => ({ file: `${name}.sql`, sql })),
    migrationFiles(),
  );
  assert.deepEqual(NAMES, NAMES.toSorted());
  for (const name of NAMES) assert.match(name, /^\d{4}_[a-z_]+$/);
});

Deno.test("for SQLite only two things are changed: BIGINT, and STRICT after each table", () => {
  for (const { name, sql } of MIGRATIONS) {
    const [postgres, sqlite] = [statementsOf(sql, "postgres"), statementsOf(sql, "sqlite")];
    assert.equal(postgres.join("\n").includes("INTEGER"), false, name);
    const count = (texts: string[], word: RegExp) => texts.join("\n").match(word)?.length ?? 0;
    assert.equal(count(sqlite, /\bINTEGER\b/g), count(postgres, /\bBIGINT\b/g), name);
    assert.equal(count(sqlite, /BIGINT/g), 0, name);
    assert.equal(count(sqlite, /STRICT/g), count(postgres, /\bCREATE TABLE\b/g), name);
    assert.equal(count(sqlite, /\) STRICT$/gm), count(postgres, /\bCREATE TABLE\b/g), name);
    // After undoing these two changes the texts are equal, so there is no third change.
    const back = sqlite.map((text) => text.replaceAll("INTEGER", "BIGINT").replace(/ STRICT$/, ""));
    assert.deepEqual(back, postgres, name);
  }
});

Deno.test("PostgreSQL gets the statements of the file unchanged, without comments", () => {
  for (const { file, sql } of migrationFiles()) {
    const plain = sql.replace(/^--.*\n/gm, "");
    assert.equal(plain.includes("--"), false, `${file}: comments stand on lines of their own`);
    assert.equal(statementsOf(sql, "postgres").map((text) => `${text};\n`).join("\n"), plain, file);
  }
});
