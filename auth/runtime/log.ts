/**
 * The log: one JSON object per line. Must never get a password, a cookie, a token or a query string.
 *
 * @module
 */

/** The fields of a line. */
export type LogEntry = Record<string, string | number | boolean | null | undefined>;

/** A log. */
export interface Log {
  /** Records an entry. Returns at once and never throws. */
  write(entry: LogEntry): void;
  /** Writes all entries that are still in memory. */
  flush(): void;
}

/** How long a line may wait in memory for other lines, in milliseconds. */
const DELAY = 100;
/** How many characters may wait. A pipe takes 4,096 bytes as one piece, so that lines of workers do not mix. */
const MOST = 4_096;

/**
 * A log that gives its lines to the sink in batches: one system call per request costs more than a session check. If
 * the sink throws (the disk is full), lines are lost and nothing else.
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
      // There is no other place to report it.
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

/** Writes the whole text to standard output. A pipe may take only a part of it at once. */
export function standardOutput(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

/** Escapes what JSON does not: characters that move a terminal's cursor or break a line in a viewer (S23). */
export function escapeControls(text: string): string {
  return text.replace(/[\x7f-\x9f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
