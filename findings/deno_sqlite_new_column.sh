#!/usr/bin/env bash
# Deno 2.9.6, node:sqlite: `StatementSync.all()` takes the column names before its first step. When another connection
# has added a column since, the first answer of `SELECT *` lacks it, although SQLite prepares the statement anew and
# the row has it. The second answer is right, and so is `get()` from the first time on. Who meets it: a service whose
# reading connection is open while another one migrates. What helps: any statement on that connection in between.
# Seen on 2026-11-28 with deno@2.9.6 of npm on Linux; the lines after EXPECTED are what it printed.
# Needs bash, Node and npm. Fails when the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-package-lock deno@2.9.6 </dev/null

cat >columns.ts <<'END'
import { DatabaseSync } from "node:sqlite";
const columns = (row: unknown) => Object.keys(row as object).join(",");
for (const way of ["all", "get"] as const) {
  const file = `${way}.db`;
  const writer = new DatabaseSync(file), reader = new DatabaseSync(file);
  writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE people (id INTEGER); INSERT INTO people VALUES (1)");
  reader.prepare("SELECT id FROM people").all();
  writer.exec("ALTER TABLE people ADD COLUMN name TEXT");
  const statement = reader.prepare("SELECT * FROM people");
  const answer = () => columns(way === "all" ? statement.all()[0] : statement.get());
  console.log(`${way}: ${answer()} then ${answer()}`);
}
END
node_modules/.bin/deno run --allow-read --allow-write columns.ts | tee seen
diff seen - <<'EXPECTED'
all: id then id,name
get: id,name then id,name
EXPECTED
