/**
 * The measured servers, and how each is started and filled with users. Must not measure.
 *
 * @module
 */
// @ts-types="@types/bcrypt"
import { hash } from "bcrypt";
// @ts-types="@types/pg"
import pg from "pg";
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { allowed, PROJECT } from "../kit/process/started_service.ts";
import { familyOf } from "./cpu.ts";
import { addPeople, type People } from "./people.ts";
import { type Program, type Start, start } from "./program.ts";

/** The folder of the programs, which has its own deno.json. */
export const BENCH = `${PROJECT}/tests/bench`;
/** The password of every user. */
export const PASSWORD = "correct horse battery";
/** Deno's arguments in the command of `deno task start`, up to the file. */
const START: string[] = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`))
  .tasks.start.command.split(" main.ts")[0].split(" ").slice(1);

/** A server with users. */
export interface Filled {
  program: Program;
  /** A file of the cookies of logged-in users, one a line. */
  cookies: string;
}

/** Starts the service as `deno task start` does, on a database in a folder of the benchmark. */
export function startService(
  folder: string,
  settings: Record<string, string> = {},
): Promise<Program> {
  return start(serviceIn(folder, settings));
}

/** The options to start the service, or another of its commands. */
export function serviceIn(folder: string, settings: Record<string, string> = {}, ...command: string[]): Start {
  return {
    args: [...START, ...accessTo(folder), "main.ts", ...(command.length > 0 ? command : ["serve"])],
    env: {
      PORT: "0",
      WORKERS: "1",
      DATABASE_URL: `sqlite:${folder}/service.db`,
      BCRYPT_COST: "4",
      ...settings,
    },
  };
}

/** Creates an empty database for one part, so that no part sees the users of another. */
export async function emptyDatabase({ url }: PostgresServer, name: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/** Both engines, each with an empty database of this name. */
export async function engines(
  folder: string,
  name: string,
  postgres: PostgresServer,
): Promise<[string, string][]> {
  return [
    ["SQLite", `sqlite:${folder}/${name}.db`],
    ["PostgreSQL", await emptyDatabase(postgres, name)],
  ];
}

/** The processes of the server, one for each connection among them. */
export function serverPids({ folder }: PostgresServer): number[] {
  return familyOf(Number(Deno.readTextFileSync(`${folder}/postmaster.pid`).split("\n")[0]));
}

/** The bcrypt hash of {@linkcode PASSWORD}. */
export function passwordHash(cost: number): Promise<string> {
  return hash(PASSWORD, cost);
}

/** Flags that let the service use another folder in addition to its own. */
export function accessTo(folder: string): string[] {
  return (["read", "write"] as const).map((kind) => `--allow-${kind}=${[...allowed(kind), folder].join(",")}`);
}

/** Starts one of the programs of this folder. */
export function startBare(file: string, ...args: string[]): Promise<Program> {
  return start({
    args: ["run", "-A", `${BENCH}/${file}`, ...args],
    cwd: BENCH,
  });
}

/** Starts a program of this folder that makes its own sessions and writes their cookies to a file, whose name is `file`. */
export async function startFilled(name: string, file: string, ...args: string[]): Promise<Filled> {
  return { program: await startBare(name, ...args, file), cookies: file };
}

/** Starts the service on an empty database and fills it. */
export async function fillService(
  folder: string,
  settings: Record<string, string> = {},
  people: Partial<People> = {},
): Promise<Filled> {
  const program = await startService(folder, settings);
  const url = settings.DATABASE_URL ?? `sqlite:${folder}/service.db`;
  return { program, cookies: await addPeople(folder, url, people) };
}
