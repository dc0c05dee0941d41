/**
 * Copies of a SQLite file: out of one that is in use, and into the place of one that is not. Must never write over a
 * file that exists: what is replaced is kept under another name.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";
import { basename, dirname, join } from "node:path";
import { DatabaseRefused } from "../errors.ts";

/** Pages that are copied between two words of progress. */
const PAGES = 256;
/** How long to wait for a lock, in milliseconds. */
const PATIENCE = 2_000;
/** SQLite's result codes: locked by somebody else, damaged, no database at all. */
const BUSY = 5, CORRUPT = 11, NOTADB = 26;
/** What SQLite keeps beside a file in use. */
const BESIDE = ["-wal", "-shm"];

/** Told how many pages of how many are copied. */
export type CopyProgress = (done: number, total: number) => void;

/**
 * Copies a database that may be in use into a draft beside the target, and gives the draft's path. The copy is the
 * database at one moment, with everything that was acknowledged before.
 */
export async function draftOfUsed(file: string, target: string, onProgress: CopyProgress): Promise<string> {
  refuseFolder(dirname(target));
  refuseExisting(target);
  const draft = newDraft(target);
  using source = new DatabaseSync(file, { timeout: PATIENCE });
  // A reader's view of one moment: without it every write of the service would begin the copy anew (F27).
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

/** Copies a backup into a draft beside the target, with what lies beside it, and gives the draft's path. */
export async function draftOfBackup(file: string, target: string): Promise<string> {
  refuseFolder(dirname(file));
  const draft = newDraft(target);
  try {
    await copyInto(file, draft);
    // A plain copy of a file in use has a part of its rows in the log beside it.
    if (exists(`${file}-wal`)) await copyInto(`${file}-wal`, `${draft}-wal`);
  } catch (error) {
    dropDraft(draft);
    if (error instanceof Deno.errors.NotFound) throw new DatabaseRefused(`there is no file ${file}`);
    throw error;
  }
  return draft;
}

/** Gives a draft its name, unless something has it already: of two that end at once the second one fails. */
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
 * Puts a draft in the place of a database that nobody uses, and gives the name under which the old one is kept, or
 * undefined when there was none. Throws `DatabaseRefused` while any process has the old one open.
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
    // Only where the old one was too damaged to be closed in good order; a log belongs to its own file alone.
    for (const end of BESIDE) if (exists(target + end)) Deno.renameSync(target + end, kept + end);
    Deno.renameSync(draft, target);
    syncFile(dirname(target));
  } finally {
    lock?.close();
  }
  return kept;
}

/** Removes a draft that came to nothing. */
export function dropDraft(draft: string): void {
  for (const path of ["", ...BESIDE, "-journal"].map((end) => draft + end)) if (exists(path)) Deno.removeSync(path);
}

/** Whether a file is there. */
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
 * The lock that is only given to a connection which is alone: leaving write-ahead mode takes it, and every process that
 * has the file open stands in its way, also one that does nothing now. A damaged file cannot be locked so.
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

/** Empty and owner-only from its first moment on: a copy holds hashes and keys. */
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

/** Asks Deno, not the file system: what is missing is a permission of this process, and the sentence says which. */
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

/** Not by a copy of the file system, which would give the draft the rights of the other file. */
async function copyInto(from: string, to: string): Promise<void> {
  const source = await Deno.open(from);
  const sink = await Deno.open(to, { write: true, create: true, mode: 0o600 });
  await source.readable.pipeTo(sink.writable);
}

/** A file or a folder's names survive a power failure once they are on disk. */
function syncFile(path: string): void {
  using file = Deno.openSync(path);
  file.syncSync();
}
