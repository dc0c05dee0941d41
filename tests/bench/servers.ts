/**
 * The measured servers, and how each is started and filled with users. Must not measure.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { allowed, PROJECT } from "../kit/process/started_service.ts";
import { type Program, type Start, start } from "./program.ts";

/** The folder of the programs, which has its own deno.json. */
export const BENCH = `${PROJECT}/tests/bench`;
/** The password of every user. */
export const PASSWORD = "correct horse battery";
/** Deno's arguments in the command of `deno task start`, up to the file. */
const START: string[] = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`))
  .tasks.start.command.split(" main.ts")[0].split(" ").slice(1);
/** The number of logged-in users during session checks. */
const PEOPLE = 50;

/** A server with users. */
export interface Filled {
  program: Program;
  /** The cookies of the logged-in users. */
  cookies: string[];
}

/** Starts the service as `deno task start` does, on a database in a folder of the benchmark. */
export function startService(
  folder: string,
  settings: Record<string, string> = {},
): Promise<Program> {
  return start(serviceIn(folder, settings));
}

/** The options to start the service. */
export function serviceIn(
  folder: string,
  settings: Record<string, string> = {},
): Start {
  return {
    args: [...START, ...accessTo(folder), "main.ts", "serve"],
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

/** Registers users with the service and logs them in, over HTTP. */
export async function fillService(program: Program): Promise<Filled> {
  const cookies: string[] = [];
  for (let index = 0; index < PEOPLE; index++) {
    const body = new URLSearchParams({
      email: `person${index}@example.com`,
      password: PASSWORD,
    });
    await post(`${program.url}/users`, body);
    cookies.push(cookieOf(await post(`${program.url}/sessions`, body)));
  }
  return { program, cookies };
}

/** Registers users with better-auth, which logs them in at once. */
export async function fillBetterAuth(program: Program): Promise<Filled> {
  const cookies: string[] = [];
  // Fewer users, because its hash is slow; each of its checks reads the database anyway.
  for (let index = 0; index < 10; index++) {
    const person = {
      name: "Bob",
      email: `person${index}@example.com`,
      password: PASSWORD,
    };
    const headers = { "content-type": "application/json", origin: program.url };
    cookies.push(
      cookieOf(
        await post(
          `${program.url}/api/auth/sign-up/email`,
          JSON.stringify(person),
          headers,
        ),
      ),
    );
  }
  return { program, cookies };
}

async function post(
  url: string,
  body: BodyInit,
  headers: HeadersInit = {},
): Promise<Response> {
  const response = await fetch(url, { method: "POST", body, headers });
  if (response.status !== 200) {
    throw new Error(
      `${url} answered ${response.status}: ${await response.text()}`,
    );
  }
  await response.body?.cancel();
  return response;
}

/** Only the session cookie: other cookies would slow both servers down. */
function cookieOf(response: Response): string {
  return response.headers.getSetCookie().find((cookie) => cookie.includes("session"))!.split(";")[0];
}
