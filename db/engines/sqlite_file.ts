/**
 * Finds or creates the file of a SQLite database. Must never delete or replace an existing file.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DatabaseRefused } from "../errors.ts";

/**
 * Makes sure that the file of a `sqlite:` URL exists, and gives its absolute path; `:memory:` stays as it is. A new
 * file gives access to its owner only. Throws `DatabaseRefused` for a folder that the process may not use, for an empty
 * file, and, with `existing`, for a missing one.
 */
export function sqliteFile(url: string, folder: string, existing = false): string {
  const name = url.slice("sqlite:".length);
  if (name === ":memory:") return name;
  if (name === "" || name.includes("\0") || name.startsWith("//")) {
    throw new DatabaseRefused(`DATABASE_URL: "${url}" names no file; write sqlite:data/bienvenue.db`);
  }
  const file = resolve(folder, name);
  checkPermissions(file);
  const size = sizeOf(file);
  if (size === undefined && existing) throw new DatabaseRefused(`there is no database file ${file}`);
  if (size === undefined) create(file);
  if (size === 0) {
    // SQLite takes an empty file for a new database. A truncated file must not start a service without users.
    throw new DatabaseRefused(
      `the database file ${file} is empty; restore a backup of it, or delete the file to start with no users`,
    );
  }
  return file;
}

/** Asks Deno, not the file system: otherwise a missing permission would look like a missing file. */
function checkPermissions(file: string): void {
  const path = dirname(file);
  for (const name of ["read", "write"] as const) {
    if (Deno.permissions.querySync({ name, path }).state === "granted") continue;
    throw new DatabaseRefused(
      `DATABASE_URL: ${file} is outside the folders that this service may use; keep the file in the folder data, ` +
        `or add "${path}" to "read" and "write" of the permission set "start" in deno.json`,
    );
  }
}

function sizeOf(file: string): number | undefined {
  try {
    return Deno.statSync(file).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new DatabaseRefused(`the database file ${file} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Creates the file under a temporary name and links it to its real name. So a file without a header never has the real
 * name, even if the process is killed. Of several processes that start at once, one creates the file.
 */
function create(file: string): void {
  const draft = join(dirname(file), `.${basename(file)}-${crypto.randomUUID()}`);
  try {
    Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    Deno.writeFileSync(draft, new Uint8Array(), { createNew: true, mode: 0o600 });
    const db = new DatabaseSync(draft);
    db.exec("PRAGMA journal_mode = WAL");
    db.close();
    Deno.linkSync(draft, file);
    syncFolder(dirname(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new DatabaseRefused(`the database file ${file} cannot be made: ${(error as Error).message}`);
    }
  } finally {
    for (const end of ["", "-wal", "-shm"]) removeIfThere(draft + end);
  }
}

/** A new name survives a power failure only once its folder is on disk. */
function syncFolder(folder: string): void {
  using handle = Deno.openSync(folder);
  handle.syncSync();
}

function removeIfThere(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
