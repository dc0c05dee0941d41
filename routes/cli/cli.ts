/**
 * The command line: finds the command, runs it and gives its exit code. Must not contain a rule about accounts.
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
import { TRANSFER_COMMANDS } from "./import_export.ts";
import { MOVE } from "./move.ts";
import { SECRET_COMMANDS } from "./secrets.ts";
import { SWEEP } from "./sweep.ts";
import { ACCOUNT_COMMANDS } from "./users.ts";

/** All commands by name, in the order of the overview. A test compares the README's table with them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  ...under("users", ACCOUNT_COMMANDS),
  ...under("users", TRANSFER_COMMANDS),
  events: EVENTS,
  explain: EXPLAIN,
  doctor: DOCTOR,
  backup: BACKUP,
  restore: RESTORE,
  ...under("secrets", SECRET_COMMANDS),
  sweep: SWEEP,
  move: MOVE,
};

/** Runs the command that the words name, and gives its exit code. The output never holds a password. */
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

/** The name of a command has one or two words. The words after it belong to the command. */
function find(words: string[]): { name: string; command?: Command; rest: string[] } {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    if (Object.hasOwn(COMMANDS, name)) return { name, command: COMMANDS[name], rest: words.slice(count) };
  }
  return { name: words[0] ?? "", rest: [] };
}

/** Lists the commands. When the words are only the name of a group, lists those of the group. */
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

/** A sentence for what the operator can correct; a stack only for a fault of the program. */
function sentenceOf(error: unknown): string {
  if (error instanceof ConfigError || (error as Error).name === "DatabaseRefused") return (error as Error).message;
  return asAuthError(error)?.message ?? (error as Error).stack ?? String(error);
}
