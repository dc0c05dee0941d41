/**
 * The command `doctor`: checks the service from inside and, through its proxy, from outside.
 *
 * @module
 */
import { ConfigError, parseConfig } from "../../auth/config.ts";
import type { Check } from "../../auth/maintenance/check.ts";
import { checkDatabase, checkHashing, checkMail } from "../../auth/maintenance/doctor.ts";
import { type Command, EXIT, type Given, Misuse, type Outside, withAuth } from "./command.ts";
import { json, plain } from "./output.ts";
import { probe } from "./probe.ts";

/** Checks settings, database, hashing and mail, and visits the service as a user does. */
export const DOCTOR: Command = {
  summary: "is all well, from inside and from outside",
  help:
    `Looks at the settings, the database (schema, every page and reference, clock), its files, free disk, the time that a
hash takes, mails that wait; sends a mail when --mail says where to; and visits the service through its proxy at --url
(or PUBLIC_URL): whether it answers, by which clock, whether cookies come back safe, and whether it believes a caller
address that was made up. For the visit it makes a user, logs in, and erases the user again.
Each line is ok, warn or fail, with what to do. One that fails makes the exit code 1.`,
  words: [],
  options: {
    url: { value: "origin", help: "where the service is reached, such as https://accounts.example.com" },
    mail: { value: "address", help: "send a mail there" },
    json: { help: "a list of JSON objects" },
  },
  run,
};

async function run(given: Given, outside: Outside): Promise<number> {
  const checks: Check[] = [];
  const add = (...more: Check[]): void => {
    checks.push(...more);
    if (!given.flag("json")) outside.print(more.map(lineOf).join("\n"));
  };
  const url = originOf(given.text("url"));
  await look(url, given.text("mail"), outside, add);
  if (given.flag("json")) outside.print(json(checks));
  return checks.some((check) => check.state === "fail") ? EXIT.failed : EXIT.done;
}

/** Runs the checks, beginning with the settings. When one fails, those that depend on it are left out. */
async function look(
  url: string | undefined,
  mail: string | undefined,
  outside: Outside,
  add: (...more: Check[]) => void,
) {
  const clock = outside.clock ?? Date.now;
  const fail = (check: string, error: unknown, todo: string): void =>
    add({ check, state: "fail", found: (error as Error).message, todo });
  let current: boolean;
  let publicUrl: string | undefined;
  try {
    const config = parseConfig(outside.get);
    publicUrl = config.publicUrl;
    add({ check: "settings", state: "ok", found: publicUrl === undefined ? "local profile" : "public profile" });
    const looked = await checkDatabase(config, { folder: outside.folder, clock });
    add(...looked.checks);
    current = looked.current;
  } catch (error) {
    if (error instanceof ConfigError) return fail("settings", error, "correct the settings");
    if ((error as Error).name !== "DatabaseRefused") throw error;
    return fail("database", error, "look at DATABASE_URL, and whether the database runs");
  }
  if (!current) return;
  await withAuth(outside, async (auth) => {
    add(await checkHashing(auth));
    add(...await checkMail(auth, mail));
    const visited = url ?? publicUrl;
    if (visited !== undefined) add(...await probe(auth, visited));
    else add({ check: "from outside", state: "warn", found: "not tried", todo: "add --url and where users reach it" });
  });
}

function originOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Misuse("--url is not an origin such as https://accounts.example.com");
  }
  return url.origin;
}

function lineOf({ check, state, found, todo }: Check): string {
  return plain(`${state.padEnd(4)}  ${check}: ${found}`) + (todo === undefined ? "" : `\n      ${plain(todo)}`);
}
