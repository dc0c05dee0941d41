/**
 * Runs the operator's commands in this process, on the database of a test's service. Must not share a connection with
 * the service: a command opens its own, as it does beside a running service.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { MailTransport } from "../../auth/runtime/smtp.ts";
import { runCommand } from "../../routes/cli/cli.ts";
import { PROJECT } from "./process/started_service.ts";
import { type Service, TEST_SETTINGS } from "./service.ts";

/** Exit code and output of a command. */
export interface Ran {
  code: number;
  /** Text written to standard output. */
  printed: string;
  /** Text written to standard error. */
  noted: string;
}

/** Options of a command run. */
export interface RunOptions {
  /** Settings in addition to those of the tests. */
  settings?: Record<string, string>;
  /** Standard input. */
  input?: string | ReadableStream<Uint8Array>;
  /** Transport for mails that the command sends. */
  transport?: MailTransport;
  /** Stops a command that would not end by itself. */
  signal?: AbortSignal;
  /** Called with each line of the result. */
  onPrint?: (text: string) => void;
}

/** Runs a command on the database of this URL. */
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

/** Runs a command on the database of a service, with that service's clock. */
export function run(service: Service, words: string[], options: RunOptions = {}): Promise<Ran> {
  return runOn(service.auth.config.databaseUrl, words, { ...options, clock: () => service.clock.now });
}

/** Runs a command with --json, asserts success and returns the parsed output. */
export async function runJson<T = Record<string, unknown>>(
  service: Service,
  words: string[],
  options: RunOptions = {},
): Promise<T> {
  const { code, printed, noted } = await run(service, [...words, "--json"], options);
  assert.equal(code, 0, noted);
  return JSON.parse(printed);
}
