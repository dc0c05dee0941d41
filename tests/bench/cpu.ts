/**
 * The CPU time of processes, by the kernel's own account of each thread in nanoseconds (`/proc/PID/task/TID/schedstat`).
 * Must not lose the time of a thread or process that has ended meanwhile.
 *
 * @module
 */

/** Clock ticks per second in /proc/PID/stat; always 100 on Linux (proc(5)). */
const TICKS = 100;

/** The CPU time of all threads of these processes. The list is read anew each time: a server may fork. */
export class CpuClock {
  readonly #pids: () => Iterable<number>;
  readonly #processes = new Map<number, ProcessClock>();

  constructor(pids: () => Iterable<number>) {
    this.#pids = pids;
  }

  /** The CPU time so far, in milliseconds. */
  read(): number {
    for (const pid of this.#pids()) {
      if (!this.#processes.has(pid)) this.#processes.set(pid, new ProcessClock(pid));
    }
    return this.#processes.values().reduce((sum, process) => sum + process.read(), 0) / 1e6;
  }
}

/** One process. It keeps its last reading when the process has ended. */
class ProcessClock {
  readonly #pid: number;
  #threads = new Map<string, number>();
  /** The time of threads that have ended, in nanoseconds. */
  #ended = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** The CPU time so far, in nanoseconds. */
  read(): number {
    try {
      // Read first: it must not count what the threads do after it.
      const whole = wholeProcess(this.#pid);
      const threads = threadsOf(this.#pid);
      for (const [id, time] of this.#threads) {
        // Less time than before: a new thread has the number of one that ended.
        if ((threads.get(id) ?? -1) < time) this.#ended += time;
      }
      this.#threads = threads;
      // What a thread did between the last reading and its end is only in the sum of the process, which has whole ticks.
      this.#ended += Math.max(0, whole - this.#sum());
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return this.#sum();
  }

  #sum(): number {
    return this.#threads.values().reduce((sum, time) => sum + time, this.#ended);
  }
}

function threadsOf(pid: number): Map<string, number> {
  const threads = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      const [time] = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ");
      threads.set(name, Number(time));
    } catch {
      // The thread ended after the folder was listed.
    }
  }
  return threads;
}

/** User and system time of the process with its ended threads, in nanoseconds, rounded down to ticks. */
function wholeProcess(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * 1e9 / TICKS;
}

/** The process and its children; PostgreSQL has one for each connection. */
export function familyOf(parent: number): number[] {
  const family = [parent];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(fieldsOf(Number(name))[1]) === parent) family.push(Number(name));
    } catch {
      // It ended after the folder was listed.
    }
  }
  return family;
}

/** The fields of /proc/PID/stat from number 3 on. The name in brackets before them may contain any character. */
function fieldsOf(pid: number): string[] {
  return Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
}
