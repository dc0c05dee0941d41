/**
 * The log: one JSON object per line. Must never get a password, a cookie, a token or a query string.
 *
 * @module
 */

/** The fields of a line. */
export type LogEntry = Record<string, string | number | boolean | null | undefined>;

/** The line of a request. The route is its pattern, or null for a path without one; `ms` is how long it took. */
export type RequestLine = {
  time: string;
  request_id: string;
  method: string;
  route: string | null;
  status: number;
  ms: number;
  error_code?: string;
  ip?: string;
};

/** A log. */
export interface Log {
  /** Records an entry. Returns at once and never throws. */
  write(entry: LogEntry): void;
  /** Records a request. Takes less time than {@linkcode write}. */
  writeRequest(line: RequestLine): void;
  /** Writes all entries that are still in memory, for at most half a second. */
  flush(): void | Promise<void>;
}

/** Takes one piece of text. What it returns settles when the piece is written, and rejects when it is lost. */
type Sink = (text: string) => unknown;

/** Printable ASCII without the quote and the backslash: text that JSON does not change. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** How long a line may wait in memory for other lines, in milliseconds. */
const DELAY = 100;
/**
 * Characters that several workers give to the sink at once. A pipe takes 4,096 bytes as one piece, so that their lines do
 * not mix.
 */
const SHARED_PIECE = 4_096;
/** The same for one worker. Each write costs a turn of another thread, and one of the event loop. */
const OWN_PIECE = 65_536;
/** How many characters may wait for a reader that is too slow. */
export const MOST_WAITING_TEXT = 2 ** 20;
/** Longest wait for the reader at the end, in milliseconds: a worker and then the main thread have a second together. */
const LAST_WAIT = 500;

/**
 * A log that gives its lines to the sink in batches, one after another: one system call per request costs more than a
 * session check. Nobody waits for the sink, so a reader that stands still stops no request. Lines beyond the bound, and
 * lines that the sink loses (the disk is full), are dropped; `onDrop` gets their number. Once the reader has caught up,
 * a line says how many are missing. `alone` says that nobody else writes to the sink.
 */
export function createLog(sink: Sink, onDrop: (lines: number) => void = () => {}, { alone = false } = {}): Log {
  const most = alone ? OWN_PIECE : SHARED_PIECE;
  let open = "";
  const pieces: string[] = [];
  let waiting = 0;
  let dropped = 0;
  let full = false;
  let failing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;

  const drop = (lines: number): void => {
    dropped += lines;
    onDrop(lines);
  };
  const send = async (piece: string): Promise<void> => {
    try {
      await sink(piece);
      failing = false;
    } catch {
      // There is no other place to report it.
      failing = true;
    }
  };
  const sendAll = async (): Promise<void> => {
    while (pieces.length > 0 || (dropped > 0 && !failing)) {
      const piece = pieces.shift();
      if (piece !== undefined) {
        await send(piece);
        waiting -= piece.length;
        if (failing) drop(piece.split("\n").length - 1);
        continue;
      }
      const count = dropped;
      // Only now: a reader that is slow all the time would otherwise get a notice after every few lines.
      full = false;
      await send(toLine({ time: new Date().toISOString(), level: "warning", alarm: "log_lines_dropped", count }));
      if (!failing) dropped -= count;
    }
    full = false;
    writing = undefined;
  };
  const start = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (open !== "") pieces.push(open);
    open = "";
    if (pieces.length > 0) writing ??= sendAll();
  };
  const append = (line: string): void => {
    full ||= waiting + line.length > MOST_WAITING_TEXT;
    if (full) return drop(1);
    if (open.length + line.length > most) start();
    open += line;
    waiting += line.length;
    timer ??= setTimeout(start, DELAY);
  };
  return {
    async flush() {
      start();
      if (writing !== undefined) await within(LAST_WAIT, writing);
    },
    write: (entry) => append(toLine(entry)),
    writeRequest: (line) => append(requestLine(line)),
  };
}

/** Waits for the work, but not longer than this many milliseconds. */
export async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, milliseconds))]);
  clearTimeout(timer!);
}

/** Pause before a stream that takes nothing at present is tried again, in milliseconds. */
const RETRY = 50;

/**
 * Writes the whole text to standard output or standard error. Only the promise waits for the reader, never the thread:
 * Deno writes on a thread of its own. Rejects when the text cannot be written.
 */
export async function writeText(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await stream.write(bytes));
    } catch (error) {
      // Whoever shares the pipe may have made it non-blocking; then a full one refuses instead of waiting.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}

/** The sink of a service's log. */
export const standardOutput = (text: string): Promise<void> => writeText(Deno.stdout, text);

function toLine(entry: LogEntry): string {
  return escapeControls(JSON.stringify(entry)) + "\n";
}

/** The same text as of {@linkcode toLine}, put together by hand: JSON of an object takes twice the time. */
function requestLine({ time, request_id, method, route, status, ms, error_code, ip }: RequestLine): string {
  const refusal = error_code === undefined ? "" : `,"error_code":${quote(error_code)}`;
  const address = ip === undefined ? "" : `,"ip":${quote(ip)}`;
  return `{"time":${quote(time)},"request_id":${quote(request_id)},"method":${quote(method)},` +
    `"route":${route === null ? "null" : quote(route)},"status":${status},"ms":${ms}${refusal}${address}}\n`;
}

/** Text as JSON has it. Every text is looked at, also where only a plain one is expected (S23). */
function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeControls(JSON.stringify(text));
}

/** Escapes what JSON does not: characters that move a terminal's cursor or break a line in a viewer (S23). */
export function escapeControls(text: string): string {
  return text.replace(/[\x7f-\x9f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
