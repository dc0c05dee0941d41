/**
 * What a command of the command line is: its words, its help, and what it may use of the process. Must not know any
 * command.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Auth } from "../../auth/auth.ts";
import { parseConfig } from "../../auth/config.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import type { MailTransport } from "../../auth/runtime/smtp.ts";

/** What a command needs of the process around it. */
export interface Outside {
  /** A variable of the environment. */
  get(name: string): string | undefined;
  /** The folder against which relative files are read. */
  folder: string;
  /** Takes the result, for people and programs: standard output. */
  print(text: string): void;
  /** Takes progress and faults: standard error. */
  note(text: string): void;
  /** Takes a line that replaces the one before it; there where standard error is a terminal. */
  redraw?: (text: string) => void;
  /** What is typed or piped in: standard input. */
  input?: ReadableStream<Uint8Array>;
  /** Milliseconds since 1970; tests set it. */
  clock?: () => number;
  /** By which mails leave; tests catch them. */
  transport?: MailTransport;
  /** Ends what would go on for ever; without one only the end of the process does. */
  signal?: AbortSignal;
}

/** Width of a line of help, in characters. */
const WIDTH = 100;

/** The exit codes of every command. */
export const EXIT = { done: 0, failed: 1, misused: 2 } as const;

/** An option of a command; `value` names what follows it, and is absent where nothing does. */
export interface Option {
  /** What its value is, for the help. */
  value?: string;
  /** One line for the help. */
  help: string;
}

/** One command. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** What it does, under which rules. */
  help: string;
  /** Names of the words that it needs, in order. */
  words: readonly string[];
  /** Its options beside `--help`, by name. */
  options: Readonly<Record<string, Option>>;
  /** Another way to call it, where a task of its own exists. */
  usage?: string;
  /** Does it, and gives the exit code unless it is 0. */
  run(given: Given, outside: Outside): Promise<number | void>;
}

/** The words cannot be understood; the message says which, and never repeats one that could be a password. */
export class Misuse extends Error {}

/** What stands behind a command. */
export interface Given {
  /** The words without a name, as many as the command wants. */
  words: string[];
  /** Whether an option without a value is there. */
  flag(name: string): boolean;
  /** The value of an option, or undefined. */
  text(name: string): string | undefined;
  /** The value of an option that is a whole number from 1. */
  count(name: string): number | undefined;
}

/** `--json`, which every command has. */
export const JSON_OPTION: Readonly<Record<string, Option>> = {
  json: { help: "the result as JSON, times in milliseconds since 1970" },
};

/** Reads the words behind a command. Throws a Misuse. */
export function readWords(command: Command, args: string[]): Given {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { value }]) => [name, {
      type: value === undefined ? "boolean" as const : "string" as const,
    }]),
  );
  const { values, positionals } = parsed(args, options);
  if (positionals.length < command.words.length) throw new Misuse(`<${command.words[positionals.length]}> is missing`);
  if (positionals.length > command.words.length) throw new Misuse("there are more words than the command takes");
  const text = (name: string): string | undefined => values[name] as string | undefined;
  return {
    words: positionals,
    flag: (name) => values[name] === true,
    text,
    count: (name) => {
      const given = text(name);
      if (given !== undefined && !/^[1-9]\d{0,8}$/.test(given)) {
        throw new Misuse(`--${name} is not a whole number from 1`);
      }
      return given === undefined ? undefined : Number(given);
    },
  };
}

function parsed(args: string[], options: Record<string, { type: "boolean" | "string" }>) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    // Node's own sentence would repeat the words, and so perhaps a password.
    const unknown = (error as { code?: string }).code === "ERR_PARSE_ARGS_UNKNOWN_OPTION";
    throw new Misuse(unknown ? "an option is none of those below" : "an option lacks its value, or takes none");
  }
}

/** The help of a command, its usage first. */
export function helpOf(name: string, command: Command): string {
  const options = { ...command.options, help: { help: "this text" } };
  const shown = Object.entries(options).map(([option, { value, help }]: [string, Option]) =>
    [`--${option}${value === undefined ? "" : ` <${value}>`}`, help] as const
  );
  const width = Math.max(...shown.map(([option]) => option.length));
  const words = command.words.map((word) => ` <${word}>`).join("");
  return [
    command.usage ?? `deno task bienvenue ${name}${words} [options]`,
    "",
    wrapped(command.help),
    "",
    ...shown.map(([option, help]) => `  ${option.padEnd(width)}  ${help}`),
    "",
    "Exit codes: 0 done, 1 refused or failed, 2 misused.",
  ].join("\n");
}

/** Paragraphs in lines of one width; what is set in stays as it is. */
function wrapped(help: string): string {
  return help.split("\n\n").map((paragraph) => {
    if (/^ {2}/m.test(paragraph)) return paragraph;
    const lines = [""];
    for (const word of paragraph.split(/\s+/)) {
      const line = lines[lines.length - 1];
      if (line.length + word.length >= WIDTH) lines.push(word);
      else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    }
    return lines.join("\n");
  }).join("\n\n");
}

/**
 * Opens what the settings name, as the service does, and closes it again. The file must be there already unless `make`
 * is set: a wrong DATABASE_URL must not bring forth an empty database that seems to have lost everybody.
 */
export async function withAuth<T>(
  outside: Outside,
  work: (auth: Auth) => Promise<T>,
  options: { make?: boolean } = {},
): Promise<T> {
  const auth = await openAuth(parseConfig(outside.get), {
    folder: outside.folder,
    existing: !options.make,
    // What goes wrong; what is done, the command says itself, and the audit log keeps.
    log: { write: (entry) => entry.level === "warning" && outside.note(JSON.stringify(entry)), flush: () => {} },
    clock: outside.clock,
    transport: outside.transport,
  });
  try {
    return await work(auth);
  } finally {
    await closeAuth(auth);
  }
}
