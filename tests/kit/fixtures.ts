/**
 * Databases of earlier versions, as plain SQL in `tests/fixtures/`. Must not use today's code to make one.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
// @ts-types="@types/pg"
import pg from "pg";
import { emptyDatabase, type Engine, ordered } from "./service.ts";

/** Makes a database from the fixture of this name and returns its URL. */
export async function fixtureDatabase(engine: Engine, name: string): Promise<string> {
  const url = await emptyDatabase(engine);
  await runSql(url, Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/${name}.${engine}.sql`));
  return url;
}

/** Runs statements on a database over a separate connection. */
export async function runSql(url: string, sql: string): Promise<void> {
  if (url.startsWith("sqlite:")) {
    using database = new DatabaseSync(url.slice("sqlite:".length), { timeout: 5_000 });
    return database.exec(sql);
  }
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** The rows of a statement, read over a separate connection. */
export async function rowsOf<T = Record<string, string | number | null>>(url: string, sql: string): Promise<T[]> {
  if (url.startsWith("sqlite:")) {
    using database = new DatabaseSync(url.slice("sqlite:".length), { timeout: 5_000 });
    return ordered(sql, database.prepare(sql).all().map((row) => ({ ...row })) as T[]);
  }
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return ordered(sql, rows);
}
