/**
 * Runs the tests beside a PostgreSQL server, and prints at the end how many passed. Arguments are test files; without
 * arguments all quick tests run, with `--long` all slow ones, with `--scale` those that measure for minutes. Other
 * options are those of `deno test`.
 *
 * @module
 */
import { type PostgresServer, startPostgres } from "./kit/process/postgres_server.ts";
import { skipped } from "./kit/programs.ts";

const apart = /^--(long|scale)$/.exec(Deno.args[0] ?? "")?.[1];
const long = apart !== undefined;
const words = Deno.args.slice(long ? 1 : 0);
/** Passed on to `deno test`, such as `--fail-fast`. */
const options = words.filter((word) => word.startsWith("--"));
const files = words.filter((word) => !word.startsWith("--"));
/** These have their own commands. */
const APART = ["long", "scale", "browser", "mutants", "node_modules"];
const all = testsIn(long ? `tests/${apart}` : "tests");

const given = Deno.env.get("TEST_DATABASE_URL");
const server = given === undefined ? await ownServer() : undefined;
const url = given ?? server?.url;
/** Where the test files of this run keep what they share: databases that are migrated already. */
const databases = await Deno.makeTempDir({ prefix: "bienvenue-tests-" });

const child = new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "--no-prompt",
    // Slow tests measure memory and collect garbage first; quick tests do not, and use all cores instead.
    long ? "--v8-flags=--expose-gc" : "--parallel",
    "-P=test",
    // The command `deno task ok` has checked all types before this.
    "--no-check",
    ...options,
    ...(files.length > 0 ? files : all.sort(slowFirst)),
  ],
  env: {
    ...(url !== undefined && { TEST_DATABASE_URL: url }),
    TEST_DATABASES: databases,
    NO_COLOR: "1",
    // At any moment half of the files wait for a process, a lock or a clock.
    DENO_JOBS: String(2 * navigator.hardwareConcurrency),
  },
  stdout: "piped",
}).spawn();

// Ctrl-C reaches the child too; this process stays to stop the server.
Deno.addSignalListener("SIGINT", () => {});
let tail = "";
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  await Deno.stdout.write(new TextEncoder().encode(text));
  tail = (tail + text).slice(-4_000);
}
const { code } = await child.status;
await server?.stop();
await Deno.remove(databases, { recursive: true });

const [, passed, failed] = /(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/.exec(tail) ?? [];
console.log(passed === undefined ? "0 passed, 1 failed" : `${passed} passed, ${failed} failed`);
Deno.exit(code);

/** Files that start processes take longest. Begun last, one of them would run alone at the end. */
function slowFirst(one: string, other: string): number {
  const [first, second] = [one, other].map((file) => Number(!file.startsWith("tests/process/")) + file);
  return first < second ? -1 : 1;
}

function testsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return APART.includes(name) ? [] : testsIn(`${folder}/${name}`);
    return name.endsWith("_test.ts") ? [`${folder}/${name}`] : [];
  });
}

async function ownServer(): Promise<PostgresServer | undefined> {
  try {
    // During a quick test the server's own vacuum would change plans and the order of equal rows.
    return await startPostgres(long ? [] : ["autovacuum = off"]);
  } catch (error) {
    skipped("everything on PostgreSQL", `there is no server and none can be started: ${(error as Error).message}`);
  }
}
