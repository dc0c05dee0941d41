/**
 * Backup and restore of a SQLite file. Must never overwrite an existing file: a replaced file is kept under another
 * name.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { DatabaseRefused } from "../errors.ts";

/** Pages copied between two progress reports. */
const PAGES = 256;
/** How long to wait for a lock, in milliseconds. */
const PATIENCE = 2_000;
/** SQLite's result codes: locked, damaged, not a database. */
const BUSY = 5, CORRUPT = 11, NOTADB = 26;
/** Files that SQLite keeps beside a database in use. */
const BESIDE = ["-wal", "-shm"];

/** Called with the number of copied pages and of all pages. */
export type CopyProgress = (done: number, total: number) => void;

/**
 * Copies a database that may be in use into a draft beside the target, and gives the draft's path. The copy shows one
 * moment, with everything that was acknowledged before it. Throws `DatabaseRefused`.
 */
export async function draftOfUsed(file: string, target: string, onProgress: CopyProgress): Promise<string> {
  refuseFolder(dirname(target));
  refuseExisting(target);
  const draft = newDraft(target);
  using source = new DatabaseSync(file, { timeout: PATIENCE });
  // A read transaction: without it, every write of the service would restart the copy (F27).
  source.exec("BEGIN");
  source.prepare("SELECT count(*) FROM sqlite_schema").get();
  try {
    await backup(source, draft, {
      rate: PAGES,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    });
  } catch (error) {
    dropDraft(draft);
    throw error;
  } finally {
    source.exec("ROLLBACK");
  }
  return draft;
}

/** Copies a backup and its write-ahead log into a draft beside the target. Gives its path. Throws `DatabaseRefused`. */
export async function draftOfBackup(file: string, target: string): Promise<string> {
  refuseFolder(dirname(file));
  const draft = newDraft(target);
  try {
    await copyInto(file, draft);
    // In a plain copy of a file in use, some rows are only in the write-ahead log.
    if (exists(`${file}-wal`)) await copyInto(`${file}-wal`, `${draft}-wal`);
  } catch (error) {
    dropDraft(draft);
    if (error instanceof Deno.errors.NotFound) throw new DatabaseRefused(`there is no file ${file}`);
    throw error;
  }
  return draft;
}

/** Gives a draft its final name. Throws `DatabaseRefused` if that name exists, also if another process just made it. */
export function nameDraft(draft: string, target: string): void {
  syncFile(draft);
  try {
    Deno.linkSync(draft, target);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) refuseExisting(target);
    throw error;
  } finally {
    dropDraft(draft);
  }
  syncFile(dirname(target));
}

/**
 * Puts a draft in the place of a database that nobody uses. Gives the name under which the old file is kept, or
 * undefined when there was none. Throws `DatabaseRefused` while any process has the old file open.
 */
export function replaceBy(draft: string, target: string, now: number): string | undefined {
  syncFile(draft);
  if (!exists(target)) {
    nameDraft(draft, target);
    return undefined;
  }
  const kept = `${target}.before-restore-${new Date(now).toISOString().replace(/[:.]/g, "-")}`;
  const lock = lockAlone(target);
  try {
    Deno.linkSync(target, kept);
    // These exist only if the old file was too damaged to be closed cleanly. A log must stay with its own file.
    for (const end of BESIDE) if (exists(target + end)) Deno.renameSync(target + end, kept + end);
    Deno.renameSync(draft, target);
    syncFile(dirname(target));
  } finally {
    lock?.close();
  }
  return kept;
}

/** Removes a draft that is not needed, and the files beside it. */
export function dropDraft(draft: string): void {
  for (const path of ["", ...BESIDE, "-journal"].map((end) => draft + end)) if (exists(path)) Deno.removeSync(path);
}

/** Whether the path exists, as a file, a folder or a link. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Takes the lock that only a sole connection gets, by leaving write-ahead mode. Any process that has the file open
 * prevents it, even an idle one. Gives undefined for a damaged file, which cannot be locked.
 */
function lockAlone(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: PATIENCE });
  try {
    database.prepare("PRAGMA locking_mode = EXCLUSIVE").get();
    database.prepare("PRAGMA journal_mode = DELETE").get();
    database.prepare("BEGIN EXCLUSIVE").run();
    return database;
  } catch (error) {
    database.close();
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code === CORRUPT || code === NOTADB) return undefined;
    if (code === BUSY) throw new DatabaseRefused(`the database ${file} is in use; stop the service first`);
    throw error;
  }
}

/** Creates an empty file with access for its owner only: a copy holds hashes and keys. */
function newDraft(target: string): string {
  refuseFolder(dirname(target));
  const draft = join(dirname(target), `.${basename(target)}-${crypto.randomUUID()}`);
  try {
    Deno.writeFileSync(draft, new Uint8Array(), { createNew: true, mode: 0o600 });
  } catch (error) {
    throw new DatabaseRefused(`cannot write to ${dirname(target)}: ${(error as Error).message}`);
  }
  return draft;
}

/** Asks Deno, not the file system: if a permission of this process is missing, the message says which. */
function refuseFolder(path: string): void {
  for (const name of ["read", "write"] as const) {
    if (Deno.permissions.querySync({ name, path }).state === "granted") continue;
    throw new DatabaseRefused(
      `this process may not ${name} in ${path}; name a file in the folder data, or give it the permission: ` +
        `deno run --no-prompt -P=start --allow-read --allow-write main.ts and then the command`,
    );
  }
}

function refuseExisting(target: string): void {
  if (exists(target)) throw new DatabaseRefused(`the file ${target} exists already and was left as it is`);
}

/** Not a copy by the file system, which would also copy the access rights. */
async function copyInto(from: string, to: string): Promise<void> {
  const source = await Deno.open(from);
  const sink = await Deno.open(to, { write: true, create: true, mode: 0o600 });
  await source.readable.pipeTo(sink.writable);
}

/** File contents and new names in a folder survive a power failure only once they are on disk. */
function syncFile(path: string): void {
  using file = Deno.openSync(path);
  file.syncSync();
}
