/**
 * Checks a database for the operator: its content, its clock, its files. Must not repair anything. Must not be called
 * for a request: it reads every row.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { DB } from "../db.ts";
import type { Row } from "../engines/driver.ts";
import { sqliteFile } from "../engines/sqlite_file.ts";

const MOST_FAULTS = 10;
/** SQL for the engine's time. The two dialects have no expression in common. */
const CLOCK = {
  sqlite: "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now",
  postgres: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
};

/** Up to ten faults that SQLite finds, one sentence each. Undefined for PostgreSQL: its own tools check. */
export async function faultsOf(db: DB): Promise<string[] | undefined> {
  if (db.engine !== "sqlite") return undefined;
  try {
    const pages = (await db.all<{ integrity_check: string }>("PRAGMA integrity_check")).map((row) =>
      row.integrity_check
    );
    const faults = pages.filter((line) => line !== "ok");
    const orphans = await db.all<Row>("PRAGMA foreign_key_check");
    faults.push(...orphans.map((row) => `a row of ${row.table} refers to a row of ${row.parent} that is not there`));
    return [...new Set(faults)].slice(0, MOST_FAULTS);
  } catch (error) {
    // A damaged page can make the check itself fail.
    return [(error as Error).message];
  }
}

/** The engine's time, in milliseconds since 1970. */
export async function clockOf(db: DB): Promise<number> {
  return (await db.get<{ now: number }>(CLOCK[db.engine]))!.now;
}

/** A file or folder and its access rights. */
interface FileState {
  path: string;
  /** The lower nine bits: who may read, write and enter. */
  mode: number;
}

/** The existing folder and files of a SQLite database. Empty for other databases and outside Unix. */
export function filesOf(url: string, folder: string): FileState[] {
  const file = url.startsWith("sqlite:") ? sqliteFile(url, folder, true) : ":memory:";
  if (file === ":memory:") return [];
  return [dirname(file), file, `${file}-wal`, `${file}-shm`].flatMap((path) => {
    const mode = modeOf(path);
    return mode === null || mode === undefined ? [] : [{ path, mode: mode & 0o777 }];
  });
}

/** Free bytes on the disk of a path, or undefined when that is unknown. */
export function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function modeOf(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).mode;
  } catch {
    return undefined;
  }
}
