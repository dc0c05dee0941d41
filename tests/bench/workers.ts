/**
 * The part `workers`: the ways to use all cores.
 *
 * @module
 */
import { freePort, type PostgresServer } from "../kit/process/postgres_server.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { send } from "./load.ts";
import { type Program, start as startProgram } from "./program.ts";
import { inRounds } from "./rounds.ts";
import { accessTo, engines, fillService, startService } from "./servers.ts";
import type { Table } from "./table.ts";

const ONE = "1 worker";

/** Session checks per second for every way of using two cores. */
export async function workers(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table[]> {
  const rows: Table["rows"] = [];
  for (const [engine, url] of await engines(folder, "workers", postgres)) {
    const { program, cookies } = await fillService(folder, { DATABASE_URL: url });
    await program.stop();
    const ways: [string, Program[]][] = [
      [ONE, [await startService(folder, { DATABASE_URL: url })]],
      ["2 workers, threads (the default)", [await startService(folder, { DATABASE_URL: url, WORKERS: "2" })]],
      ["`deno serve --parallel`", [await parallel(folder, url)]],
      ["2 processes on one port", await processes(folder, url)],
    ];
    const contenders = ways.map(([name, programs]) => ({
      name,
      slice: async () => {
        const cpu = (): number => programs.reduce((sum, program) => sum + program.cpu(), 0);
        const before = cpu();
        const { rate } = await send({ url: `${programs[0].url}/profile`, cookies, count, connections: 32 });
        return { rate, cpu: (cpu() - before) * 1_000 / count };
      },
    }));
    const ratios = ways.slice(1).map(([name]) => ({ key: "cpu", name, against: ONE }));
    const results = await inRounds(contenders, rounds, ratios);
    for (const [name, programs] of ways) {
      rows.push([
        `${engine}: ${name}`,
        results.median(name, "rate"),
        results.spread(name, "cpu"),
        name === ONE ? 1 : results.ratio({ key: "cpu", name, against: ONE }),
        // With two cores the maximum is twice the rate of one. A higher cost of a request lowers it.
        name === ONE ? 1 : 2 * results.median(ONE, "cpu") / results.median(name, "cpu"),
        programs.reduce((sum, program) => sum + program.memory().most, 0),
      ]);
      for (const program of programs) await program.stop();
    }
  }
  return [{
    title: "All cores; the load takes its part of the same cores",
    columns: ["way", "requests/s", "CPU µs", "times 1 worker", "rate on 2 cores of its own", "peak MB"],
    rows,
  }];
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
