/**
 * A server as a separate process: started, measured by the kernel's counters, and ended by its id. Must end everything
 * that it started, however the benchmark ends.
 *
 * @module
 */
import { PROJECT } from "../kit/process/started_service.ts";

/** Options for starting a program. */
export interface Start {
  /** Arguments for Deno. */
  args: string[];
  /** Its environment; of ours it gets only what Deno needs. */
  env?: Record<string, string>;
  /** Its working folder; the project's when absent. */
  cwd?: string;
  /** Called with the process id at once, before the program listens. */
  onSpawn?: (pid: number) => void;
}

/** A running program. */
export interface Program {
  /** Its origin. */
  url: string;
  /** Its process id. */
  pid: number;
  /** CPU time of all its threads so far, in milliseconds; the kernel counts in steps of 10. */
  cpu(): number;
  /** Resident memory, in MB: now, and the maximum so far. */
  memory(): { now: number; most: number };
  /** Sends a form and returns the status. */
  post(path: string, form: Record<string, string>): Promise<number>;
  /** Stops it and waits for its end. */
  stop(): Promise<void>;
}

/** Clock ticks per second in /proc/<pid>/stat; always 100 on Linux (proc(5)). */
const TICKS = 100;
const ENVIRONMENT = [
  "PATH",
  "HOME",
  "DENO_DIR",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
  "SSL_CERT_FILE",
];
const running = new Set<Program>();

/** Starts a program and waits until it prints its address to standard error. */
export async function start(
  { args, env = {}, cwd = PROJECT, onSpawn }: Start,
): Promise<Program> {
  const own = Object.fromEntries(ENVIRONMENT.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const log = await Deno.makeTempFile({ prefix: "bienvenue-bench-" });
  // The shell replaces itself by the program; its output goes to a file, as under a process manager.
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@" >"$LOG"', Deno.execPath(), ...args],
    env: { ...own, LOG: log, ...env },
    clearEnv: true,
    cwd,
    stdin: "null",
    stderr: "piped",
    // Ctrl-C reaches only the benchmark, which then ends its programs itself.
    detached: true,
  }).spawn();
  onSpawn?.(child.pid);
  const ended = child.status.then(() => Deno.remove(log)).catch(() => {});
  const { promise: listens, resolve, reject } = Promise.withResolvers<string>();
  const program = (url: string): Program => ({
    url,
    pid: child.pid,
    post: async (path, form) => {
      const { status, body } = await fetch(url + path, {
        method: "POST",
        body: new URLSearchParams(form),
      });
      await body?.cancel();
      return status;
    },
    cpu: () => cpuOf(child.pid),
    memory: () => memoryOf(child.pid),
    async stop() {
      running.delete(this);
      try {
        child.kill("SIGTERM");
      } catch {
        // It has already ended.
      }
      const haste = setTimeout(() => child.kill("SIGKILL"), 12_000);
      await ended;
      clearTimeout(haste);
    },
  });
  (async () => {
    let text = "";
    for await (
      const part of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      const url = / listens on (\S+)/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    }
    reject(new Error(`${args.join(" ")} did not start:\n${text}`));
  })();
  const starting = program("");
  running.add(starting);
  const url = await listens;
  running.delete(starting);
  const made = program(url);
  running.add(made);
  return made;
}

/** Ends every program that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()));
}

/** CPU time of all threads of a process so far, in milliseconds. */
export function cpuOf(pid: number): number {
  // The name in brackets may contain any character; the fields from number 3 on follow it.
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(
    /^.*\) /,
    "",
  ).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return (user + system) * 1_000 / TICKS;
}

function memoryOf(pid: number): { now: number; most: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
  return { now: field("VmRSS"), most: field("VmHWM") };
}
