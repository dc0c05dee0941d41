/**
 * A server as a separate process: started, measured by the kernel's counters, and ended by its id. Must end everything
 * that it started, however the benchmark ends.
 *
 * @module
 */
import { PROJECT } from "../kit/process/started_service.ts";
import { CpuClock } from "./cpu.ts";

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

/** Resident memory, in MB. */
export interface Memory {
  now: number;
  /** The maximum so far. */
  most: number;
  /** Without the pages of files, such as those of Deno's own program. */
  anonymous: number;
}

/** A running program. */
export interface Program {
  /** Its origin. */
  url: string;
  /** Its process id. */
  pid: number;
  /** CPU time of all its threads so far, in milliseconds. */
  cpu(): number;
  /** Resident memory, in MB. */
  memory(): Memory;
  /** Sends a form and returns the status. */
  post(path: string, form: Record<string, string>): Promise<number>;
  /** Stops it and waits for its end. */
  stop(): Promise<void>;
}

const ENVIRONMENT = [
  "PATH",
  "HOME",
  "DENO_DIR",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
  "SSL_CERT_FILE",
];
const running = new Set<{ stop(): Promise<void> }>();

/** Starts a program and waits until it prints its address to standard error. */
export async function start(options: Start): Promise<Program> {
  const log = await Deno.makeTempFile({ prefix: "bienvenue-bench-" });
  const child = spawn(options, { output: log, stderr: "piped" });
  options.onSpawn?.(child.pid);
  const ended = child.status.then(() => Deno.remove(log)).catch(() => {});
  const { promise: listens, resolve, reject } = Promise.withResolvers<string>();
  const clock = new CpuClock(() => [child.pid]);
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
    cpu: () => clock.read(),
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
    reject(new Error(`${options.args.join(" ")} did not start:\n${text}`));
  })();
  const starting = program("");
  running.add(starting);
  const url = await listens;
  running.delete(starting);
  const made = program(url);
  running.add(made);
  return made;
}

/**
 * Runs a command to its end, with a file as its input, and returns its CPU time in milliseconds. Reads another clock
 * meanwhile, for processes that end with the command.
 */
export async function cpuOf(command: Start, input: string, other: CpuClock): Promise<number> {
  const child = spawn(command, { input, stderr: "null" });
  const clock = new CpuClock(() => [child.pid]);
  let code: number | undefined;
  const ended = child.status.then((status) => void (code = status.code));
  const stopped = {
    stop: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
  running.add(stopped);
  // A process that has ended has no figures any more, so the last reading counts.
  while (code === undefined) {
    clock.read();
    other.read();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running.delete(stopped);
  if (code !== 0) throw new Error(`${command.args.join(" ")} ended with ${code}`);
  return clock.read();
}

/** Starts a process. The shell replaces itself by it; its output goes to a file, as under a process manager. */
function spawn(
  { args, env = {}, cwd = PROJECT }: Start,
  { input = "/dev/null", output = "/dev/null", stderr }: { input?: string; output?: string; stderr: "piped" | "null" },
): Deno.ChildProcess {
  const own = Object.fromEntries(ENVIRONMENT.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  return new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@" <"$INPUT" >"$OUTPUT"', Deno.execPath(), ...args],
    env: { ...own, INPUT: input, OUTPUT: output, ...env },
    clearEnv: true,
    cwd,
    stderr,
    // Ctrl-C reaches only the benchmark, which then ends its programs itself.
    detached: true,
  }).spawn();
}

/** Ends every program that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()));
}

function memoryOf(pid: number): Memory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
  return { now: field("VmRSS"), most: field("VmHWM"), anonymous: field("RssAnon") };
}
