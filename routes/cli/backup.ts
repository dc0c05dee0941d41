/**
 * The commands `backup` and `restore`, for a SQLite database.
 *
 * @module
 */
import { parseConfig } from "../../auth/config.ts";
import { backupDatabase, restoreDatabase } from "../../auth/maintenance/backup.ts";
import { type Command, type Given, JSON_OPTION, type Outside } from "./command.ts";
import { json, progress } from "./output.ts";

const PERMISSION =
  `Relative files are read from the folder of deno.json. Outside the folder data the process needs a permission:
deno run --no-prompt -P=start --allow-read --allow-write main.ts`;

/** Makes a backup of a SQLite database in use. */
export const BACKUP: Command = {
  summary: "a backup of a SQLite database in use, into one file",
  help:
    `Writes a backup while the service runs: one file, for its owner alone, with everything that was acknowledged before
it began, and checked whole before it gets its name. A file that exists is left as it is. On PostgreSQL it names the
command of pg_dump instead.

${PERMISSION} backup <file>`,
  words: ["file"],
  options: JSON_OPTION,
  run: makeBackup,
};

/** Replaces the SQLite database by a backup. */
export const RESTORE: Command = {
  summary: "put a backup in the place of the SQLite database",
  help: `Puts a backup in the place of the database that DATABASE_URL names, after checking all of it:

  1. Stop the service; while it runs, nothing is done.
  2. Run this. The database of now is kept beside it, under a name with the time.
  3. Start the service.

All sessions and reset links of the backup end, since they may have been ended since; users log in again. Accounts and
passwords are as they were then: repeat what was disabled or erased since. On PostgreSQL it names the command of
pg_restore instead.

${PERMISSION} restore <file>`,
  words: ["file"],
  options: {
    yes: { help: "also where there is a database" },
    "keep-sessions": { help: "nobody has to log in again; also who was logged out since the backup gets in" },
    ...JSON_OPTION,
  },
  run: restore,
};

async function makeBackup(given: Given, outside: Outside): Promise<void> {
  const { databaseUrl } = parseConfig(outside.get);
  const { folder } = outside;
  const told = progress(outside, "pages copied");
  let pages = 0;
  const onProgress = (done: number, total: number) => told(done, pages = total);
  const made = await backupDatabase({ databaseUrl, folder, file: given.words[0], onProgress });
  // The engine reports every step but the last.
  if (pages > 0) told(pages, pages);
  outside.print(given.flag("json") ? json(made) : `${made.file} holds the backup, ${made.bytes} bytes.`);
}

async function restore(given: Given, outside: Outside): Promise<void> {
  const { databaseUrl } = parseConfig(outside.get);
  const restored = await restoreDatabase({
    databaseUrl,
    folder: outside.folder,
    file: given.words[0],
    replace: given.flag("yes"),
    keepSessions: given.flag("keep-sessions"),
    now: (outside.clock ?? Date.now)(),
  });
  if (given.flag("json")) return outside.print(json(restored));
  const { file, kept, pending } = restored;
  const lines = [`${file} is the backup now.`];
  if (kept !== undefined) lines.push(`The database from before is kept as ${kept}.`);
  if (pending.length > 0) lines.push(`The next start brings its schema forward by ${pending.join(", ")}.`);
  outside.print([...lines, "Start the service."].join("\n"));
}
