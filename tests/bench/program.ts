/**
 * A server as a process of its own: started, measured by what the kernel counts for it, and ended by its id. Must end
 * everything that it started, however the benchmark ends.
 *
 * @module
 */
import { PROJECT } from "../kit/process/started_service.ts";

/** How a program is started. */
export interface Start {
  /** Arguments for Deno. */
  args: string[];
  /** Its environment; it gets nothing of ours beside what Deno needs. */
  env?: Record<string, string>;
  /** Its folder; the project's unless given. */
  cwd?: string;
  /** Told the process's id at once, before anybody listens. */
  onSpawn?: (pid: number) => void;
}

/** A program that listens. */
export interface Program {
  /** Its origin. */
  url: string;
  /** Its process. */
  pid: number;
  /** CPU time of all its threads so far, in milliseconds; the kernel counts in steps of 10. */
  cpu(): number;
  /** Resident memory, in MB: now, and at most so far. */
  memory(): { now: number; most: number };
  /** Sends a form and gives the status. */
  post(path: string, form: Record<string, string>): Promise<number>;
  /** Tells it to stop and waits until it has. */
  stop(): Promise<void>;
}

/** Clock ticks a second of /proc/<pid>/stat, which Linux has fixed at 100 (proc(5)). */
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

/** Starts a program and waits until it says on standard error where it listens. */
export async function start(
  { args, env = {}, cwd = PROJECT, onSpawn }: Start,
): Promise<Program> {
  const own = Object.fromEntries(ENVIRONMENT.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const log = await Deno.makeTempFile({ prefix: "bienvenue-bench-" });
  // The shell gives its place to the program; its lines go to a file, as they would under a process manager.
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@" >"$LOG"', Deno.execPath(), ...args],
    env: { ...own, LOG: log, ...env },
    clearEnv: true,
    cwd,
    stdin: "null",
    stderr: "piped",
    // Ctrl-C reaches the benchmark alone, which then ends its programs itself.
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
        // It has ended by itself.
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
  // The name of the program, in brackets, may hold anything; what follows it is fields 3 and on.
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
