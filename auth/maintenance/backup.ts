/**
 * Backups of a SQLite database: made while the service runs, restored while it is stopped. Must not use a file that was
 * not checked completely, and must not lose the database that it replaces.
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

interface BackupOptions {
  databaseUrl: string;
  /** Relative file names are resolved against this folder. */
  folder: string;
  /** Path of the backup. */
  file: string;
}

interface Backup {
  /** Absolute path of the backup. */
  file: string;
  bytes: number;
}

/**
 * Makes a backup of a database in use: one file that only its owner can read, checked completely before it gets its
 * name. Throws `DatabaseRefused` when the file exists, when it cannot be written, or when the copy is damaged.
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

interface Restored {
  /** The database file that the service will use. */
  file: string;
  /** Path of the former database; undefined when there was none. */
  kept: string | undefined;
  /** Migrations that the next start will apply. */
  pending: string[];
}

interface RestoreOptions extends BackupOptions {
  /** Whether an existing database may be replaced. */
  replace: boolean;
  /** Whether the sessions of the backup stay valid, even those that were ended since. */
  keepSessions: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Replaces the database by a backup, after checking all of it and its schema. Sessions and tokens of the backup end:
 * one that its user has ended since must not become valid again (V39). Only tokens for undo and reopen stay. With
 * `keepSessions` nothing ends. Throws `DatabaseRefused` while a service uses the file, and when the backup is damaged
 * or not of this service.
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

/** Checks pages, references and schema. Gives the migrations that the schema lacks. Throws `DatabaseRefused`. */
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
    // The driver's message would name the draft file, which is removed by then.
    throw new DatabaseRefused(`${what} is damaged or no database, and was not used`);
  }
}

function fileOf(databaseUrl: string, folder: string, existing: boolean): string {
  if (databaseUrl === "sqlite::memory:") throw new DatabaseRefused("a database in memory has no file");
  // Never creates the file: an empty database would prevent the restore.
  return existing ? sqliteFile(databaseUrl, folder, true) : absolute(folder, databaseUrl.slice("sqlite:".length));
}

function absolute(folder: string, file: string): string {
  return isAbsolute(file) ? file : resolve(folder, file);
}

/** Quotes a text as one word for a shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
