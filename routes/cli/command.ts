/**
 * The type of a command: its words, its help, and its access to the process. Must not know any command.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Auth } from "../../auth/auth.ts";
import { parseConfig } from "../../auth/config.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import type { MailTransport } from "../../auth/runtime/smtp.ts";

/** A command's access to the process around it. */
export interface Outside {
  /** Reads an environment variable. */
  get(name: string): string | undefined;
  /** Relative file names are resolved against this folder. */
  folder: string;
  /** Writes a result to standard output. */
  print(text: string): void;
  /** Writes progress and errors to standard error. */
  note(text: string): void;
  /** Replaces the last line; present only when standard error is a terminal. */
  redraw?: (text: string) => void;
  /** Standard input. */
  input?: ReadableStream<Uint8Array>;
  /** Milliseconds since 1970; tests set it. */
  clock?: () => number;
  /** Sends mails; tests replace it to catch them. */
  transport?: MailTransport;
  /** Ends a command that would otherwise run until the process ends. */
  signal?: AbortSignal;
}

/** Width of a line of help, in characters. */
const WIDTH = 100;

/** The exit codes of every command. */
export const EXIT = { done: 0, failed: 1, misused: 2 } as const;

/** An option of a command. */
interface Option {
  /** The name of its value in the help; absent when it takes no value. */
  value?: string;
  help: string;
}

/** A command of the command line. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  help: string;
  /** Names of the words that it needs, in order. */
  words: readonly string[];
  /** Options besides `--help`, by name. */
  options: Readonly<Record<string, Option>>;
  /** Replaces the usual usage line when the command has its own task. */
  usage?: string;
  /** Runs the command. Gives the exit code unless it is 0. */
  run(given: Given, outside: Outside): Promise<number | void>;
}

/**
 * The words are no valid call of the command. The message says why, but never repeats a word that could be a password.
 */
export class Misuse extends Error {}

/** The words and options after the name of a command. */
export interface Given {
  /** The words that are not options, as many as the command needs. */
  words: string[];
  /** Whether an option without a value is given. */
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** The value of an option as a whole number from 1. Throws a Misuse. */
  count(name: string): number | undefined;
}

/** The option `--json` of commands that print one result. */
export const JSON_OPTION: Readonly<Record<string, Option>> = {
  json: { help: "the result as JSON, times in milliseconds since 1970" },
};

/** Parses the words after the name of a command. Throws a Misuse. */
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
    // Node's message would repeat the words, and so perhaps a password.
    const unknown = (error as { code?: string }).code === "ERR_PARSE_ARGS_UNKNOWN_OPTION";
    throw new Misuse(unknown ? "an option is none of those below" : "an option lacks its value, or takes none");
  }
}

/** The help of a command; its usage comes first. */
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

/** Wraps paragraphs to one width. Indented ones stay as they are. */
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
 * Opens the service that the settings name, runs the work, and closes it. Without `make` the database file must exist:
 * a wrong DATABASE_URL must not create an empty database in which all users seem to be lost.
 */
export async function withAuth<T>(
  outside: Outside,
  work: (auth: Auth) => Promise<T>,
  options: { make?: boolean } = {},
): Promise<T> {
  const auth = await openAuth(parseConfig(outside.get), {
    folder: outside.folder,
    existing: !options.make,
    // Only warnings: the command prints its own results, and the audit log keeps them.
    log: {
      write: (entry) => entry.level === "warning" && outside.note(JSON.stringify(entry)),
      writeRequest: () => {},
      flush: () => {},
    },
    clock: outside.clock,
    transport: outside.transport,
  });
  try {
    return await work(auth);
  } finally {
    await closeAuth(auth);
  }
}
