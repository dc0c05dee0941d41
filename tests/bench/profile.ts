/**
 * The part `profile`: the cost of one session check for the service and for other programs, in turns over several
 * rounds, because a machine's speed changes from minute to minute.
 *
 * @module
 */
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { send, type Speed } from "./load.ts";
import type { Program } from "./program.ts";
import { emptyDatabase, fillBetterAuth, type Filled, fillService, startBare, startService } from "./servers.ts";
import { median, type Table } from "./table.ts";

interface Contender {
  name: string;
  program: Program;
  cookies: string[];
  path: string;
  count: number;
  /** The name of the program to compare with. */
  against?: string;
}

const CONNECTIONS = 16;
const SQLITE = "Hono + SQLite lookup, same headers",
  POSTGRES = "Hono + pg lookup, same headers";
const PEER = "better-auth, SQLite";

/** Measures session checks, in this many rounds of this many requests. */
export async function profile(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table> {
  const sqlite = await fillService(await startService(folder));
  const url = await emptyDatabase(postgres, "profile");
  const postgresService = await fillService(
    await startService(folder, { DATABASE_URL: url }),
  );
  const peer = await fillBetterAuth(
    await startBare("better_auth.ts", `${folder}/better_auth.db`),
  );
  const bare = async (
    file: string,
    filled: Filled,
    ...args: string[]
  ): Promise<Filled> => ({
    program: await startBare(file, ...args),
    cookies: filled.cookies,
  });
  const file = `${folder}/service.db`;
  const list: [string, Filled, string, number, string?][] = [
    ["Deno.serve alone", await bare("bare_deno.ts", sqlite), "/", count],
    [
      "Hono + SQLite lookup, no headers",
      await bare("bare_sqlite.ts", sqlite, file),
      "/profile",
      count,
      SQLITE,
    ],
    [
      SQLITE,
      await bare("bare_sqlite.ts", sqlite, file, "headers"),
      "/profile",
      count,
    ],
    ["Bienvenue, SQLite", sqlite, "/profile", count, SQLITE],
    ["Bienvenue, SQLite, GET /session", sqlite, "/session", count, SQLITE],
    [
      POSTGRES,
      await bare("bare_postgres.ts", postgresService, url, "headers"),
      "/profile",
      count,
    ],
    ["Bienvenue, PostgreSQL", postgresService, "/profile", count, POSTGRES],
    ["Bienvenue, PostgreSQL, GET /session", postgresService, "/session", count, POSTGRES],
    [PEER, peer, "/api/auth/get-session", Math.ceil(count / 20), SQLITE],
  ];
  const contenders: Contender[] = list.map((
    [name, filled, path, count, against],
  ) => ({
    name,
    ...filled,
    path,
    count,
    against,
  }));
  const rows = new Map(
    contenders.map(({ name }) => [name, [] as (Speed & { cpu: number })[]]),
  );
  // The first round is a warm-up and not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const measured = await measure(contender);
      if (round > 0) rows.get(contender.name)!.push(measured);
    }
  }
  const of = (name: string, key: "rate" | "p50" | "p99" | "cpu"): number =>
    median(rows.get(name)!.map((row) => row[key]));
  return {
    title: `Session checks, ${CONNECTIONS} connections, medians of ${rounds} rounds`,
    columns: [
      "server",
      "requests/s",
      "p50 ms",
      "p99 ms",
      "CPU µs a request",
      "peak memory MB",
      "CPU: times the bare lookup",
      "CPU: part of better-auth's",
    ],
    rows: contenders.map(({ name, program, against }) => [
      name,
      of(name, "rate"),
      of(name, "p50"),
      of(name, "p99"),
      of(name, "cpu"),
      program.memory().most,
      against === undefined ? undefined : of(name, "cpu") / of(against, "cpu"),
      of(name, "cpu") / of(PEER, "cpu"),
    ]),
  };
}

async function measure(
  { program, cookies, path, count }: Contender,
): Promise<Speed & { cpu: number }> {
  const before = program.cpu();
  const speed = await send({
    url: program.url + path,
    cookies,
    count,
    connections: CONNECTIONS,
  });
  return { ...speed, cpu: (program.cpu() - before) * 1_000 / count };
}
