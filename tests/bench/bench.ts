/**
 * `deno task bench`: measures the service beside bare programs and a competitor, prints Markdown tables, and saves the
 * numbers as JSON in the folder data. Words choose parts, `--long` takes more rounds, `--write` puts the tables into
 * docs/speed.md. All programs run on loopback and end with it.
 *
 * @module
 */
import { startPostgres } from "../kit/process/postgres_server.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { SENDER, stopSending } from "./load.ts";
import { login, storm } from "./logins.ts";
import { million } from "./million.ts";
import { pages } from "./pages.ts";
import { parts } from "./parts.ts";
import { memory, start } from "./process.ts";
import { peers, profile, refused } from "./profile.ts";
import { stopAll } from "./program.ts";
import { put } from "./report.ts";
import { markdown, type Table } from "./table.ts";
import { workers } from "./workers.ts";
import { fsyncs, importing } from "./writes.ts";

const long = Deno.args.includes("--long"), write = Deno.args.includes("--write");
const root = await Deno.makeTempDir({ prefix: "bienvenue-bench-" });
const postgres = await startPostgres();

/** One amount for a quick run and one for a long run. */
const either = <T>(quick: T, whole: T): T => long ? whole : quick;

/** Every part by its name; each has a folder of its own. */
const PARTS: Record<string, (folder: string) => Promise<Table[]>> = {
  profile: (folder) =>
    profile(
      folder,
      postgres,
      either({ launches: 2, rounds: 3, count: 4_000 }, { launches: 4, rounds: 6, count: 16_000 }),
    ),
  peers: (folder) =>
    peers(folder, either({ launches: 2, rounds: 3, count: 3_000 }, { launches: 4, rounds: 5, count: 10_000 })),
  refused: (folder) => refused(folder, postgres, either({ rounds: 5, count: 3_000 }, { rounds: 12, count: 10_000 })),
  million: (folder) =>
    million(folder, either(50_000, 1_000_000), either({ rounds: 5, count: 3_000 }, { rounds: 15, count: 10_000 })),
  memory: (folder) => memory(folder, postgres, either(40_000, 1_000_000)),
  pages: (folder) => pages(folder, postgres, either({ rounds: 5, count: 100 }, { rounds: 12, count: 200 })),
  start: (folder) => start(folder, either(5, 15)),
  login: (folder) => login(folder, postgres, either({ rounds: 3, count: 16 }, { rounds: 6, count: 48 })),
  storm: (folder) =>
    storm(folder, either({ rounds: 2, seconds: 3, count: 5_000 }, { rounds: 5, seconds: 6, count: 20_000 })),
  fsyncs: (folder) => fsyncs(folder, either(20, 100)),
  import: (folder) => importing(folder, postgres, either({ rounds: 2, count: 5_000 }, { rounds: 3, count: 20_000 })),
  workers: (folder) => workers(folder, postgres, either({ rounds: 3, count: 5_000 }, { rounds: 6, count: 30_000 })),
  parts,
};

/** The shutdown of all programs, started once by the first caller. */
let ending: Promise<void> | undefined;
function end(): Promise<void> {
  return ending ??= (async () => {
    stopSending();
    await stopAll();
    await postgres.stop();
    await Deno.remove(root, { recursive: true });
  })();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => void end().then(() => Deno.exit(130)));
}

/** The machine and its load: what else ran at this time decides how far the figures can be trusted. */
function circumstances(before: number): string {
  const model = /^model name\s*: (.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown processor";
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const [after] = Deno.loadavg();
  return `${
    new Date().toISOString().slice(0, 10)
  }, ${navigator.hardwareConcurrency} cores (${model}), ${memory} GiB, ` +
    `Deno ${Deno.version.deno}, load by ${SENDER}; load average ${before.toFixed(1)} before and ${
      after.toFixed(1)
    } after.`;
}

try {
  const words = Deno.args.filter((word) => !word.startsWith("--"));
  const measured: Record<string, { circumstances: string; tables: Table[] }> = {};
  for (const word of words.length > 0 ? words : Object.keys(PARTS)) {
    const part = PARTS[word];
    if (part === undefined) throw new Error(`there is no part ${word}; there are ${Object.keys(PARTS).join(", ")}`);
    const folder = `${root}/${word}`;
    await Deno.mkdir(folder);
    const [before] = Deno.loadavg();
    const tables = await part(folder);
    await stopAll();
    await Deno.remove(folder, { recursive: true });
    measured[word] = { circumstances: circumstances(before), tables };
    const text = [...tables.map(markdown), measured[word].circumstances, ""].join("\n");
    console.log(text);
    if (write) await put(word, text);
  }
  await Deno.mkdir(`${PROJECT}/data`, { recursive: true, mode: 0o700 });
  const file = `${PROJECT}/data/bench-${new Date().toISOString().replaceAll(":", "")}.json`;
  await Deno.writeTextFile(file, JSON.stringify(measured, null, 1));
} finally {
  await end();
}
