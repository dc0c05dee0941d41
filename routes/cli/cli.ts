/**
 * The command line: words instead of requests, sentences and exit codes instead of answers. Must not decide anything
 * that a rule decides.
 *
 * @module
 */
import { ConfigError } from "../../auth/config.ts";
import { asAuthError } from "../../auth/errors.ts";
import { BACKUP, RESTORE } from "./backup.ts";
import { type Command, EXIT, helpOf, Misuse, type Outside, readWords } from "./command.ts";
import { DOCTOR } from "./doctor.ts";
import { EVENTS } from "./events.ts";
import { EXPLAIN } from "./explain.ts";
import { MOVE } from "./move.ts";
import { SWEEP } from "./sweep.ts";
import { TRANSFER_COMMANDS } from "./import_export.ts";
import { ACCOUNT_COMMANDS } from "./users.ts";

/** Every command by its words, in the order of the overview; the README's table is checked against it. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  ...under("users", ACCOUNT_COMMANDS),
  ...under("users", TRANSFER_COMMANDS),
  events: EVENTS,
  explain: EXPLAIN,
  doctor: DOCTOR,
  backup: BACKUP,
  restore: RESTORE,
  sweep: SWEEP,
  move: MOVE,
};

/**
 * Runs the command that the words name and gives the exit code; nothing that it says holds a password.
 *
 * @internal
 */
export async function runCommand(words: string[], outside: Outside): Promise<number> {
  const { name, command, rest } = find(words);
  if (words.some((text) => text === "--help" || text === "-h")) {
    outside.print(command ? helpOf(name, command) : overview(name));
    return EXIT.done;
  }
  if (!command) {
    const known = name === "" || Object.keys(COMMANDS).some((each) => each.startsWith(`${name} `));
    outside.note(known ? overview(name) : `There is no command "${name}".\n\n${overview(name)}`);
    return EXIT.misused;
  }
  try {
    return await command.run(readWords(command, rest), outside) ?? EXIT.done;
  } catch (error) {
    if (error instanceof Misuse) {
      outside.note(`${error.message}\n\n${helpOf(name, command)}`);
      return EXIT.misused;
    }
    outside.note(`${name} failed:\n${sentenceOf(error)}`);
    return EXIT.failed;
  }
}

/** A command has one word or two; what follows them is its own. */
function find(words: string[]): { name: string; command?: Command; rest: string[] } {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    if (Object.hasOwn(COMMANDS, name)) return { name, command: COMMANDS[name], rest: words.slice(count) };
  }
  return { name: words[0] ?? "", rest: [] };
}

/** The list of commands; of a group only its own, when its name stands alone. */
function overview(group: string): string {
  const all = Object.keys(COMMANDS);
  const own = all.filter((name) => name.startsWith(`${group} `));
  const shown = own.length > 0 ? own : all;
  const width = Math.max(...shown.map((name) => name.length));
  return [
    "deno task bienvenue <command> [options]",
    "",
    ...shown.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name].summary}`),
    "",
    "Each says more with --help. Commands use the same settings as the service, above all DATABASE_URL.",
    "deno task move is short for deno task bienvenue move; deno task start starts the service.",
  ].join("\n");
}

function under(group: string, commands: Readonly<Record<string, Command>>): Record<string, Command> {
  return Object.fromEntries(Object.entries(commands).map(([name, command]) => [`${group} ${name}`, command]));
}

/** A sentence for what the operator can mend, a stack for what is our fault. */
function sentenceOf(error: unknown): string {
  if (error instanceof ConfigError || (error as Error).name === "DatabaseRefused") return (error as Error).message;
  return asAuthError(error)?.message ?? (error as Error).stack ?? String(error);
}
