/**
 * The command `move`.
 *
 * @module
 */
import { parseConfig, SETTINGS } from "../../auth/config.ts";
import { withPassword } from "../../auth/config_values.ts";
import { moveDatabase, type MovedTable } from "../../auth/maintenance/move.ts";
import { type Command, type Given, JSON_OPTION, Misuse, type Outside } from "./command.ts";
import { json, progress } from "./output.ts";
import { linesOf } from "./stdin.ts";

/** Copies everything into another, empty database. */
export const MOVE: Command = {
  summary: "copy everything into another, empty database",
  usage: "deno task move --to <database>",
  help:
    `Copies all users, sessions, tokens and keys from the database that DATABASE_URL names (or the PG* variables) into
another one: --to postgres://user@host/name, or --to sqlite:data/bienvenue.db. Nobody has to log in again.

  1. Stop the service, so that nothing is written to the old database any more.
  2. Run this. The new database must be empty; the old one is only read and stays as it is.
  3. Set DATABASE_URL to the new one and start the service.

Everything is written in one transaction and then compared row by row: it is all there, or nothing is.
Give the password of the new database as PGPASSWORD, or write --to - and the whole URL on standard input: other users of
the machine can read a command line.`,
  words: [],
  options: {
    to: { value: "database", help: "the database to fill, as in DATABASE_URL; - reads it from standard input" },
    ...JSON_OPTION,
  },
  run: move,
};

async function move(given: Given, outside: Outside): Promise<void> {
  const to = await target(given, outside);
  const { databaseUrl } = parseConfig(outside.get);
  const told = { copied: progress(outside, "rows copied"), compared: progress(outside, "rows compared") };
  const tables = await moveDatabase({
    from: databaseUrl,
    to: withPassword(to, outside.get),
    folder: outside.folder,
    now: (outside.clock ?? Date.now)(),
    onProgress: (step, rows, total) => told[step](rows, total),
  });
  if (given.flag("json")) return outside.print(json({ tables }));
  outside.print(
    `${toText(tables)}\n\nBoth databases hold the same. Set DATABASE_URL to the new one and start the service.`,
  );
}

/** The URL of the database to fill. Throws a Misuse, which never repeats it. */
async function target(given: Given, outside: Outside): Promise<string> {
  const word = given.text("to");
  if (word === undefined) throw new Misuse("--to is missing: which database is to be filled?");
  // Whoever is logged in on the machine can list all processes with their words.
  if (URL.parse(word)?.password) {
    outside.note(
      "warning: other users of this machine can read the password in --to; give it as PGPASSWORD, or use --to -",
    );
  }
  const url = word === "-" ? await firstLine(outside) : word;
  try {
    SETTINGS.databaseUrl.parse(url);
  } catch (error) {
    throw new Misuse(`--to: ${(error as Error).message}`);
  }
  return url;
}

async function firstLine({ input }: Outside): Promise<string> {
  for await (const line of linesOf(input)) return line.trim();
  throw new Misuse("standard input is empty: with --to - it holds the URL");
}

function toText(tables: MovedTable[]): string {
  const lines = [["table", "rows", "SHA-256 of all rows, added up"]].concat(
    tables.map(({ name, rows, digest }) => [name, String(rows), digest]),
  );
  const [first, second] = [0, 1].map((column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map(([name, rows, digest]) => `${name.padEnd(first)}  ${rows.padStart(second)}  ${digest}`).join("\n");
}
