/**
 * Applies each mutant to a copy of the project and runs the tests that its row names, two at a time. A mutant is killed
 * when a test fails, or hangs, that passes without it. Arguments are ids of rows; without arguments all mutants run.
 * Must not change the project itself.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import { type PostgresServer, startPostgres } from "../kit/process/postgres_server.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { securityRows } from "../kit/security_rows.ts";
import { MUTANTS } from "./mutants.ts";
import { type Mutant, mutated } from "./mutant.ts";

/** How many mutants run at once. */
const LANES = 2;
/** How long the quick tests and the slow tests of a row may take, in milliseconds. Then they count as hanging. */
const QUICK_LIMIT = 120_000, LONG_LIMIT = 600_000;
/** What a copy of the project needs. */
const PARTS = ["main.ts", "deno.json", "deno.lock", "README.md", "LICENSE", "auth", "db", "routes", "docs", "tests"];

/** What became of a mutant. `broken`: no test ran, or one fails without the mutant too, so the mutant says nothing. */
interface Verdict {
  state: "killed" | "survived" | "broken";
  why: string;
  /** The tests that killed it. */
  killers?: TestChoice;
}

/** Which tests to run. */
interface TestChoice {
  filter: string;
  files: string[];
  /** Whether they are slow tests. */
  long: boolean;
}

/** A copy of the project, and a database server for its tests. */
interface Lane {
  folder: string;
  server: PostgresServer;
}

const filesOf = new Map(securityRows().map(({ id, files }) => [id, files]));
const wanted = MUTANTS.filter(({ row }) => Deno.args.length === 0 || Deno.args.includes(row));
const strange = Deno.args.filter((id) => !wanted.some(({ row }) => row === id));
if (strange.length > 0) {
  console.error(`no mutant of ${strange.join(", ")}; the tables in tests/mutants/ say why, or the row is not there`);
  Deno.exit(2);
}

const parent = await Deno.makeTempDir({ prefix: "bienvenue-mutants-" });
const running = new Set<Deno.ChildProcess>();
/** Whether tests that killed a mutant pass without it, by filter. */
const sound = new Map<string, boolean>();
let stopping = false;
Deno.addSignalListener("SIGINT", () => {
  stopping = true;
  for (const child of running) endGroup(child);
});

const count = { killed: 0, survived: 0, broken: 0 };
const queue = [...wanted];
await Promise.all(Array.from({ length: Math.min(LANES, queue.length) }, (_, index) => runLane(`${parent}/${index}`)));
await Deno.remove(parent, { recursive: true });
const broken = count.broken > 0 ? `, ${count.broken} broken` : "";
console.log(`${count.killed} killed, ${count.survived} survived${broken}`);
Deno.exit(count.killed === wanted.length ? 0 : 1);

async function runLane(folder: string): Promise<void> {
  await copyProject(folder);
  const lane: Lane = { folder, server: await startPostgres(["autovacuum = off"]) };
  try {
    for (let mutant = queue.shift(); mutant !== undefined && !stopping; mutant = queue.shift()) {
      const { state, why } = await judge(lane, mutant);
      if (stopping) return;
      count[state]++;
      console.log(`${mutant.row.padEnd(4)} ${state.padEnd(8)} ${mutant.file}: ${shown(mutant.find)} (${why})`);
    }
  } finally {
    await lane.server.stop();
  }
}

/** Copies node_modules too: behind a link the addon of bcrypt would be outside the folder that the tests may load. */
async function copyProject(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const paths = [...PARTS, "node_modules"].map((part) => `${PROJECT}/${part}`);
  const { success } = await new Deno.Command("cp", { args: ["-a", ...paths, folder] }).output();
  if (!success) throw new Error(`the project cannot be copied to ${folder}`);
}

async function judge(lane: Lane, mutant: Mutant): Promise<Verdict> {
  const verdict = await tried(lane, mutant);
  if (verdict.killers === undefined || await passes(lane, verdict.killers)) return verdict;
  return { state: "broken", why: `without the mutant too: ${verdict.why}` };
}

/** Whether these tests pass in the unchanged project. Otherwise a test that always fails would kill every mutant. */
async function passes(lane: Lane, choice: TestChoice): Promise<boolean> {
  let passed = sound.get(choice.filter);
  if (passed === undefined) {
    const { hangs, success } = await denoTest(lane, choice);
    passed = success && !hangs;
    sound.set(choice.filter, passed);
    await cleanUp(lane);
  }
  return passed;
}

async function tried(lane: Lane, mutant: Mutant): Promise<Verdict> {
  const texts = mutated(mutant, (file) => Deno.readTextFileSync(`${PROJECT}/${file}`));
  for (const [file, text] of texts) Deno.writeTextFileSync(`${lane.folder}/${file}`, text);
  const files = mutant.tests ?? filesOf.get(mutant.row) ?? [];
  try {
    let verdict: Verdict = { state: "broken", why: "no test file" };
    for (const long of [false, true]) {
      const some = files.filter((file) => file.startsWith("tests/long/") === long);
      if (some.length > 0) verdict = await runTests(lane, mutant.row, some, long);
      if (some.length > 0 && verdict.state !== "survived") return verdict;
    }
    return verdict;
  } finally {
    for (const file of texts.keys()) Deno.copyFileSync(`${PROJECT}/${file}`, `${lane.folder}/${file}`);
    await cleanUp(lane);
  }
}

/** Runs the tests of these files whose names carry the id. */
async function runTests(lane: Lane, id: string, files: string[], long: boolean): Promise<Verdict> {
  const all = { filter: `/\\b${id}\\b/`, files, long };
  const { hangs, success, text } = await denoTest(lane, all);
  if (hangs) return { state: "killed", why: "a test hangs", killers: all };
  const [, passed = "0"] = /\| (\d+) passed.*? \| \d+ failed/.exec(text) ?? [];
  if (success) return passed === "0" ? { state: "broken", why: "no test ran" } : survived(passed);
  const [, name, error = ""] = /^ ERRORS\s+(.*?) => .*?\nerror: (.*)$/ms.exec(text) ?? [];
  if (name !== undefined) {
    return { state: "killed", why: shown(`${name}: ${error.split("\n")[0]}`), killers: { ...all, filter: name } };
  }
  // With --fail-fast and --parallel, Deno 2.9.6 sometimes ends before it prints errors and sums.
  const [, failing] = /^(?:\.\/\S+ => )?(.*) \.\.\. FAILED \(/m.exec(text) ?? [];
  if (failing !== undefined) return { state: "killed", why: shown(failing), killers: { ...all, filter: failing } };
  // An error outside of a test: either a promise that nobody waits for, or the program cannot even be loaded.
  const loads = await denoTest(lane, { ...all, filter: "/^no test has this name$/" });
  if (loads.success) return { state: "killed", why: "an error outside of a test", killers: all };
  return { state: "broken", why: shown(loads.text.trim().split("\n").at(-2) ?? "no output") };
}

function survived(passed: string): Verdict {
  return { state: "survived", why: `${passed} tests passed` };
}

interface TestRun {
  /** Whether it did not end in time. */
  hangs: boolean;
  success: boolean;
  text: string;
}

async function denoTest({ folder, server }: Lane, { filter, files, long }: TestChoice): Promise<TestRun> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "-P=test", "tests/run.ts"],
      ...(long ? ["--long"] : []),
      ...["--fail-fast", `--filter=${filter}`, ...files],
    ],
    cwd: folder,
    env: { TEST_DATABASE_URL: server.url },
    stdout: "piped",
    stderr: "null",
    // Its own process group, so that a hanging run ends with all its children.
    detached: true,
  }).spawn();
  running.add(child);
  let hangs = false;
  const patience = setTimeout(() => {
    hangs = true;
    endGroup(child);
  }, long ? LONG_LIMIT : QUICK_LIMIT);
  const text = await new Response(child.stdout).text();
  const { success } = await child.status;
  clearTimeout(patience);
  running.delete(child);
  return { hangs, success, text };
}

function endGroup({ pid }: Deno.ChildProcess): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Ends services that broken-off tests left, and drops their databases. */
async function cleanUp({ folder, server }: Lane): Promise<void> {
  const left = 'for p in /proc/[0-9]*; do [ "$(readlink $p/cwd)" = "$1" ] && kill -KILL ${p#/proc/}; done; true';
  await new Deno.Command("sh", { args: ["-c", left, "sh", folder], stdout: "null", stderr: "null" }).output();
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'");
  for (const { datname } of rows) await client.query(`DROP DATABASE "${datname}" WITH (FORCE)`);
  await client.end();
}

/** One short line. */
function shown(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}
