/**
 * Limits the log lines of a repeated fault: the first one is written at once with its cause, then a count per minute.
 * Otherwise a database outage fills the disk with one line per request (F04). Must not decide what is a fault.
 *
 * @module
 */
import type { Log, LogEntry } from "./log.ts";

/** Time between two lines about the same fault, in milliseconds. */
const PAUSE = 60_000;

interface OpenFault {
  count: number;
  last: string;
  timer: ReturnType<typeof setInterval>;
}

/** The current faults, by code. */
export class FaultLog {
  readonly #log: Log;
  readonly #open = new Map<string, OpenFault>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Records a fault. `more` is written only with the first of its kind. */
  report(code: string, error: unknown, more: LogEntry = {}): void {
    const open = this.#open.get(code);
    if (open) {
      open.count++;
      open.last = textOf(error, "message");
      return;
    }
    this.#write(code, { count: 1, ...more, error: textOf(error, "stack") });
    const timer = setInterval(() => this.#repeat(code), PAUSE);
    Deno.unrefTimer(timer);
    this.#open.set(code, { count: 0, last: "", timer });
  }

  /** Writes the counts that are not written yet. */
  close(): void {
    for (const [code, { timer }] of this.#open) {
      clearInterval(timer);
      this.#repeat(code);
    }
    this.#open.clear();
  }

  /** A minute without this fault ends it: the next one is written at once again. */
  #repeat(code: string): void {
    const open = this.#open.get(code)!;
    if (open.count === 0) {
      clearInterval(open.timer);
      this.#open.delete(code);
      return;
    }
    this.#write(code, { count: open.count, seconds: PAUSE / 1_000, error: open.last });
    open.count = 0;
  }

  #write(code: string, entry: LogEntry): void {
    this.#log.write({ time: new Date().toISOString(), level: "warning", alarm: code, ...entry });
  }
}

function textOf(error: unknown, part: "stack" | "message"): string {
  return error instanceof Error ? error[part] ?? error.message : String(error);
}
