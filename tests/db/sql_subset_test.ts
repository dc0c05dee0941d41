/**
 * The SQL subset of this service (design.md, SQL), which both engines and distributed engines with PostgreSQL's
 * protocol accept. It is a list of allowed words; everything else is refused.
 *
 * @module
 */
import assert from "node:assert/strict";
import { statementsOf } from "../../db/migrations.ts";
import { migrationFiles, sqlTexts, statementsIn } from "../kit/sql_texts.ts";

/** Words of a query. Before you add one, check that all engines have it. */
const QUERY_WORDS = words(
  "SELECT FROM JOIN ON WHERE AND OR NOT IN IS NULL ORDER BY ASC DESC LIMIT OFFSET " +
    "INSERT INTO VALUES CONFLICT DO NOTHING UPDATE SET DELETE RETURNING CASE WHEN THEN ELSE END CAST( AS BIGINT INTEGER MIN( GROUP LIKE ESCAPE",
);
/** Words of a migration. */
const SCHEMA_WORDS = words(
  "CREATE TABLE INDEX IF NOT EXISTS ON TEXT BIGINT PRIMARY KEY UNIQUE NULL REFERENCES DELETE CASCADE " +
    "ALTER ADD COLUMN DEFAULT UPDATE SET SELECT FROM WHERE AND IN COUNT(",
);
/** Reads a foreign program's table once, at an upgrade of a single database, in the words of each engine. */
const UPGRADE = "db/maintenance/classic_table.ts";
/** A move reads and writes whole tables, whose names come from its own list. */
const MOVE = "db/maintenance/copy.ts";
/** The drivers' own statements, word for word; the lock by number is for migrations only. */
const DRIVER_TEXTS: Record<string, string[]> = {
  "db/engines/sqlite.ts": [
    "PRAGMA query_only = ON",
    "PRAGMA cache_size = -${cache}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA data_version",
    "PRAGMA user_version = 0",
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "SELECT name FROM pragma_table_info($1)",
    "SELECT count(*) FROM sqlite_schema",
    "SELECT",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
  ],
  "db/engines/sqlite_file.ts": ["PRAGMA journal_mode = WAL"],
  "db/engines/sqlite_backup.ts": [
    "BEGIN",
    "SELECT count(*) FROM sqlite_schema",
    "ROLLBACK",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = DELETE",
    "BEGIN EXCLUSIVE",
  ],
  "db/maintenance/health.ts": [
    "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now",
    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_check",
  ],
  "db/maintenance/servers.ts": [
    "SELECT count(*) AS count FROM pg_stat_replication",
    "SELECT extname AS name FROM pg_extension WHERE extname = $1",
    "SELECT relname AS name, partmethod AS method, repmodel AS model FROM pg_dist_partition JOIN pg_class ON " +
    "pg_class.oid = logicalrelid WHERE pg_table_is_visible(pg_class.oid)",
    "SELECT current_setting($1, TRUE) AS value",
    "SELECT nodename AS name, nodeport AS port, CASE WHEN success THEN result END AS result " +
    "FROM run_command_on_workers($1)",
  ],
  "db/engines/postgres.ts": [
    "SET default_transaction_isolation = '${LEVEL}'",
    "SELECT current_setting('default_transaction_isolation') AS level",
    "SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,",
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()",
    "SELECT column_name AS name FROM information_schema.columns",
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT};",
    "SET LOCAL lock_timeout = ${EXCLUSIVE_TIMEOUT}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});",
    "SET LOCAL lock_timeout = ${STEP_LOCK_TIMEOUT}",
    "SET LOCAL idle_in_transaction_session_timeout = ${2 * QUERY_TIMEOUT}",
    "SAVEPOINT step",
    "ROLLBACK TO SAVEPOINT step",
    "COMMIT",
    "ROLLBACK",
  ],
};

function words(text: string): Set<string> {
  return new Set(text.split(" "));
}

/** The faults of a statement, one reason each. Lower-case words are names, which both engines let us choose. */
function faults(sql: string, allowed: Set<string>): string[] {
  // Inserted texts come from a list of columns and their placeholders (S14).
  const text = sql.replace(/\$\{(?:where|set|rows|values\.length \+ 1)\}/g, "1");
  const found = [...text.matchAll(/[A-Za-z_]+\(?/g)].map(([word]) => word);
  return [
    ...found.filter((word) => word.endsWith("(") && !allowed.has(word)).map((word) => `the function ${word})`),
    ...found.filter((word) => !word.endsWith("(") && /[A-Z]/.test(word) && !allowed.has(word)).map((word) =>
      `the word ${word}`
    ),
    ...(text.match(/['"`;?:|@#~{}[\]\\]|--|\/\*/g) ?? []).map((sign) => `the sign ${sign}`),
  ];
}

Deno.test("every statement of a query file is in the SQL subset that all engines accept", () => {
  const texts = sqlTexts().filter(({ file }) =>
    !(file in DRIVER_TEXTS) && !["db/migrations.ts", UPGRADE, MOVE].includes(file)
  );
  assert.ok(texts.length >= 15, "the statements were found");
  for (const { file, sql } of texts) assert.deepEqual(faults(sql, QUERY_WORDS), [], `${file}: ${sql}`);
});

Deno.test("the drivers' own statements are exactly the known ones", () => {
  for (const [file, known] of Object.entries(DRIVER_TEXTS)) {
    const unknown = sqlTexts().filter((text) => text.file === file && !known.includes(text.sql));
    assert.deepEqual(unknown, []);
  }
});

Deno.test("every migration is in the SQL subset, with TEXT and BIGINT as its only types", () => {
  const ledger = sqlTexts().filter(({ file, sql }) => file === "db/migrations.ts" && /^CREATE TABLE ./.test(sql));
  assert.equal(ledger.length, 1);
  for (const { file, sql } of [...migrationFiles(), ...ledger]) {
    for (const statement of statementsOf(sql, "postgres")) {
      // A migration binds no values, so it may hold fixed words.
      const text = statement.replace(/;$/, "").replace(/'[a-z_]+'/g, "1");
      assert.deepEqual(faults(text, SCHEMA_WORDS), [], `${file}: ${statement}`);
      if (!statement.startsWith("CREATE TABLE")) continue;
      for (const column of columnsOf(statement)) assert.match(column, /^[a-z_]+ (?:TEXT|BIGINT)(?: |$)/, file);
    }
  }
});

/** The definitions of a table's columns, without its table constraints. */
function columnsOf(statement: string): string[] {
  const inner = statement.slice(statement.indexOf("(") + 1, statement.lastIndexOf(")"));
  const parts = inner.split(/,(?![^(]*\))/).map((part) => part.replace(/\s+/g, " ").trim());
  const columns = parts.filter((part) => !/^(?:PRIMARY KEY|UNIQUE) \(/.test(part));
  assert.ok(columns.length > 0, statement);
  return columns;
}

Deno.test("the queries of migrations.ts are in the SQL subset too", () => {
  const queries = sqlTexts().filter(({ file, sql }) => file === "db/migrations.ts" && !/^CREATE/.test(sql));
  assert.ok(queries.length >= 2);
  for (const { sql } of queries) assert.deepEqual(faults(sql, QUERY_WORDS), [], sql);
});

const OUTSIDE = [
  "LISTEN sessions",
  "NOTIFY sessions",
  "SELECT pg_advisory_lock(1)",
  "SELECT nextval('users_id')",
  "SELECT * FROM users WHERE email_key = lower($1)",
  "SELECT * FROM users WHERE email ILIKE $1",
  "SELECT * FROM users WHERE id = $1 FOR UPDATE",
  "SELECT * FROM users WHERE id = $1::uuid",
  "SELECT email || $1 FROM users",
  "SELECT * FROM users WHERE email = 'a@x.test'",
  "SELECT * FROM users WHERE id = ?",
  "SELECT * FROM users WHERE id = ${id}",
  "INSERT OR REPLACE INTO users (id) VALUES ($1)",
  "SELECT id FROM users; DROP TABLE users",
  "UPDATE users SET updated_at = now() WHERE id = $1",
];
const OUTSIDE_SCHEMA = [
  "CREATE SEQUENCE users_id",
  "CREATE TRIGGER t BEFORE UPDATE ON users EXECUTE FUNCTION f()",
  "CREATE TABLE a (id SERIAL PRIMARY KEY)",
  "CREATE TABLE a (id BIGINT GENERATED ALWAYS AS IDENTITY)",
  "CREATE TABLE a (id UUID PRIMARY KEY)",
  "CREATE TABLE a (at TIMESTAMPTZ NOT NULL)",
  "CREATE TABLE a (flag BOOLEAN)",
  "CREATE TABLE a (id INTEGER)",
  "CREATE INDEX i ON users (lower(email))",
  "CREATE EXTENSION citext",
];

Deno.test("the check finds statements outside the SQL subset", () => {
  for (const sql of OUTSIDE) assert.notDeepEqual(faults(sql, QUERY_WORDS), [], sql);
  for (const sql of OUTSIDE_SCHEMA) assert.notDeepEqual(faults(sql, SCHEMA_WORDS), [], sql);
});

Deno.test("statements are found in quotes and backticks, over several lines, and not in comments", () => {
  const source = [
    "/** SELECT nothing. */",
    '// "SELECT not_this"',
    'const a = "SELECT one";',
    "const b = `DELETE FROM two",
    "   WHERE id = $1`;",
    'const c = "Sets nothing";',
    'throw new Error("SELECTED is no word of SQL");',
  ].join("\n");
  assert.deepEqual(statementsIn(source), ["SELECT one", "DELETE FROM two WHERE id = $1"]);
});
