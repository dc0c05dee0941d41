/**
 * The operator's commands in this process, on the database of a test's service. Must not share a connection with it: a
 * command opens its own, as beside a running service.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { MailTransport } from "../../auth/runtime/smtp.ts";
import { runCommand } from "../../routes/cli/cli.ts";
import { type Service, TEST_SETTINGS } from "./service.ts";
import { PROJECT } from "./process/started_service.ts";

/** What a command left behind. */
export interface Ran {
  /** Its exit code. */
  code: number;
  /** What it wrote to standard output. */
  printed: string;
  /** What it wrote to standard error. */
  noted: string;
}

/** How a command is run. */
export interface RunOptions {
  /** Settings beside the tests' own. */
  settings?: Record<string, string>;
  /** What is piped in. */
  input?: string | ReadableStream<Uint8Array>;
  /** By which mails leave. */
  transport?: MailTransport;
  /** Ends a command that would go on. */
  signal?: AbortSignal;
  /** Told of every line of the result as it comes. */
  onPrint?: (text: string) => void;
}

/** Runs a command on a database by its URL. */
export async function runOn(
  databaseUrl: string,
  words: string[],
  options: RunOptions & { clock?: () => number } = {},
): Promise<Ran> {
  const env: Record<string, string> = { ...TEST_SETTINGS, ...options.settings, DATABASE_URL: databaseUrl };
  const said = { printed: "", noted: "" };
  const code = await runCommand(words, {
    get: (name) => env[name],
    folder: PROJECT,
    print: (text) => {
      said.printed += `${text}\n`;
      options.onPrint?.(text);
    },
    note: (text) => said.noted += `${text}\n`,
    input: typeof options.input === "string" ? new Blob([options.input]).stream() : options.input,
    clock: options.clock,
    transport: options.transport,
    signal: options.signal,
  });
  return { code, ...said };
}

/** Runs a command on the database of a service, at that service's time. */
export function run(service: Service, words: string[], options: RunOptions = {}): Promise<Ran> {
  return runOn(service.auth.config.databaseUrl, words, { ...options, clock: () => service.clock.now });
}

/** Runs a command that must succeed, with --json, and gives what it printed. */
export async function runJson<T = Record<string, unknown>>(
  service: Service,
  words: string[],
  options: RunOptions = {},
): Promise<T> {
  const { code, printed, noted } = await run(service, [...words, "--json"], options);
  assert.equal(code, 0, noted);
  return JSON.parse(printed);
}
