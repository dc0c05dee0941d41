/**
 * The parts about one process: `start`, the cost of the first answer, and `memory`.
 *
 * @module
 */
import { freePort, type PostgresServer } from "../kit/process/postgres_server.ts";
import { CpuClock } from "./cpu.ts";
import { send } from "./load.ts";
import { type Start, start as startProgram } from "./program.ts";
import { inRounds } from "./rounds.ts";
import { BENCH, engines, fillService, serviceIn, startService } from "./servers.ts";
import type { Table } from "./table.ts";

const BARE = "bare Hono program with the same packages", OURS = "Bienvenue, SQLite";

/** CPU time from the start of the process to its first answer, compared with a bare program with the same packages. */
export async function start(folder: string, rounds: number): Promise<Table[]> {
  const bare = (port: number): Start => ({ args: ["run", "-A", `${BENCH}/bare_imports.ts`, `${port}`], cwd: BENCH });
  const ours = (port: number): Start => serviceIn(folder, { PORT: `${port}` });
  const contender = (name: string, startOn: (port: number) => Start) => {
    // Compiled code is valid for one set of V8's flags. In one folder each start would throw that of the other away.
    const DENO_DIR = `${folder}/${name.replaceAll(/\W/g, "_")}`;
    const slice = async () => {
      const port = freePort(), { env, ...rest } = startOn(port);
      return { cpu: await untilAnswer(port, { ...rest, env: { ...env, DENO_DIR } }) };
    };
    return { name, slice };
  };
  const compared = { key: "cpu", name: OURS, against: BARE };
  const contenders = [contender(BARE, bare), contender(OURS, ours)];
  // The first start compiles.
  for (const { slice } of contenders) await slice();
  const results = await inRounds(contenders, rounds, [compared]);
  return [{
    title: `From the start of the process to its first answer, ${results.count} rounds`,
    columns: ["program", "CPU ms", "times the bare program"],
    rows: [
      [BARE, results.spread(BARE, "cpu"), 1],
      [OURS, results.spread(OURS, "cpu"), results.ratio(compared)],
    ],
  }];
}

async function untilAnswer(port: number, start: Start): Promise<number> {
  let clock = new CpuClock(() => []);
  const program = startProgram({ ...start, onSpawn: (pid) => clock = new CpuClock(() => [pid]) });
  const end = performance.now() + 20_000;
  let cpu: number | undefined;
  while (cpu === undefined && performance.now() < end) {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    // Read each time, so that no thread ends unseen.
    const now = clock.read();
    if (response) cpu = now;
    await response?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await (await program).stop();
  if (cpu === undefined) throw new Error(`nothing answered on port ${port}`);
  return cpu;
}

/** Resident memory after the start, halfway and after this many session checks. */
export async function memory(folder: string, postgres: PostgresServer, count: number): Promise<Table[]> {
  const rows: Table["rows"] = [];
  for (const [name, url] of await engines(folder, "memory", postgres)) {
    const { program: first, cookies } = await fillService(folder, { DATABASE_URL: url });
    await first.stop();
    const program = await startService(folder, { DATABASE_URL: url });
    const readings = [program.memory()];
    for (let half = 0; half < 2; half++) {
      await send({ url: `${program.url}/profile`, cookies, count: count / 2, connections: 16 });
      readings.push(program.memory());
    }
    rows.push([`${name}, anonymous`, ...readings.map(({ anonymous }) => anonymous), undefined]);
    rows.push([`${name}, with the pages of files`, ...readings.map(({ now }) => now), readings[2].most]);
    await program.stop();
  }
  return [{
    title: `Resident memory in MB, one worker, ${count.toLocaleString("en")} session checks`,
    columns: ["engine", "after the start", "after half", "after all", "most"],
    rows,
  }];
}
