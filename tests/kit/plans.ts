/**
 * Asks an engine for the plan of each statement, and refuses a plan that reads a whole table.
 *
 * @module
 */
import assert from "node:assert/strict";
// @ts-types="@types/pg"
import pg from "pg";
import type { DB } from "../../db/db.ts";
import { seeEmptyCopies } from "./databases.ts";

const seen = new Set<string>();

/** The statements that this file's tests have checked on an engine so far. */
export function shownTo(engine: string): string[] {
  return [...seen].filter((text) => text.startsWith(engine)).map((text) => text.slice(engine.length));
}

/** Fails when a statement scans a table. Checks each text once per test file and engine. */
export async function assertNoScan(engine: string, url: string, db: DB, statements: Set<string>): Promise<void> {
  const fresh = [...statements].filter((sql) =>
    /^(?:SELECT|INSERT|UPDATE|DELETE)/.test(sql) && !seen.has(engine + sql)
  );
  for (const sql of fresh) seen.add(engine + sql);
  if (fresh.length === 0) return;
  const scans = engine === "sqlite" ? await sqliteScans(db, fresh) : await postgresScans(url, fresh);
  assert.deepEqual(scans, [], "statements that scan a table");
}

/** The statements that scan a table on SQLite, each with the line of its plan. */
export async function sqliteScans(db: DB, statements: string[]): Promise<string[]> {
  const scans: string[] = [];
  for (const sql of statements) {
    const plan = await db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
    const bad = plan.map((row) => row.detail).filter((line) => /^SCAN (?!CONSTANT ROW|\d+-ROW VALUES)/.test(line));
    if (bad.length > 0) scans.push(`${sql}: ${bad.join("; ")}`);
  }
  return scans;
}

/** The statements that scan a table on PostgreSQL even with generic plans and with sequential scans off. */
export async function postgresScans(url: string, statements: string[]): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan");
    // Once PostgreSQL has statistics of a table with one row, reading a whole index costs as little as a lookup, and the
    // planner may choose either.
    await seeEmptyCopies(client);
    const leading = await leadingColumns(client);
    const scans: string[] = [];
    for (const [index, sql] of statements.entries()) {
      await client.query(`PREPARE p${index} AS ${sql}`);
      const count = new Set(sql.match(/\$\d+/g)).size;
      const values = Array(count).fill("NULL").join(", ");
      const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE p${index}${count > 0 ? `(${values})` : ""}`);
      const bad = nodesOf(rows[0]["QUERY PLAN"][0].Plan).filter((node) => isScan(node, leading));
      if (bad.length > 0) scans.push(`${sql}: ${bad.map((node) => node["Node Type"]).join("; ")}`);
    }
    return scans;
  } finally {
    await client.end();
  }
}

interface PlanNode {
  "Node Type": string;
  "Index Name"?: string;
  "Index Cond"?: string;
  Plans?: PlanNode[];
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** The first column of every index: a condition on a later column alone makes PostgreSQL read the whole index. */
async function leadingColumns(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query(
    `SELECT relname AS index, attname AS "column" FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]`,
  );
  return new Map(rows.map((row: { index: string; column: string }) => [row.index, row.column]));
}

function isScan(node: PlanNode, leading: Map<string, string>): boolean {
  const type = node["Node Type"];
  if (!/^(?:Bitmap )?Index (?:Only )?Scan$/.test(type)) return type === "Seq Scan";
  // Only the lower part of a bitmap heap scan names an index and its condition.
  const column = leading.get(node["Index Name"] ?? "");
  return column === undefined || !new RegExp(`\\b${column}\\b`).test(node["Index Cond"] ?? "");
}
