/**
 * The commands `users export` and `users import`. They use standard output and input, so that files need no permission.
 *
 * @module
 */
import { OPERATOR } from "../../auth/admin/actor.ts";
import { exportUsers, importUsers, type LeftOut } from "../../auth/admin/import_export.ts";
import { type Command, EXIT, type Given, type Outside, withAuth } from "./command.ts";
import { json, plain, progress } from "./output.ts";
import { linesOf } from "./stdin.ts";

const FIELDS =
  `Of each line: email, hashed_password (bcrypt as $2a$, $2b$ or $2y$, or bcrypt-sha256), name, locale, id, and the
times created_at, signed_in_at, email_verified_at, disabled_at, frozen_at, closed_at, purge_at (ISO 8601 or milliseconds).`;

/** The commands that move users between systems. */
export const TRANSFER_COMMANDS: Readonly<Record<string, Command>> = {
  export: {
    summary: "all users as lines of JSON, with the hashes of their passwords",
    help: `Writes all users to standard output, a line of JSON each:

  deno task -q bienvenue users export > users.jsonl

The lines hold the hashes of passwords: keep them as you keep a backup. ${FIELDS}`,
    words: [],
    options: { json: { help: "changes nothing: the result is JSON in any case" } },
    run: exportAll,
  },
  import: {
    summary: "users from lines of JSON; they keep their passwords",
    help: `Reads users from standard input, a line of JSON each:

  deno task bienvenue users import < users.jsonl

${FIELDS}
Only email is needed. A user without hashed_password sets one by a reset. Lines with another hash, another field or no
valid address are refused, and so named by number; users who are there already stay as they are. Everything else is taken
in, 500 lines a transaction: after a break give the same file again. Refused lines make the exit code 1.`,
    words: [],
    options: {
      verified: { help: "addresses count as proven where the line does not say" },
      json: { help: "the result as JSON" },
    },
    run: importAll,
  },
};

async function exportAll(_given: Given, outside: Outside): Promise<void> {
  await withAuth(outside, async (auth) => {
    const told = progress(outside, "users exported");
    let count = 0;
    for await (const line of exportUsers(auth)) {
      outside.print(line);
      told(++count);
    }
    told(count, count);
  });
}

async function importAll(given: Given, outside: Outside): Promise<number> {
  const left: LeftOut[] = [];
  const told = progress(outside, "lines read");
  let lines = 0;
  const result = await withAuth(outside, (auth) =>
    importUsers(auth, OPERATOR, linesOf(outside.input), {
      verified: given.flag("verified"),
      onProgress: (read) => told(lines = read),
      onLeftOut: (each) => {
        if (given.flag("json")) left.push(each);
        else outside.note(`line ${each.line}: ${plain(each.reason)}`);
      },
    }), { make: true });
  // The total is known only now. This fills the bar and ends its line.
  if (lines > 0) told(lines, lines);
  const { added, duplicates, refused } = result;
  outside.print(
    given.flag("json")
      ? json({ ...result, left_out: left })
      : `${added} users are new, ${duplicates} were there already, ${refused} lines were refused.`,
  );
  return refused === 0 ? EXIT.done : EXIT.failed;
}
