/**
 * `deno task bench`: measures the service beside bare programs and a competitor, prints Markdown tables, and saves the
 * numbers as JSON in the folder data. Arguments choose parts, `--long` takes more rounds. All programs run on loopback
 * and end with it.
 *
 * @module
 */
import { startPostgres } from "../kit/process/postgres_server.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { SENDER, stopSending } from "./load.ts";
import { login, storm } from "./logins.ts";
import { million } from "./million.ts";
import { parts } from "./parts.ts";
import { memory, start, workers } from "./process.ts";
import { profile } from "./profile.ts";
import { stopAll } from "./program.ts";
import { markdown, type Table } from "./table.ts";

const long = Deno.args.includes("--long");
const folder = await Deno.makeTempDir({ prefix: "bienvenue-bench-" });
const postgres = await startPostgres();

/** Every part by its name. */
const PARTS: Record<string, () => Promise<Table>> = {
  profile: () =>
    profile(
      folder,
      postgres,
      long ? { rounds: 9, count: 50_000 } : { rounds: 5, count: 10_000 },
    ),
  login: () => login(folder, postgres, long ? { rounds: 5, count: 100 } : { rounds: 3, count: 16 }),
  start: () => start(folder, long ? 15 : 5),
  memory: () => memory(folder, postgres, long ? 1_000_000 : 40_000),
  workers: () =>
    workers(
      folder,
      postgres,
      long ? { rounds: 7, count: 50_000 } : { rounds: 3, count: 5_000 },
    ),
  storm: () =>
    storm(
      folder,
      long ? { seconds: 60, count: 20_000 } : { seconds: 8, count: 5_000 },
    ),
  parts,
  million: () => million(folder, long ? 1_000_000 : 50_000),
};
const QUICK = Object.keys(PARTS);

/** The shutdown of all programs, started once by the first caller. */
let ending: Promise<void> | undefined;
function end(): Promise<void> {
  return ending ??= (async () => {
    stopSending();
    await stopAll();
    await postgres.stop();
    await Deno.remove(folder, { recursive: true });
  })();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => void end().then(() => Deno.exit(130)));
}

try {
  const words = Deno.args.filter((word) => word !== "--" && word !== "--long");
  const tables: Table[] = [];
  for (const word of words.length > 0 ? words : QUICK) {
    const part = PARTS[word];
    if (part === undefined) {
      throw new Error(
        `there is no part ${word}; there are ${Object.keys(PARTS).join(", ")}`,
      );
    }
    const table = await part();
    tables.push(table);
    console.log(markdown(table));
    await stopAll();
  }
  const machine = `${navigator.hardwareConcurrency} cores, ${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`;
  const date = new Date().toISOString();
  const [load] = Deno.loadavg();
  console.log(
    `${date.slice(0, 10)}, ${machine}, Deno ${Deno.version.deno}, load by ${SENDER}, load average at the end ${
      load.toFixed(1)
    }.`,
  );
  await Deno.mkdir(`${PROJECT}/data`, { recursive: true, mode: 0o700 });
  const file = `${PROJECT}/data/bench-${date.replaceAll(":", "")}.json`;
  await Deno.writeTextFile(
    file,
    JSON.stringify({ date, machine, sender: SENDER, load, tables }, null, 1),
  );
} finally {
  await end();
}
