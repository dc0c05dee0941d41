/**
 * The parts `profile`, `peers` and `refused`: the CPU time of one session check, for the service and for other programs.
 *
 * @module
 */
import { randomToken } from "../../auth/secrets.ts";
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { CpuClock } from "./cpu.ts";
import { send } from "./load.ts";
import { cookieFile, cookieOf } from "./people.ts";
import { type Program, stopAll } from "./program.ts";
import { type Compared, type Contender, type Figures, inLaunches, inRounds, type Results } from "./rounds.ts";
import { emptyDatabase, fillService, serverPids, startBare, startFilled, startService } from "./servers.ts";
import type { Cell, Table } from "./table.ts";

/** How much is measured. */
export interface Amount {
  rounds: number;
  /** Requests of one slice. */
  count: number;
}

/** The same, with programs that are started several times. */
export interface Launches extends Amount {
  launches: number;
}

/** What is asked, and of whom. */
export interface Asked {
  name: string;
  program: Program;
  cookies: string;
  /** `/profile` when absent. */
  path?: string;
  status?: number;
  accept?: string;
  /** It gets one request of this many, because it is slow. */
  share?: number;
}

const TOKENS = 10_000;
/** CPU time before the first slice that counts, in milliseconds: V8 compiles only what has run often. */
const WARM_UP = 1_000;
const SQLITE = "Hono + SQLite lookup", POSTGRES = "Hono + `pg` lookup";
const HS256 = "Hono + `jose` HS256", ES256 = "Hono + `jose` ES256";
const BARE_AGAIN = "the same program again";
const OURS = "Bienvenue, `GET /profile`", SESSION = "Bienvenue, `GET /session`";

/** A program whose slices are checks over this many connections. `server` measures the database's processes. */
export function checks(asked: Asked, count: number, connections: number, server?: CpuClock): Contender {
  const { name, program, cookies, path = "/profile", status, accept } = asked;
  const slice = async (): Promise<Figures> => {
    const [before, serverBefore] = [program.cpu(), server?.read() ?? 0];
    const speed = await send({ url: program.url + path, cookies, count, connections, status, accept });
    // The line of the log and the kernel's account come a moment after the last answer.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const each = (milliseconds: number): number => milliseconds * 1_000 / count;
    return { ...speed, cpu: each(program.cpu() - before), server: each((server?.read() ?? 0) - serverBefore) };
  };
  const warmUp = async (): Promise<void> => {
    const end = program.cpu() + WARM_UP;
    while (program.cpu() < end) await slice();
  };
  // One connection asks a program that many have warmed up.
  return { name, slice, warmUp: connections > 1 ? warmUp : undefined };
}

/** Checks on both engines, with many connections and with one, beside what anybody would write by hand. */
export async function profile(folder: string, postgres: PostgresServer, amount: Launches): Promise<Table[]> {
  const { program, cookies } = await fillService(folder);
  await program.stop();
  const file = `${folder}/service.db`;
  const jwt = (algorithm: string) => startFilled("bare_jwt.ts", `${folder}/${algorithm}`, algorithm, `${TOKENS}`);
  const sqlite = async (): Promise<Asked[]> => {
    const service = await startService(folder);
    return [
      { name: "`Deno.serve` alone", program: await startBare("bare_deno.ts"), cookies, path: "/" },
      { name: HS256, ...await jwt("HS256") },
      { name: ES256, ...await jwt("ES256"), share: 10 },
      { name: SQLITE, program: await startBare("bare_sqlite.ts", file, "headers"), cookies },
      { name: BARE_AGAIN, program: await startBare("bare_sqlite.ts", file, "headers"), cookies },
      { name: OURS, program: service, cookies },
      { name: SESSION, program: service, cookies, path: "/session" },
    ];
  };
  const url = await emptyDatabase(postgres, "profile");
  const filled = await fillService(folder, { DATABASE_URL: url });
  await filled.program.stop();
  const server = async (): Promise<Asked[]> => {
    const service = await startService(folder, { DATABASE_URL: url });
    const { cookies } = filled;
    return [
      { name: POSTGRES, program: await startBare("bare_postgres.ts", url, "headers"), cookies, share: 2 },
      { name: BARE_AGAIN, program: await startBare("bare_postgres.ts", url, "headers"), cookies, share: 2 },
      { name: OURS, program: service, cookies, share: 2 },
      { name: SESSION, program: service, cookies, path: "/session", share: 2 },
    ];
  };
  const clock = new CpuClock(() => serverPids(postgres));
  return [
    await compared("SQLite", sqlite, SQLITE, amount, { jwt: HS256 }),
    await compared("PostgreSQL", server, POSTGRES, amount, { clock }),
  ];
}

/** Over how many connections the lookup and the service are asked; the other programs only over many. */
const WAYS = [16, 1];

async function compared(
  title: string,
  launch: () => Promise<Asked[]>,
  lookup: string,
  { count, ...amount }: Launches,
  { jwt, clock }: { jwt?: string; clock?: CpuClock },
): Promise<Table> {
  const key = (name: string, connections: number): string => `${name}, ${connections}`;
  const ofOne = [lookup, BARE_AGAIN, OURS, SESSION];
  const ratioTo = (against: string, connections: number, names: string[]): Compared[] =>
    names.map((name) => ({ key: "cpu", name: key(name, connections), against: key(against, connections) }));
  const ratios = [
    ...WAYS.flatMap((connections) => ratioTo(lookup, connections, ofOne.slice(1))),
    ...(jwt ? ratioTo(jwt, 16, [OURS, SESSION]) : []),
  ];
  let rows: [name: string, connections: number][] = [];
  const contenders = async (): Promise<Contender[]> => {
    await stopAll();
    const asked = await launch();
    rows = WAYS.flatMap((connections) => {
      const names = asked.map(({ name }) => name);
      return (connections === 1 ? ofOne : names).map((name): [string, number] => [name, connections]);
    });
    return rows.map(([name, connections]) => {
      const one = asked.find((one) => one.name === name)!;
      const requests = count / (one.share ?? 1) / (connections === 1 ? 4 : 1);
      return checks({ ...one, name: key(name, connections) }, requests, connections, clock);
    });
  };
  const results = await inLaunches(contenders, amount, ratios);
  const cell = (against: string | undefined, name: string, connections: number): Cell => {
    if (name === against) return 1;
    const of = key(name, connections);
    return against && results.ratio({ key: "cpu", name: of, against: key(against, connections) });
  };
  const columns: [string, (name: string, connections: number) => Cell][] = [
    ["program", (name) => name],
    ["conn.", (_, connections) => `${connections}`],
    ["requests/s", (...row) => results.median(key(...row), "rate")],
    ["p99 ms", (...row) => results.median(key(...row), "p99")],
    ["CPU µs", (...row) => results.spread(key(...row), "cpu")],
    ["times the lookup", (...row) => cell(lookup, ...row)],
  ];
  if (jwt) columns.push(["times HS256", (name, connections) => connections === 16 ? cell(jwt, name, 16) : undefined]);
  if (clock) columns.push(["server's CPU µs", (...row) => results.spread(key(...row), "server")]);
  return {
    title: `Session checks, ${title}, ${results.count} rounds of ${count.toLocaleString("en")} requests or fewer`,
    columns: columns.map(([column]) => column),
    rows: rows.map((row) => columns.map(([, cell]) => cell(...row))),
  };
}

function ratioOf(results: Results, against: string, name: string): Cell {
  return name === against ? 1 : results.ratio({ key: "cpu", name, against });
}

/** Checks beside better-auth, with its cookie cache and without it. */
export async function peers(folder: string, { count, ...amount }: Launches): Promise<Table[]> {
  const others: [string, string][] = [
    ["better-auth, no cookie cache", "off"],
    ["better-auth, cookie cache `compact`", "compact"],
    ["better-auth, cookie cache `jwt`", "jwt"],
  ];
  const { program, cookies } = await fillService(folder);
  await program.stop();
  let launched = 0;
  const contenders = async (): Promise<Contender[]> => {
    await stopAll();
    const list = [checks({ name: OURS, program: await startService(folder), cookies }, count, 16)];
    for (const [name, strategy] of others) {
      const file = `${folder}/peer-${launched++}`;
      const filled = await startFilled("better_auth.ts", file, `${file}.db`, strategy, "1000");
      list.push(checks({ name, ...filled }, count / 10, 16));
    }
    return list;
  };
  const ratios = others.map(([against]) => ({ key: "cpu", name: OURS, against }));
  const results = await inLaunches(contenders, amount, ratios);
  const row = (name: string, cell?: Cell): Cell[] => [
    name,
    results.median(name, "rate"),
    results.median(name, "p99"),
    results.spread(name, "cpu"),
    cell,
  ];
  return [{
    title: `Session checks beside better-auth, SQLite, 16 connections, ${results.count} rounds`,
    columns: ["program", "requests/s", "p99 ms", "CPU µs", "Bienvenue's part of it"],
    rows: [row(OURS), ...ratios.map((one) => row(one.against, results.ratio(one)))],
  }];
}

/** Refused checks beside good ones: whoever has no session must not be able to make the service work harder. */
export async function refused(folder: string, postgres: PostgresServer, { rounds, count }: Amount): Promise<Table[]> {
  const tables: Table[] = [];
  for (const [engine, url] of [["SQLite", undefined], ["PostgreSQL", await emptyDatabase(postgres, "refused")]]) {
    const { program, cookies } = await fillService(folder, url ? { DATABASE_URL: url } : {});
    const unknown = Array.from({ length: TOKENS }, () => cookieOf(randomToken()));
    const kinds: [string, string][] = [
      ["no cookie", await cookieFile(folder, [""])],
      ["malformed cookie", await cookieFile(folder, unknown.map((cookie) => `${cookie}!`))],
      ["unknown cookie", await cookieFile(folder, unknown)],
    ];
    const rows: Cell[][] = [];
    let rest = 0;
    for (const [path, status] of [["/profile", 403], ["/session", 401]] as const) {
      const good = `\`${path}\`, good cookie`;
      const asked: Asked[] = [
        { name: good, program, cookies, path },
        ...kinds.map(([kind, cookies]) => ({ name: `\`${path}\`, ${kind}`, program, cookies, path, status })),
      ];
      const ratios = asked.slice(1).map(({ name }) => ({ key: "cpu", name, against: good }));
      const results = await inRounds(asked.map((one) => checks(one, count, 16)), rounds, ratios);
      rest = Math.max(rest, results.count);
      rows.push(...asked.map(({ name }) => [name, results.spread(name, "cpu"), ratioOf(results, good, name)]));
    }
    await program.stop();
    tables.push({
      title: `Refused checks, ${engine}, 16 connections, ${rest} rounds of ${count.toLocaleString("en")}`,
      columns: ["request", "CPU µs", "times the good one"],
      rows,
    });
  }
  return tables;
}
