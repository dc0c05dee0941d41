/**
 * The process: reads the environment, opens the database, starts the configured number of workers, and stops them in
 * order. With a command as its arguments it is the command line instead.
 *
 * @module
 */
import type { Auth } from "./auth/auth.ts";
import { type Config, ConfigError, parseConfig } from "./auth/config.ts";
import { openAuth } from "./auth/open.ts";
import type { BcryptKind } from "./auth/runtime/bcrypt.ts";
import { newHashCounts } from "./auth/runtime/hash_queue.ts";
import { createLog, standardOutput, within, writeText } from "./auth/runtime/log.ts";
import { METRIC, Metrics, newMetricsMemory } from "./auth/runtime/metrics.ts";
import type { MetricsServer } from "./routes/server/metrics_server.ts";
import { type Server, startServer } from "./routes/server/server.ts";
import { startWorker } from "./routes/server/worker.ts";

/**
 * A signal to a process group can arrive twice at once. Only one that comes this many milliseconds later ends it at
 * once.
 */
const HASTE_AFTER = 1_000;

/** How long the reason of a failed start may wait for its reader, in milliseconds. */
const LAST_WORDS = 1_000;

/** Serves until the process is told to stop. */
async function main(config: Readonly<Config>): Promise<void> {
  const folder = import.meta.dirname!;
  const hashCounts = newHashCounts();
  const metricsMemory = newMetricsMemory(config.workers);
  const metrics = new Metrics(metricsMemory);
  const alone = config.workers === 1;
  const log = createLog(standardOutput, (lines) => metrics.add(METRIC.logLinesDropped, lines), { alone });
  const auth = await openAuth(config, { folder, hashCounts, metrics, log });
  const server = await startServer(auth);
  const shown = await metricsServer(auth, server);
  const stops = [server.drain];
  stopOnSignal(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await shown?.stop();
    // Last and alone: when connections close at the same moment, none writes the write-ahead log into the file (F18).
    await server.close();
  });
  // Only now, so that loading bcrypt delays no first request. But before the workers, which load it too.
  const bcrypt = await auth.bcrypt.kind();
  const { port, url } = server;
  const workers = port === undefined ? 1 : config.workers;
  for (let index = 1; index < workers; index++) {
    stops.push(await startWorker({ config, folder, port: port!, hashCounts, metricsMemory, index }));
  }
  // Not by console.error, which waits for the reader and lets all requests wait with it.
  writeText(Deno.stderr, `${startBlock(auth, { url, workers, bcrypt, metrics: shown?.url })}\n`).catch(() => {});
}

function stopOnSignal(stop: () => Promise<void>): void {
  let toldAt: number | undefined;
  const told = async (): Promise<void> => {
    if (toldAt !== undefined) {
      if (performance.now() - toldAt >= HASTE_AFTER) Deno.exit(1);
      return;
    }
    toldAt = performance.now();
    await stop();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGTERM", told);
  Deno.addSignalListener("SIGINT", told);
}

/** Loads the metrics server only when metrics are configured. */
async function metricsServer(auth: Auth, { counts }: Server): Promise<MetricsServer | undefined> {
  if (auth.config.metrics === undefined) return undefined;
  const { startMetricsServer } = await import("./routes/server/metrics_server.ts");
  return startMetricsServer(auth, counts, auth.config.metrics);
}

/** What the start block shows besides settings and database. */
interface Started {
  url: string;
  workers: number;
  bcrypt: BcryptKind;
  metrics: string | undefined;
}

function startBlock({ config, db }: Auth, { url, workers, bcrypt, metrics }: Started): string {
  const lines = [
    `Bienvenue listens on ${url}`,
    config.profile === "local"
      ? "  profile:  local, for this machine only; reset tokens are handed out over HTTP"
      : `  profile:  public, at ${config.publicUrl}`,
    `  database: ${db.place}`,
    `  workers:  ${workers}`,
  ];
  if (metrics) lines.push(`  metrics:  ${metrics}`);
  if (bcrypt !== "native") {
    const where = bcrypt === "workers" ? "" : " on the main thread";
    lines.push(`  hashing:  WebAssembly${where}, since the native addon cannot be loaded`);
  }
  if (config.bcryptCost < 10) {
    lines.push(`  warning:  BCRYPT_COST=${config.bcryptCost} is for tests, not for real passwords`);
  }
  return lines.join("\n");
}

/** Runs a command. The code of the commands is loaded only here. */
async function command(words: string[]): Promise<number> {
  const { runCommand } = await import("./routes/cli/cli.ts");
  return await runCommand(words, {
    get: (name) => Deno.env.get(name),
    folder: import.meta.dirname!,
    print: console.log,
    note: console.error,
    input: Deno.stdin.readable,
    redraw: Deno.stderr.isTerminal() ? drawLine : undefined,
  });
}

/** Replaces the line that was drawn before: goes to its start and clears the rest of it. */
function drawLine(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`\r${text}\x1b[K`));
}

try {
  // The task `bienvenue` adds this first word. Without a command it prints the overview.
  if (Deno.args[0] === "bienvenue") Deno.exit(await command(Deno.args.slice(1)));
  if (Deno.args.length > 0 && Deno.args[0] !== "serve") Deno.exit(await command(Deno.args));
  // `deno task start` adds `serve`: a worker for each core, unless WORKERS is set. Without `serve` there is one worker.
  const workers = Deno.args[0] === "serve" ? navigator.hardwareConcurrency : 1;
  await main(parseConfig((name) => Deno.env.get(name) || (name === "WORKERS" ? String(workers) : undefined)));
} catch (error) {
  // A sentence for what the operator can correct; a stack only for a fault of the program.
  const plain = error instanceof ConfigError || (error as Error).name === "DatabaseRefused";
  const text = plain ? `Bienvenue does not start:\n${(error as Error).message}` : Deno.inspect(error);
  await within(LAST_WORDS, writeText(Deno.stderr, `${text}\n`).catch(() => {}));
  Deno.exit(1);
}
