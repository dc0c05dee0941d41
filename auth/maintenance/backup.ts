/**
 * Backups of a SQLite database, made while the service runs, and put back while it does not. Must not take a file for
 * good that was not checked whole, nor lose the one that is replaced.
 *
 * @module
 */
import { isAbsolute, resolve } from "node:path";
import { DB } from "../../db/db.ts";
import { toolPostgresUrl } from "../../db/engines/postgres_url.ts";
import {
  type CopyProgress,
  draftOfBackup,
  draftOfUsed,
  dropDraft,
  exists,
  nameDraft,
  replaceBy,
} from "../../db/engines/sqlite_backup.ts";
import { sqliteFile } from "../../db/engines/sqlite_file.ts";
import { DatabaseRefused } from "../../db/errors.ts";
import { faultsOf } from "../../db/maintenance/health.ts";
import { endAllAccess } from "../../db/maintenance/restore.ts";
import { schemaState } from "../../db/migrations.ts";

/** What to copy, and whereto or wherefrom. */
export interface BackupOptions {
  /** The database of the settings. */
  databaseUrl: string;
  /** The folder against which relative files are read. */
  folder: string;
  /** The backup. */
  file: string;
}

/** A backup that was made. */
export interface Backup {
  /** Its absolute path. */
  file: string;
  /** Its size. */
  bytes: number;
}

/**
 * Makes a backup of a database in use: one file, owner-only, checked whole before it gets its name. Throws
 * `DatabaseRefused` when the file exists, may not be written, or the copy is not sound.
 */
export async function backupDatabase(options: BackupOptions & { onProgress: CopyProgress }): Promise<Backup> {
  const { databaseUrl, folder, onProgress } = options;
  const file = absolute(folder, options.file);
  if (!databaseUrl.startsWith("sqlite:")) {
    throw new DatabaseRefused(
      "PostgreSQL is backed up by its own tool, also while the service runs (PGPASSWORD may hold the password):\n" +
        `  pg_dump --format=custom --file=${quoted(file)} ${toolPostgresUrl(databaseUrl)}`,
    );
  }
  const source = fileOf(databaseUrl, folder, true);
  const draft = await draftOfUsed(source, file, onProgress);
  try {
    await checkSound(draft, `the copy of ${source}`);
  } catch (error) {
    dropDraft(draft);
    throw error;
  }
  nameDraft(draft, file);
  return { file, bytes: Deno.statSync(file).size };
}

/** A backup that was put back. */
export interface Restored {
  /** The database file that the service will use. */
  file: string;
  /** Under which name the old one is kept. */
  kept: string | undefined;
  /** Steps that the next start will bring the schema forward by. */
  pending: string[];
}

/** How a backup is put back. */
export interface RestoreOptions extends BackupOptions {
  /** Whether a database that is there may be replaced. */
  replace: boolean;
  /** Whether the sessions of then are kept, also those that were ended since. */
  keepSessions: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Puts a backup in the place of the database, after checking all of it and its schema. Sessions and tokens of the backup
 * end, but those that undo or reopen, unless they are to be kept: one that a user has ended since must not come back to
 * life (V39). Throws `DatabaseRefused` while a service runs on the file, and for a file that is not sound or not ours.
 */
export async function restoreDatabase(options: RestoreOptions): Promise<Restored> {
  const { databaseUrl, folder, replace, keepSessions, now } = options;
  const file = absolute(folder, options.file);
  if (!databaseUrl.startsWith("sqlite:")) {
    throw new DatabaseRefused(
      "PostgreSQL is restored by its own tool, while the service is stopped (PGPASSWORD may hold the password):\n" +
        `  pg_restore --clean --if-exists --dbname=${toolPostgresUrl(databaseUrl)} ${quoted(file)}\n` +
        "Sessions that were ended since the backup come back with it; users end-sessions ends them user by user.",
    );
  }
  const target = fileOf(databaseUrl, folder, false);
  if (exists(target) && !replace) {
    throw new DatabaseRefused(`the database ${target} is there; --yes puts the backup in its place and keeps it aside`);
  }
  const draft = await draftOfBackup(file, target);
  try {
    const pending = await checkSound(draft, `the backup ${file}`, keepSessions ? undefined : endAllAccess);
    return { file: target, kept: replaceBy(draft, target, now), pending };
  } finally {
    dropDraft(draft);
  }
}

/** Checks pages, references and schema, and gives the steps that the schema lacks. Throws `DatabaseRefused`. */
async function checkSound(file: string, what: string, then?: (db: DB) => Promise<void>): Promise<string[]> {
  await using db = await opened(file, what);
  const faults = await faultsOf(db) ?? [];
  if (faults.length > 0) throw new DatabaseRefused(`${what} is damaged and was not used: ${faults.join("; ")}`);
  const { pending, unknown } = await schemaState(db);
  if (unknown.length > 0) {
    throw new DatabaseRefused(
      `${what} is newer than this program (it has ${unknown.join(", ")}); use the newer program`,
    );
  }
  if (!(await db.tables()).includes("sessions")) {
    throw new DatabaseRefused(`${what} is no database of this service`);
  }
  await then?.(db);
  return pending;
}

async function opened(file: string, what: string): Promise<DB> {
  try {
    return await DB.open(`sqlite:${file}`, { folder: "/", existing: true });
  } catch {
    // Its own sentence would name the draft, which is gone by then.
    throw new DatabaseRefused(`${what} is damaged or no database, and was not used`);
  }
}

function fileOf(databaseUrl: string, folder: string, existing: boolean): string {
  if (databaseUrl === "sqlite::memory:") throw new DatabaseRefused("a database in memory has no file");
  // Found only, never made: an empty one would stand in the way of the backup.
  return existing ? sqliteFile(databaseUrl, folder, true) : absolute(folder, databaseUrl.slice("sqlite:".length));
}

function absolute(folder: string, file: string): string {
  return isAbsolute(file) ? file : resolve(folder, file);
}

/** A word for a shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
