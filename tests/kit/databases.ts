/**
 * Databases for the tests of both engines. A migration costs five times as much as emptying the tables or copying a
 * file, so only the first test pays for it. No test sees a row, a setting or a changed schema of another one.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
// @ts-types="@types/pg"
import pg from "pg";
import { DB } from "../../db/db.ts";
import { TABLES } from "../../db/maintenance/copy.ts";
import { migrate } from "../../db/migrations.ts";

/** The engines on which every test runs. */
export type Engine = "sqlite" | "postgres";

const server = Deno.env.get("TEST_DATABASE_URL");
/** A folder that the test files of one run share. Without it each file makes its own databases. */
const shared = Deno.env.get("TEST_DATABASES");

/** The engines that this run can reach. */
export const ENGINES: Engine[] = server ? ["sqlite", "postgres"] : ["sqlite"];

/** A database of the server, which one test file has for itself. */
interface Lease {
  /** Its URL; undefined until it is created. */
  url?: string;
  /** What {@linkcode SCHEMA} gave after the migration; undefined when the schema is another one. */
  schema?: string;
}

/** The newest transaction that wrote a row of a catalog. */
const NEWEST = "max(xmin::text::bigint)";

/** Kept open and locked until this test file ends. The next file then uses the same database. */
const lock = server !== undefined && shared !== undefined ? firstFree(shared) : undefined;
let lease: Lease | undefined;
/** The memory's own file system, if there is room: on a disk a test waits for its disk most of the time. */
const MEMORY = roomy("/dev/shm") ? "/dev/shm" : undefined;
let migratedFile: Uint8Array<ArrayBuffer> | undefined;

/** A database without a table: on SQLite a file that does not exist, on PostgreSQL the one of this test file. */
export async function emptyDatabase(engine: Engine): Promise<string> {
  if (engine === "sqlite") return await newFile();
  const held = await leased();
  await using server = await connected(held.url);
  await server.client.query(RESET);
  await dropAll(server.client);
  keep({ url: held.url });
  return held.url;
}

/** A database of today's schema without a row, except the list of migrations. */
export async function migratedDatabase(engine: Engine): Promise<string> {
  if (engine === "postgres") return await migratedPostgres();
  const url = await newFile(MEMORY);
  migratedFile ??= await migrateFile();
  Deno.writeFileSync(url.slice("sqlite:".length), migratedFile, { mode: 0o600 });
  return url;
}

async function newFile(dir?: string): Promise<string> {
  // A file, so that another instance can open it too.
  return `sqlite:${await Deno.makeTempDir({ prefix: "bienvenue-", dir })}/test.db`;
}

/** Whether this folder exists with half a gigabyte left. A container often gives its memory 64 MB. */
function roomy(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 2 ** 29;
  } catch {
    return false;
  }
}

async function migrateFile(): Promise<Uint8Array<ArrayBuffer>> {
  const file = `${shared}/migrated.db`;
  try {
    if (shared !== undefined) return Deno.readFileSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const url = await newFile();
  await migrateNew(url);
  const path = url.slice("sqlite:".length);
  const bytes = Deno.readFileSync(path);
  // Renamed, because another test file must not read one that is half written.
  if (shared !== undefined) Deno.renameSync(path, file);
  Deno.removeSync(dirname(path), { recursive: true });
  return bytes;
}

async function migrateNew(url: string): Promise<void> {
  await using db = await DB.open(url, { folder: "/tmp" });
  await migrate(db, Date.now());
}

async function migratedPostgres(): Promise<string> {
  const { url, schema } = await leased();
  await using server = await connected(url);
  const { client } = server;
  await client.query(RESET);
  if (schema === undefined || schema !== await schemaOf(client)) {
    await dropAll(client);
    await migrateNew(url);
    await makeCopies(client, COPIES);
    keep({ url, schema: await schemaOf(client) });
    return url;
  }
  const { rows: [{ large }] } = await client.query(LARGE);
  if (large) {
    await client.query(`TRUNCATE ${TABLES.map(({ name }) => name).join(", ")}`);
    keep({ url, schema: await schemaOf(client) });
  } else {
    // Those that refer to others first.
    await client.query(TABLES.toReversed().map(({ name }) => `DELETE FROM ${name}`).join("; "));
  }
  return url;
}

/**
 * Ends leftover connections, for example of a killed process, and waits for their end: none may write afterwards. Then
 * forgets the settings of the database.
 */
const RESET = `DO $$ BEGIN
  PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid();
  EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
END $$`;

/**
 * Every change of the schema writes a row of one of these catalogs, in a transaction with a new number, or removes one.
 * Tables and types are told by their content instead, because many tests rename a table and back. Statistics count too:
 * they change plans. Rows of the system itself have lower ids.
 */
const CATALOGS = [
  ["pg_class", "oid", hashed("oid, relname, relnamespace, relowner, relkind, relrowsecurity, relacl, reloptions")],
  ["pg_class", "oid", "sum(reltuples)"],
  ["pg_type", "oid", hashed("oid, typname, typnamespace, typowner, typnotnull, typdefault, typacl")],
  ["pg_attribute", "attrelid", NEWEST],
  ...["pg_attrdef", "pg_constraint", "pg_trigger", "pg_rewrite", "pg_policy", "pg_proc", "pg_namespace"]
    .concat("pg_event_trigger", "pg_extension", "pg_statistic_ext").map((name) => [name, "oid", NEWEST]),
];
const SCHEMA = `SELECT concat_ws(' ', (SELECT string_agg(name, ',' ORDER BY name) FROM migrations), ${
  CATALOGS.map(([name, id, more]) => `(SELECT concat_ws('/', count(*), ${more}) FROM ${name} WHERE ${id} >= 16384)`)
    .join(", ")
}) AS schema`;

/** Whether deleted rows fill so many pages that later tests would get other plans, or become slow. */
const LARGE = `SELECT max(pg_relation_size(oid)) > 65536 AS large FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')`;

/** The state of the schema in short; undefined when a test removed the list of migrations. */
async function schemaOf(client: pg.Client): Promise<string | undefined> {
  try {
    return (await client.query(SCHEMA)).rows[0].schema;
  } catch (error) {
    if ((error as { code?: string }).code === "42P01") return undefined;
    throw error;
  }
}

function hashed(columns: string): string {
  return `sum(hashtextextended(concat_ws(' ', ${columns}), 0))`;
}

async function dropAll(client: pg.Client): Promise<void> {
  await client.query(
    `DROP SCHEMA IF EXISTS ${COPIES} CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public`,
  );
}

/** Of migrated databases only. It takes longer to make than most tests. */
const COPIES = "empty_copies";

/**
 * Makes a connection see copies of the tables that no row ever filled. Those of the migration serve for as long as no
 * test changed the schema.
 */
export async function seeEmptyCopies(client: pg.Client): Promise<void> {
  if (lease?.schema !== undefined && lease.schema === await schemaOf(client)) {
    await client.query(`SET search_path = ${COPIES}`);
    return;
  }
  // The end of the connection removes them.
  await client.query("BEGIN");
  await makeCopies(client, "changed_copies");
  await client.query("SET LOCAL search_path = changed_copies");
}

async function makeCopies(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()");
  const copies = rows.map(({ tablename }) => `CREATE TABLE ${schema}.${tablename} (LIKE ${tablename} INCLUDING ALL);`);
  await client.query(`CREATE SCHEMA ${schema}; ${copies.join(" ")}`);
}

/** This file's database; creates it when no earlier file did. */
async function leased(): Promise<Lease & { url: string }> {
  lease ??= read();
  if (lease.url !== undefined) return { ...lease, url: lease.url };
  const url = new URL(server!);
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await using made = await connected(url.href);
  await made.client.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  keep({ url: url.href });
  return { url: url.href };
}

/** Opened when this module is loaded: in a test, a file that stays open would be a leak. */
function firstFree(folder: string): Deno.FsFile {
  for (let index = 0;; index++) {
    const file = Deno.openSync(`${folder}/${index}.json`, { read: true, write: true, create: true });
    if (file.tryLockSync(true)) return file;
    file.close();
  }
}

function read(): Lease {
  const bytes = new Uint8Array(4_096);
  const length = lock?.readSync(bytes) ?? 0;
  return length === 0 ? {} : JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
}

function keep(kept: Lease): void {
  lease = kept;
  lock?.truncateSync();
  lock?.seekSync(0, Deno.SeekMode.Start);
  lock?.writeSync(new TextEncoder().encode(JSON.stringify(kept)));
}

async function connected(url: string): Promise<AsyncDisposable & { client: pg.Client }> {
  // Allows writes here, even when a test made the database read-only.
  const client = new pg.Client({ connectionString: url, options: "-c default_transaction_read_only=off" });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
