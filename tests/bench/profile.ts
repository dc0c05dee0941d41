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
import type { Program } from "./program.ts";
import { type Contender, type Figures, inRounds, type Results } from "./rounds.ts";
import { emptyDatabase, fillService, serverPids, startBare, startFilled } from "./servers.ts";
import type { Cell, Table } from "./table.ts";

/** How much is measured. */
export interface Amount {
  rounds: number;
  /** Requests of one slice. */
  count: number;
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
}

const TOKENS = 10_000;
/** CPU time before the first slice that counts, in milliseconds: V8 compiles only what has run often. */
const WARM_UP = 2_000;
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
  return { name, slice, warmUp };
}

/** Checks on both engines, with many connections and with one, beside what anybody would write by hand. */
export async function profile(folder: string, postgres: PostgresServer, amount: Amount): Promise<Table[]> {
  const { rounds, count } = amount;
  const { program, cookies } = await fillService(folder);
  const file = `${folder}/service.db`;
  const bare = (): Promise<Program> => startBare("bare_sqlite.ts", file, "headers");
  const jwt = (algorithm: string) => startFilled("bare_jwt.ts", `${folder}/${algorithm}`, algorithm, `${TOKENS}`);
  const sqlite: Asked[] = [
    { name: SQLITE, program: await bare(), cookies },
    { name: BARE_AGAIN, program: await bare(), cookies },
    { name: OURS, program, cookies },
    { name: SESSION, program, cookies, path: "/session" },
  ];
  const more: Asked[] = [
    { name: "`Deno.serve` alone", program: await startBare("bare_deno.ts"), cookies, path: "/" },
    { name: HS256, ...await jwt("HS256") },
    { name: ES256, ...await jwt("ES256") },
  ];
  const tables = [
    await compared("SQLite, 16 connections", [...more, ...sqlite], 16, amount, SQLITE, HS256),
    await compared("SQLite, 1 connection", sqlite, 1, { rounds, count: count / 4 }, SQLITE),
  ];
  for (const { program } of [...more, ...sqlite]) await program.stop();

  const url = await emptyDatabase(postgres, "profile");
  const filled = await fillService(folder, { DATABASE_URL: url });
  const barePostgres = (): Promise<Program> => startBare("bare_postgres.ts", url, "headers");
  const server: Asked[] = [
    { name: POSTGRES, program: await barePostgres(), cookies: filled.cookies },
    { name: BARE_AGAIN, program: await barePostgres(), cookies: filled.cookies },
    { name: OURS, ...filled },
    { name: SESSION, ...filled, path: "/session" },
  ];
  const clock = new CpuClock(() => serverPids(postgres));
  for (const [connections, share] of [[16, 2], [1, 8]]) {
    const title = `PostgreSQL, ${connections} connection${connections > 1 ? "s" : ""}`;
    tables.push(
      await compared(title, server, connections, { rounds, count: count / share }, POSTGRES, undefined, clock),
    );
  }
  return tables;
}

async function compared(
  title: string,
  asked: Asked[],
  connections: number,
  { rounds, count }: Amount,
  against: string,
  jwt?: string,
  clock?: CpuClock,
): Promise<Table> {
  const ratios = asked.filter(({ name }) => name !== against).map(({ name }) => ({ key: "cpu", name, against }));
  const toJwt = jwt === undefined ? [] : [OURS, SESSION].map((name) => ({ key: "cpu", name, against: jwt }));
  const contenders = asked.map((one) => checks(one, count, connections, clock));
  const results = await inRounds(contenders, rounds, [...ratios, ...toJwt]);
  const columns: [string, (name: string) => Cell][] = [
    ["program", (name) => name],
    ["requests/s", (name) => results.median(name, "rate")],
    ["p99 ms", (name) => results.median(name, "p99")],
    ["CPU µs", (name) => results.spread(name, "cpu")],
    ["times the lookup", (name) => ratioTo(results, against, name)],
  ];
  if (jwt) {
    columns.push([
      "times HS256",
      (name) => toJwt.some((one) => one.name === name) ? ratioTo(results, jwt, name) : undefined,
    ]);
  }
  if (clock) columns.push(["server's CPU µs", (name) => results.spread(name, "server")]);
  return {
    title: `Session checks, ${title}, ${results.count} rounds of ${count.toLocaleString("en")}`,
    columns: columns.map(([column]) => column),
    rows: asked.map(({ name }) => columns.map(([, cell]) => cell(name))),
  };
}

function ratioTo(results: Results, against: string, name: string): Cell {
  return name === against ? 1 : results.ratio({ key: "cpu", name, against });
}

/** Checks beside better-auth, with its cookie cache and without it. */
export async function peers(folder: string, { rounds, count }: Amount): Promise<Table[]> {
  const peer = (strategy: string) =>
    startFilled("better_auth.ts", `${folder}/peer-${strategy}`, `${folder}/peer-${strategy}.db`, strategy, "1000");
  const others: Asked[] = [
    { name: "better-auth, no cookie cache", ...await peer("off") },
    { name: "better-auth, cookie cache `compact`", ...await peer("compact") },
    { name: "better-auth, cookie cache `jwt`", ...await peer("jwt") },
  ];
  const ours = { name: OURS, ...await fillService(folder) };
  const ratios = others.map(({ name }) => ({ key: "cpu", name: OURS, against: name }));
  const contenders = [checks(ours, count, 16), ...others.map((one) => checks(one, count / 10, 16))];
  const results = await inRounds(contenders, rounds, ratios);
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
      rows.push(...asked.map(({ name }) => [name, results.spread(name, "cpu"), ratioTo(results, good, name)]));
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
