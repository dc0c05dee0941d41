/**
 * A reader of the log that stands still: requests and the stop go on without it, and a reader that is there gets every
 * line. The output is a named pipe, which this test reads only when it says so.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createLog, MOST_WAITING_TEXT } from "../../auth/runtime/log.ts";
import { readMetrics } from "../kit/metrics_text.ts";
import { freePort } from "../kit/process/postgres_server.ts";
import {
  dataFolder,
  launch,
  type StartedService,
  type StartOptions,
  startService,
} from "../kit/process/started_service.ts";

/** What a pipe holds, in bytes: a service that waits for its reader stands still soon after these. */
const PIPE = 65_536;
/** How long a service may take to answer or to end, in milliseconds, so that one which hangs fails the test. */
const PATIENCE = 30_000;
/** Requests that a connection has sent and not read the answer of. */
const AT_ONCE = 100;

/** A named pipe whose reader stands still. */
interface Pipe extends AsyncDisposable {
  /** What a shell runs to start a service that writes to it. */
  before: string[];
  /** The same for standard output and standard error together. */
  beforeBoth: string[];
  /** Reads until the text has arrived, and gives all that was read. */
  readUntil(text: string): Promise<string>;
  /** Reads everything that was written; only after the last writer has ended. */
  readAll(): Promise<string>;
}

async function openPipe(): Promise<Pipe> {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-pipe-" });
  const path = `${folder}/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  // Both ends are open here, so the service never waits for another one, and never loses it.
  const file = await Deno.open(path, { read: true, write: true });
  // A file that waits in a read takes no write.
  const mark = await Deno.open(path, { write: true });
  const decoder = new TextDecoder();
  let text = "";
  const readUntil = async (end: string): Promise<string> => {
    const buffer = new Uint8Array(PIPE);
    while (!text.includes(end)) {
      text += decoder.decode(buffer.subarray(0, (await file.read(buffer))!), { stream: true });
    }
    return text;
  };
  const shell = (redirection: string): string[] => ["sh", "-c", `exec "$@" >"$0" ${redirection}`, path];
  return {
    before: shell(""),
    beforeBoth: shell("2>&1"),
    readUntil,
    readAll: async () => {
      const end = `end-${crypto.randomUUID()}\n`;
      const [all] = await Promise.all([readUntil(end), mark.write(new TextEncoder().encode(end))]);
      return all.slice(0, -end.length);
    },
    [Symbol.asyncDispose]: async () => {
      file.close();
      mark.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Sends this many requests over one connection, each with its own id, and waits for all answers. */
async function sendMany(url: string, connection: number, count: number): Promise<void> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const buffer = new Uint8Array(PIPE);
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const texts = Array.from(
      { length: AT_ONCE },
      (_, index) =>
        `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${idOf(connection, sent + index)}\r\n\r\n`,
    );
    const bytes = new TextEncoder().encode(texts.join(""));
    for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
    let received = "";
    while (received.split('{"status":"ok"}').length - 1 < AT_ONCE) {
      const length = await socket.read(buffer);
      assert.ok(length !== null, "the connection was closed");
      received += new TextDecoder().decode(buffer.subarray(0, length));
    }
  }
}

/** An id of the greatest length, since a log of long lines is full sooner. */
function idOf(connection: number, index: number): string {
  return `${connection}.${index}.`.padEnd(64, "x");
}

interface Line {
  request_id?: string;
  alarm?: string;
  count?: number;
}

/** The lines of a log; a line that is not whole fails the test. */
function linesOf(text: string): Line[] {
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** Fails when the lines of one connection are not in order, each once. Gives their number. */
function assertInOrder(lines: Line[], connection: number): number {
  const own = lines.flatMap(({ request_id }) => request_id?.startsWith(`${connection}.`) ? [request_id] : []);
  assert.deepEqual(own, own.map((_, index) => idOf(connection, index)));
  return own.length;
}

/** Starts a service that is killed when it has not ended in time. */
async function start(options: StartOptions): Promise<StartedService> {
  const service = await startService(options);
  killLate(service);
  return service;
}

function killLate({ pid, ended }: Pick<StartedService, "pid" | "ended">): void {
  const timer = setTimeout(() => Deno.kill(-pid, "SIGKILL"), PATIENCE);
  ended.finally(() => clearTimeout(timer));
}

for (const WORKERS of ["1", "2"]) {
  Deno.test(`B1: while nobody reads the log, requests are answered and SIGTERM ends the service [WORKERS=${WORKERS}]`, async () => {
    await using data = await dataFolder({ WORKERS });
    await using pipe = await openPipe();
    await using service = await start({ ...data.options, before: pipe.before });
    // Several times what the pipe holds, over as many connections that each worker has some.
    await Promise.all(Array.from({ length: 8 }, (_, connection) => sendMany(service.url, connection, 200)));
    assert.equal((await service.stop()).code, 0);
  });

  Deno.test(`B1: a reader that was away for a while gets every line, whole and in order [WORKERS=${WORKERS}]`, async () => {
    await using data = await dataFolder({ WORKERS });
    await using pipe = await openPipe();
    await using service = await start({ ...data.options, before: pipe.before });
    const connections = Array.from({ length: 8 }, (_, connection) => connection);
    await Promise.all(connections.map((connection) => sendMany(service.url, connection, 200)));
    // The last of each connection, so that nothing is left for the end.
    for (const connection of connections) await pipe.readUntil(idOf(connection, 199));
    assert.equal((await service.stop()).code, 0);
    const lines = linesOf(await pipe.readAll());
    for (const connection of connections) assert.equal(assertInOrder(lines, connection), 200);
    assert.deepEqual(lines.filter(({ alarm }) => alarm !== undefined), []);
  });
}

Deno.test("B1: lines beyond the bound are dropped and counted, and a line says so once the reader is back", async () => {
  const COUNT = 8_000;
  await using data = await dataFolder({ METRICS_PORT: "0", WORKERS: "1" });
  await using pipe = await openPipe();
  await using service = await start({ ...data.options, before: pipe.before });
  await sendMany(service.url, 0, COUNT);
  const metrics = /^ {2}metrics: {2}(\S+)$/m.exec(service.output.stderr)![1];
  const dropped = readMetrics(await (await fetch(metrics)).text()).get("bienvenue_log_lines_dropped_total")!;
  assert.ok(dropped > 0, "the queue has no bound");
  await pipe.readUntil("log_lines_dropped");
  await sendMany(service.url, 1, AT_ONCE);
  assert.equal((await service.stop()).code, 0);
  const lines = linesOf(await pipe.readAll());
  assert.equal(assertInOrder(lines, 0), COUNT - dropped);
  assert.equal(assertInOrder(lines, 1), AT_ONCE);
  const alarms = lines.filter(({ alarm }) => alarm !== undefined);
  assert.deepEqual(alarms.map(({ alarm, count }) => [alarm, count]), [["log_lines_dropped", dropped]]);
  assert.equal(lines.indexOf(alarms[0]), COUNT - dropped, "it stands where the lines are missing");
});

Deno.test("B1: standard error in the same pipe changes nothing", async () => {
  const port = freePort();
  await using data = await dataFolder({ PORT: String(port), WORKERS: "2" });
  await using pipe = await openPipe();
  const { child, ended } = launch({ ...data.options, before: pipe.beforeBoth });
  killLate({ pid: child.pid, ended });
  try {
    assert.match(
      await pipe.readUntil("  workers:  2\n"),
      new RegExp(`^Bienvenue listens on http://127.0.0.1:${port}$`, "m"),
    );
    const url = `http://127.0.0.1:${port}`;
    await Promise.all(Array.from({ length: 8 }, (_, connection) => sendMany(url, connection, 200)));
  } finally {
    Deno.kill(-child.pid, "SIGTERM");
    assert.equal((await ended).code, 0);
  }
});

/** A sink whose writes settle when the test says so. */
function heldSink(): { texts: string[]; sink: (text: string) => Promise<void>; settle: () => Promise<void> } {
  const texts: string[] = [];
  const held: (() => void)[] = [];
  return {
    texts,
    sink: (text) => {
      texts.push(text);
      return new Promise((resolve) => held.push(resolve));
    },
    settle: async () => {
      while (held.length > 0) {
        held.shift()!();
        // The log goes on in microtasks.
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      }
    },
  };
}

Deno.test("B1: a log keeps a bounded text, drops what comes later and reports its number", async () => {
  const { texts, sink, settle } = heldSink();
  let dropped = 0;
  const log = createLog(sink, (lines) => dropped += lines);
  // Every index has four digits, so all lines are of one length.
  const count = 9_000, line = (index: number) => ({ index: 1_000 + index, text: "x".repeat(400) });
  for (let index = 0; index < count; index++) log.write(line(index));
  const length = JSON.stringify(line(0)).length + 1;
  const kept = count - dropped;
  assert.ok(kept * length <= MOST_WAITING_TEXT && (kept + 1) * length > MOST_WAITING_TEXT, `${kept}`);
  const end = log.flush();
  await settle();
  await end;
  const lines = texts.join("").trimEnd().split("\n").map((text) => JSON.parse(text));
  assert.deepEqual(
    lines.slice(0, kept).map(({ index }) => index),
    Array.from({ length: kept }, (_, index) => 1_000 + index),
  );
  assert.deepEqual(lines.slice(kept).map(({ alarm, count }) => [alarm, count]), [["log_lines_dropped", dropped]]);
  log.write({ later: true });
  const last = log.flush();
  await settle();
  await last;
  assert.equal(texts.at(-1), '{"later":true}\n');
});

Deno.test("B1: the end waits for a reader that takes the rest, and not for one that never does", async () => {
  const away = createLog(() => new Promise(() => {}));
  away.write({ lost: true });
  await away.flush();
  const written: string[] = [];
  const slow = createLog(async (text) => {
    await Promise.resolve();
    written.push(text);
  });
  for (let index = 0; index < 100; index++) slow.write({ index, text: "x".repeat(400) });
  await slow.flush();
  assert.equal(written.join("").match(/"index":/g)!.length, 100);
});

Deno.test("B1: a pipe that refuses to wait, since somebody made it non-blocking, loses no line", async () => {
  await using data = await dataFolder({ WORKERS: "2" });
  await using pipe = await openPipe();
  const script = "import os,sys\nos.set_blocking(1, False)\nos.execvp(sys.argv[1], sys.argv[1:])";
  const before = [...pipe.before, "python3", "-c", script];
  await using service = await start({ ...data.options, before });
  await Promise.all([0, 1, 2, 3].map((connection) => sendMany(service.url, connection, 200)));
  for (const connection of [0, 1, 2, 3]) await pipe.readUntil(idOf(connection, 199));
  assert.equal((await service.stop()).code, 0);
  const lines = linesOf(await pipe.readAll());
  for (const connection of [0, 1, 2, 3]) assert.equal(assertInOrder(lines, connection), 200);
});
