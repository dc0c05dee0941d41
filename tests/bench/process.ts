/**
 * The parts about the process: `start`, the cost of the first answer; `memory`, the resident memory; `workers`, the
 * ways to use all cores.
 *
 * @module
 */
import { freePort, type PostgresServer } from "../kit/process/postgres_server.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { send } from "./load.ts";
import { cpuOf, type Program, type Start, start as startProgram } from "./program.ts";
import { accessTo, BENCH, emptyDatabase, type Filled, fillService, serviceIn, startService } from "./servers.ts";
import { median, type Table } from "./table.ts";

/** CPU time from the start of the process to its first answer, compared with a bare program with the same packages. */
export async function start(folder: string, rounds: number): Promise<Table> {
  const service: number[] = [], bare: number[] = [];
  // The first round fills the caches and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const port = freePort();
    const one = await untilAnswer(port, serviceIn(folder, { PORT: `${port}` }));
    const other = freePort();
    const args = ["run", "-A", `${BENCH}/bare_imports.ts`, `${other}`];
    const two = await untilAnswer(other, { args, cwd: BENCH });
    if (round > 0) service.push(one), bare.push(two);
  }
  return {
    title: `From the start of the process to its first answer, medians of ${rounds}`,
    columns: ["program", "CPU ms", "times the bare program"],
    rows: [
      ["bare Hono program with the same packages", median(bare), 1],
      ["Bienvenue, SQLite", median(service), median(service) / median(bare)],
    ],
  };
}

async function untilAnswer(port: number, start: Start): Promise<number> {
  let pid = 0;
  const program = startProgram({
    ...start,
    onSpawn: (spawned) => pid = spawned,
  });
  const end = performance.now() + 20_000;
  let cpu: number | undefined;
  while (cpu === undefined && performance.now() < end) {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (response) cpu = cpuOf(pid);
    await response?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await (await program).stop();
  if (cpu === undefined) throw new Error(`process ${pid} gave no answer`);
  return cpu;
}

/** Resident memory after the start, halfway and after this many session checks. */
export async function memory(
  folder: string,
  postgres: PostgresServer,
  count: number,
): Promise<Table> {
  const rows: Table["rows"] = [];
  for (const [name, url] of await engines(folder, "memory", postgres)) {
    const { program: first, cookies } = await fillService(
      await startService(folder, { DATABASE_URL: url }),
    );
    await first.stop();
    const program = await startService(folder, { DATABASE_URL: url });
    const after = [program.memory().now];
    for (let half = 0; half < 2; half++) {
      await send({
        url: `${program.url}/profile`,
        cookies,
        count: count / 2,
        connections: 16,
      });
      after.push(program.memory().now);
    }
    rows.push([name, ...after, program.memory().most]);
    await program.stop();
  }
  return {
    title: `Resident memory in MB, one worker, ${count.toLocaleString("en")} session checks`,
    columns: ["engine", "after the start", "after half", "after all", "most"],
    rows,
  };
}

/** Session checks per second for every way of using two cores. */
export async function workers(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table> {
  const rows: Table["rows"] = [];
  for (const [engine, url] of await engines(folder, "workers", postgres)) {
    const { program, cookies } = await fillService(
      await startService(folder, { DATABASE_URL: url }),
    );
    await program.stop();
    const ways: [string, Filled["program"][]][] = [
      ["1 worker", [await startService(folder, { DATABASE_URL: url })]],
      ["2 workers, threads (the default)", [
        await startService(folder, { DATABASE_URL: url, WORKERS: "2" }),
      ]],
      ["deno serve --parallel", [await parallel(folder, url)]],
      ["2 processes on one port", await processes(folder, url)],
    ];
    const rates = new Map(ways.map(([name]) => [name, [] as number[]]));
    const costs = new Map(ways.map(([name]) => [name, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, programs] of ways) {
        const before = cpuSum(programs);
        const { rate } = await send({
          url: `${programs[0].url}/profile`,
          cookies,
          count,
          connections: 32,
        });
        if (round === 0) continue;
        rates.get(name)!.push(rate);
        costs.get(name)!.push((cpuSum(programs) - before) * 1_000 / count);
      }
    }
    const [first] = ways[0];
    const [oneRate, oneCost] = [median(rates.get(first)!), median(costs.get(first)!)];
    for (const [name, programs] of ways) {
      const rate = median(rates.get(name)!);
      const most = programs.reduce(
        (sum, program) => sum + program.memory().most,
        0,
      );
      const cost = median(costs.get(name)!);
      // With two cores the maximum is twice the rate of one. A higher CPU cost per request on two cores lowers it.
      const free = name === first ? 1 : 2 * oneCost / cost;
      rows.push([`${engine}: ${name}`, rate, rate / oneRate, cost, free, most]);
      for (const program of programs) await program.stop();
    }
  }
  return {
    title: `All cores, medians of ${rounds} rounds; the load takes its part of the same cores`,
    columns: [
      "way",
      "requests/s",
      "times one worker",
      "CPU µs a request",
      "times one worker, on two cores of its own",
      "peak memory MB",
    ],
    rows,
  };
}

/** User and system time of all these processes so far, in milliseconds. */
function cpuSum(programs: Program[]): number {
  return programs.reduce((sum, program) => sum + program.cpu(), 0);
}

/** Both engines, each with an empty database of this name. */
async function engines(
  folder: string,
  name: string,
  postgres: PostgresServer,
): Promise<[string, string][]> {
  return [
    ["SQLite", `sqlite:${folder}/${name}.db`],
    ["PostgreSQL", await emptyDatabase(postgres, name)],
  ];
}

function parallel(folder: string, url: string): Promise<Program> {
  const port = `${freePort()}`;
  const args = [
    "serve",
    "--no-prompt",
    "--parallel",
    "--host",
    "127.0.0.1",
    "--port",
    port,
    "-P=start",
  ];
  const env = {
    DENO_JOBS: "2",
    PORT: port,
    DATABASE_URL: url,
    BCRYPT_COST: "4",
  };
  return startProgram({
    args: [
      ...args,
      ...accessTo(folder),
      `${PROJECT}/tests/bench/one_worker.ts`,
    ],
    env,
  });
}

function processes(folder: string, url: string): Promise<Program[]> {
  const env = { PORT: `${freePort()}`, DATABASE_URL: url, BCRYPT_COST: "4" };
  const args = [
    "run",
    "--no-prompt",
    "-P=start",
    "--config",
    `${PROJECT}/deno.json`,
    ...accessTo(folder),
  ];
  const one = () =>
    startProgram({
      args: [...args, `${PROJECT}/tests/bench/one_worker.ts`, "shared"],
      env,
    });
  return Promise.all([one(), one()]);
}
