/**
 * The soak test (F28): 200 mixed requests a second for an hour, or `--minutes N`, on SQLite or on the database of
 * TEST_DATABASE_URL. Prints memory, open files and p99 of every minute, and how much they grow.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { mixedLoad, quantile, slope } from "./kit/mixed_load.ts";
import { openFiles, residentMemory } from "./kit/process/processes.ts";
import { dataFolder, startService } from "./kit/process/started_service.ts";

const RATE = 200;

const { values } = parseArgs({ args: Deno.args, options: { minutes: { type: "string", default: "60" } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1)) throw new Error("--minutes takes a number from 1 on");

const DATABASE_URL = Deno.env.get("TEST_DATABASE_URL");
await using data = await dataFolder({ BCRYPT_COST: "8", ...(DATABASE_URL && { DATABASE_URL }) });
await using service = await startService(data.options);
const load = await mixedLoad(service);
await load.send(RATE * 10, RATE);

const rows: { memory: number; files: number; p99: number }[] = [];
console.log("minute  requests  RSS MiB  fds  p50 ms  p99 ms");
for (let minute = 1; minute <= minutes; minute++) {
  const times = await load.send(RATE * 60, RATE);
  const row = {
    memory: residentMemory(service.pid) / 2 ** 20,
    files: openFiles(service.pid),
    p99: quantile(times, 0.99),
  };
  rows.push(row);
  const cells = [
    minute,
    times.length,
    row.memory.toFixed(1),
    row.files,
    quantile(times, 0.5).toFixed(2),
    row.p99.toFixed(2),
  ];
  console.log(cells.map((cell, index) => String(cell).padStart([6, 8, 7, 3, 6, 6][index])).join("  "));
}
const growth = (of: (row: typeof rows[number]) => number): string => slope(rows.map(of)).toFixed(3);
console.log(
  `a minute: RSS ${growth((row) => row.memory)} MiB, fds ${growth((row) => row.files)}, p99 ${
    growth((row) => row.p99)
  } ms`,
);
