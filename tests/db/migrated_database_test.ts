/**
 * The databases that tests get: each is as a migration made it, whatever the test before did to its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
// @ts-types="@types/pg"
import pg from "pg";
import { MIGRATIONS } from "../../db/migrations.ts";
import { TABLES } from "../../db/maintenance/copy.ts";
import { ENGINES, migratedDatabase } from "../kit/databases.ts";
import { rowsOf, runSql } from "../kit/fixtures.ts";

/** Everything of a PostgreSQL database that a test could meet. */
const STATE =
  `SELECT concat_ws('.', table_schema, table_name, column_name, data_type, is_nullable, column_default) AS it
    FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 16384
  UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT proname FROM pg_proc WHERE oid > 16384
  UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_temp|^pg_toast'
  UNION ALL SELECT 'statistics of ' || tablename FROM pg_stats WHERE schemaname = 'public'
  UNION ALL SELECT relname || ' ' || reltuples FROM pg_class WHERE relnamespace = 'public'::regnamespace AND reltuples > 0
  UNION ALL SELECT name FROM migrations
  UNION ALL SELECT name || '=' || setting FROM pg_settings WHERE source = 'database'
  ORDER BY 1`;

const KEY = "INSERT INTO keys (id, purpose, secret, created_at) VALUES ('i', 'p', 's', 1)";
/** What tests do to a database. */
const DEEDS: Record<string, string> = {
  "writes a row": KEY,
  "writes many rows": "INSERT INTO keys (id, purpose, secret, created_at) " +
    "SELECT n::text, 'p', repeat('s', 100), 1 FROM generate_series(1, 5000) n",
  "adds a column": "ALTER TABLE users ADD COLUMN more TEXT",
  "removes a column": "ALTER TABLE users DROP COLUMN name",
  "removes an index": "DO $$ BEGIN EXECUTE (SELECT 'DROP INDEX ' || indexname FROM pg_indexes " +
    "WHERE schemaname = 'public' AND indexdef NOT LIKE '%UNIQUE%' LIMIT 1); END $$",
  "adds a constraint": "ALTER TABLE users ADD CHECK (name <> 'x')",
  "adds a trigger": "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; " +
    "CREATE TRIGGER stop BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION stop()",
  "adds a table": "CREATE TABLE more (id TEXT)",
  "removes a table": "DROP TABLE form_posts",
  "forgets a migration": "DELETE FROM migrations WHERE name LIKE '0013%'",
  "invents a migration": "INSERT INTO migrations (name, applied_at) VALUES ('9999', 1)",
  "removes the list of migrations": "DROP TABLE migrations",
  "removes everything": "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
  "makes statistics": `${KEY}; ANALYZE keys`,
  "makes the database read-only": "DO $$ BEGIN EXECUTE format(" +
    "'ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
};

async function rowCounts(url: string): Promise<number[]> {
  const counts = TABLES.map(({ name }) => rowsOf<{ count: number }>(url, `SELECT COUNT(*) AS count FROM ${name}`));
  return (await Promise.all(counts)).map(([{ count }]) => Number(count));
}

for (const engine of ENGINES) {
  Deno.test(`a migrated database has every migration and no row [${engine}]`, async () => {
    for (let time = 0; time < 2; time++) {
      const url = await migratedDatabase(engine);
      assert.deepEqual(await rowCounts(url), TABLES.map(() => 0));
      const names = (await rowsOf(url, "SELECT name FROM migrations ORDER BY name")).map(({ name }) => name);
      assert.deepEqual(names, MIGRATIONS.map(({ name }) => name));
      await runSql(url, KEY);
      if (engine === "sqlite") await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
    }
  });
}

for (const [deed, sql] of Object.entries(DEEDS)) {
  Deno.test(`a test that ${deed} leaves nothing of it to the next`, { ignore: ENGINES.length === 1 }, async () => {
    const before = await rowsOf(await migratedDatabase("postgres"), STATE);
    const url = await migratedDatabase("postgres");
    await runSql(url, sql);
    const after = await migratedDatabase("postgres");
    assert.deepEqual(await rowsOf(after, STATE), before);
    assert.deepEqual(await rowCounts(after), TABLES.map(() => 0));
  });
}

Deno.test("a connection that a test left open is ended, and none of its work arrives", {
  ignore: ENGINES.length === 1,
}, async () => {
  const left = new pg.Client(await migratedDatabase("postgres"));
  const ended = Promise.withResolvers<void>();
  left.on("error", () => ended.resolve());
  await left.connect();
  await left.query(`BEGIN; ${KEY}`);
  const url = await migratedDatabase("postgres");
  await ended.promise;
  await assert.rejects(left.query("COMMIT"));
  await left.end().catch(() => {});
  assert.deepEqual(await rowCounts(url), TABLES.map(() => 0));
});
