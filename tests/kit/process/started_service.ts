/**
 * The service as its users run it: a separate process, started by the command of `deno task start`, called over a port
 * and ended by signals. Must not reach into the process by any other means.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The folder of deno.json, in which every command runs. */
export const PROJECT = dirname(dirname(dirname(import.meta.dirname!)));

/**
 * What Deno itself may write to standard error: that permission sets are an experiment, and that another process that
 * starts at the same moment holds the lock of node_modules.
 */
const DENO_LINES =
  /^.*(?:Permissions in the config file is an experimental feature|Blocking waiting for file lock on node_modules).*\n/gm;

/** Options for starting a service. */
export interface StartOptions {
  /** Settings of the service. Of the tests' own environment it gets only what Deno needs. */
  env?: Record<string, string>;
  /** Permissions in addition to the set `start`. */
  flags?: string[];
  /** The folder of another copy of the project. */
  folder?: string;
  /** A program and arguments in front of the command, to start the service differently. */
  before?: string[];
}

/** Exit code and output of a process. */
export interface Ended {
  /** The exit code; 128 plus the signal's number after a signal. */
  code: number;
  stdout: string;
  /** Standard error, without Deno's own lines. */
  stderr: string;
}

/** A running service; it is stopped at the end of the test. */
export interface StartedService extends AsyncDisposable {
  /** Its origin, `http://127.0.0.1:<port>`. */
  url: string;
  /** The process id, which is also the id of its process group. */
  pid: number;
  /** The output so far. */
  output: { stdout: string; stderr: string };
  /** Sends a request; does not follow redirects. */
  send(method: string, path: string, form?: Record<string, string>, session?: string): Promise<Response>;
  signal(signal: Deno.Signal): void;
  /** Sends a signal to the whole process group, as a terminal or a process manager does. */
  signalGroup(signal: Deno.Signal): void;
  /** Settles when the process has ended. */
  ended: Promise<Ended>;
  /** Sends SIGTERM, or another signal, and waits for the end. */
  stop(signal?: Deno.Signal): Promise<Ended>;
}

/** The command of `deno task start`. */
const COMMAND = ["run", "--no-prompt", "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=30", "-P=start"];
/** Longest wait for a start, in milliseconds, so that a test which hangs says why. */
const PATIENCE = 60_000;

/** Starts the service and waits until it listens. Fails with its output when it ends instead. */
export async function startService(options: StartOptions = {}): Promise<StartedService> {
  const launched = launch(options);
  const { child, output, ended } = launched;
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const url = await Promise.race([launched.listens, ended.then(() => undefined)]);
  clearTimeout(patience);
  assert.ok(url, `the service did not start:\n${output.stderr}`);
  const signalGroup = (signal: Deno.Signal): void => Deno.kill(-child.pid, signal);
  const stop = async (signal: Deno.Signal = "SIGTERM"): Promise<Ended> => {
    try {
      signalGroup(signal);
    } catch (error) {
      // The process has already ended; `ended` reports that.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return await ended;
  };
  return {
    url,
    pid: child.pid,
    output,
    ended,
    signal: (signal) => Deno.kill(child.pid, signal),
    signalGroup,
    send: (method, path, form, session) =>
      fetch(url + path, {
        method,
        redirect: "manual",
        body: form && new URLSearchParams(form),
        headers: session === undefined ? {} : { cookie: `session_id=${session}` },
      }),
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

/** Starts a service that must fail to start, and returns its exit code and output. Fails when it listens. */
export async function startInVain(options: StartOptions = {}): Promise<Ended> {
  const { child, ended, listens } = launch(options);
  const url = await Promise.race([listens, ended.then(() => undefined)]);
  if (url !== undefined) child.kill("SIGKILL");
  const result = await ended;
  assert.equal(url, undefined, `the service listens on ${url} although it must not`);
  return result;
}

/** A started process that may or may not listen. */
interface Launched {
  child: Deno.ChildProcess;
  /** The output so far. */
  output: { stdout: string; stderr: string };
  /** Settles when it prints its address; never when it does not. */
  listens: Promise<string>;
  /** Settles when the process has ended. */
  ended: Promise<Ended>;
}

/** Starts the process without waiting. */
export function launch(options: StartOptions = {}): Launched {
  const command = [...options.before ?? [], Deno.execPath(), ...COMMAND, ...options.flags ?? [], "main.ts", "serve"];
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    cwd: options.folder ?? PROJECT,
    clearEnv: true,
    env: { ...bareEnvironment(), PORT: "0", BCRYPT_COST: "4", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // Its own process group, so that a test can end all of it at once and nothing else.
    detached: true,
  }).spawn();
  const output = { stdout: "", stderr: "" };
  const { promise: listens, resolve } = Promise.withResolvers<string>();
  const read = [
    collect(child.stdout, (text) => output.stdout += text),
    collect(child.stderr, (text) => {
      output.stderr += text;
      const url = /^Bienvenue listens on (\S+)\n/m.exec(output.stderr)?.[1];
      if (url !== undefined) resolve(url);
    }),
  ];
  const ended = Promise.all([child.status, ...read]).then(([{ code }]) => ({
    code,
    stdout: output.stdout,
    stderr: output.stderr.replace(DENO_LINES, ""),
  }));
  return { child, output, listens, ended };
}

/** The environment that Deno needs to find its packages, without any setting of the service. */
export function bareEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "NPM_CONFIG_REGISTRY", "NODE_EXTRA_CA_CERTS", "DENO_CERT"];
  const set = names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(set), NO_COLOR: "1" };
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
}

/** A folder for a SQLite database outside the project, with the options that a service needs to use it. */
export interface DataFolder extends AsyncDisposable {
  /** The database file, which the service creates. */
  file: string;
  folder: string;
  /** Options to start a service on it. */
  options: { env: Record<string, string>; flags: string[] };
  /** Rows of the database, read over a separate connection. */
  rows<T = Record<string, string | number | null>>(sql: string): T[];
}

/**
 * The paths that the permission set `start` allows. A flag of the same kind replaces them instead of adding to them.
 */
export function allowed(kind: "read" | "write"): string[] {
  return JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)).permissions.start[kind];
}

/** Makes a data folder that is removed at the end of the test. */
export async function dataFolder(settings: Record<string, string> = {}): Promise<DataFolder> {
  const parent = await Deno.makeTempDir({ prefix: "bienvenue-" });
  const folder = `${parent}/data`;
  const file = `${folder}/bienvenue.db`;
  return {
    file,
    folder,
    options: {
      env: { DATABASE_URL: `sqlite:${file}`, ...settings },
      flags: (["read", "write"] as const).map((kind) => `--allow-${kind}=${[...allowed(kind), parent].join(",")}`),
    },
    rows: <T>(sql: string) => {
      using database = new DatabaseSync(file, { timeout: 5_000 });
      return database.prepare(sql).all() as T[];
    },
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}

/** Registers a user with a started service. */
export async function register(service: StartedService, email: string, password: string): Promise<void> {
  const response = await service.send("POST", "/users", { email, password });
  assert.equal(response.status, 200, await response.text());
}

/** Logs a user in and returns the session id. */
export async function logIn(service: StartedService, email: string, password: string): Promise<string> {
  const response = await service.send("POST", "/sessions", { email, password });
  assert.equal(response.status, 200, await response.text());
  return /^session_id=([^;]+)/.exec(response.headers.getSetCookie()[0])![1];
}

/** The status of an answer; discards the body. */
export async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}
