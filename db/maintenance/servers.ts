/**
 * Reads how a PostgreSQL installation is made up: its standbys, and where Citus spreads the tables. Must not judge it,
 * nor change anything.
 *
 * @module
 */
import type { DB } from "../db.ts";

/** How Citus places a table: whole on every node, spread over them, or in another way. */
export type Placement = "reference" | "distributed" | "other";

/** What the catalogues say. */
export interface Servers {
  /** Standbys that are connected to the server that answers. */
  standbys: number;
  /** Undefined without the extension, and when its catalogues cannot be read. */
  citus?: Citus;
  /** Why the catalogues of Citus cannot be read. */
  unreadable?: string;
}

/** An installation of Citus, seen from its coordinator. */
export interface Citus {
  /** The tables that Citus knows, by name. A table that it does not know is on the coordinator only. */
  placed: ReadonlyMap<string, Placement>;
  /** The value of `citus.all_modifications_commutative`. */
  isCommutative: boolean;
  /** Each worker, with its connected standbys; undefined when it did not answer. */
  workers: readonly { node: string; standbys: number | undefined }[];
}

// No catalogue is named with its schema, so that a test can put others in front of them.
const STANDBYS = "SELECT count(*) AS count FROM pg_stat_replication";
const EXTENSION = "SELECT extname AS name FROM pg_extension WHERE extname = $1";
const PLACED = `SELECT relname AS name, partmethod AS method, repmodel AS model
  FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid WHERE pg_table_is_visible(pg_class.oid)`;
const SETTING = "SELECT current_setting($1, TRUE) AS value";
const WORKERS = `SELECT nodename AS name, nodeport AS port, CASE WHEN success THEN result END AS result
  FROM run_command_on_workers($1)`;

/** What the catalogues of a PostgreSQL server say; undefined for SQLite. */
export async function serversOf(db: DB): Promise<Servers | undefined> {
  if (db.engine !== "postgres") return undefined;
  const { count: standbys } = (await db.get<{ count: number }>(STANDBYS))!;
  if (!await db.get(EXTENSION, "citus")) return { standbys };
  try {
    return { standbys, citus: await citusOf(db) };
  } catch (error) {
    return { standbys, unreadable: (error as Error).message };
  }
}

async function citusOf(db: DB): Promise<Citus> {
  const placed = await db.all<{ name: string; method: string; model: string }>(PLACED);
  const setting = await db.get<{ value: string | null }>(SETTING, "citus.all_modifications_commutative");
  const workers = await db.all<{ name: string; port: number; result: string | null }>(WORKERS, STANDBYS);
  return {
    placed: new Map(placed.map(({ name, method, model }) => [name, placementOf(method, model)])),
    isCommutative: setting?.value === "on",
    workers: workers.map(({ name, port, result }) => ({
      node: `${name}:${port}`,
      standbys: result === null ? undefined : Number(result),
    })),
  };
}

/** Citus writes "n" for a table without a column of distribution, and "t" for one that is whole on every node. */
function placementOf(method: string, model: string): Placement {
  if (method === "n") return model === "t" ? "reference" : "other";
  return method === "h" ? "distributed" : "other";
}
