/**
 * The part `parts`: the cost of each piece of a session check, by `deno bench`. Must not measure itself.
 *
 * @module
 */
import { BENCH } from "./servers.ts";
import type { Table } from "./table.ts";

/** The output of `deno bench --json` for one benchmark; times are in nanoseconds. */
interface Measured {
  name: string;
  results: { ok?: { avg: number; p99: number } }[];
}

/** Runs the microbenchmarks, and returns a row for each. */
export async function parts(): Promise<Table[]> {
  const args = ["bench", "--json", "-A", `${BENCH}/hot_path_bench.ts`];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: BENCH, stderr: "null" }).output();
  const { benches }: { benches: Measured[] } = JSON.parse(new TextDecoder().decode(stdout));
  return [{
    title: "The parts of a session check",
    columns: ["part", "µs", "p99 µs"],
    rows: benches.map(({ name, results: [{ ok }] }) => [name, ok && ok.avg / 1_000, ok && ok.p99 / 1_000]),
  }];
}
