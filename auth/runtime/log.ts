/**
 * The log: one JSON object a line. Must never be handed a password, a cookie, a token or a query string.
 *
 * @module
 */

/** What a line may hold. */
export type LogEntry = Record<string, string | number | boolean | null | undefined>;

/** Takes entries. */
export interface Log {
  /** Notes one entry; returns at once and never throws. */
  write(entry: LogEntry): void;
  /** Brings everything noted so far out of the process. */
  flush(): void;
}

/** How long a line may wait in memory for others to be written with it, in milliseconds. */
const DELAY = 100;
/** How many characters may wait: a pipe takes 4,096 bytes as one piece, so that workers do not write into each other. */
const MOST = 4_096;

/**
 * A log that hands its lines to the sink in batches, since one system call a request costs more than a session check.
 * A sink that throws (the disk is full) loses lines and nothing else.
 */
export function createLog(sink: (text: string) => void): Log {
  let waiting = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = "";
    try {
      if (text !== "") sink(text);
    } catch {
      // There is nowhere left to say it.
    }
  };
  return {
    flush,
    write(entry) {
      const line = escapeControls(JSON.stringify(entry)) + "\n";
      if (waiting.length + line.length > MOST) flush();
      waiting += line;
      timer ??= setTimeout(flush, DELAY);
    },
  };
}

/** Writes to standard output, all of it: a pipe may take less at once. */
export function standardOutput(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

/** JSON leaves some characters as they are that move a terminal's cursor or break a line in a viewer (S23). */
export function escapeControls(text: string): string {
  return text.replace(/[\x7f-\x9f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
