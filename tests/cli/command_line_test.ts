/**
 * The command line as a whole: help for every command, exit codes for misuse, and a real process.
 *
 * @module
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../routes/cli/cli.ts";
import { progress } from "../../routes/cli/output.ts";
import { runOn } from "../kit/command_line.ts";
import { bareEnvironment, PROJECT } from "../kit/process/started_service.ts";

const NAMES = Object.keys(COMMANDS);
const NOWHERE = "sqlite:data/there_is_no_such_file.db";

/** A command with invented arguments. */
function wordsOf(name: string): string[] {
  return [...name.split(" "), ...COMMANDS[name].words.map(() => "nobody@x.test")];
}

Deno.test("--help lists every command, and every command has its own help with all options", async () => {
  const overview = await runOn(NOWHERE, ["--help"]);
  assert.deepEqual([overview.code, overview.noted], [0, ""]);
  for (const name of NAMES) {
    assert.match(overview.printed, new RegExp(`^  ${name} +\\S`, "m"));
    const { code, printed, noted } = await runOn(NOWHERE, [...name.split(" "), "--help"]);
    assert.deepEqual([code, noted], [0, ""], name);
    assert.match(printed, new RegExp(`^deno task (?:bienvenue )?${name}`));
    for (const option of Object.keys(COMMANDS[name].options)) {
      assert.match(printed, new RegExp(`^  --${option}\\b`, "m"));
    }
    assert.match(printed, /Exit codes: 0 done, 1 refused or failed, 2 misused/);
    assert.ok(printed.split("\n").every((line) => line.length <= 120), `${name}: a line is too long for a terminal`);
  }
  const group = await runOn(NOWHERE, ["users", "--help"]);
  assert.equal(group.code, 0);
  assert.doesNotMatch(group.printed, /doctor/);
});

Deno.test("README: the table of commands lists every command", () => {
  const rows = Deno.readTextFileSync(`${PROJECT}/README.md`).matchAll(/^\| `([a-z -]+)` +\| .*\|$/gm);
  assert.deepEqual([...rows].map(([, name]) => name).filter((name) => NAMES.includes(name)), NAMES);
});

Deno.test("long work draws a progress bar on a terminal, and prints one line elsewhere", () => {
  const drawn: string[] = [], noted: string[] = [];
  const outside = { get: () => undefined, folder: PROJECT, print: () => {}, note: (text: string) => noted.push(text) };
  progress({ ...outside, redraw: (text) => drawn.push(text) }, "rows")(10, 10);
  progress(outside, "rows")(10, 10);
  assert.deepEqual(drawn, [`[${"#".repeat(30)}] rows: 10 of 10 (100 %)\n`]);
  assert.deepEqual(noted, ["rows: 10 of 10 (100 %)"]);
});

Deno.test("every command takes --json", () => {
  assert.deepEqual(NAMES.filter((name) => !("json" in COMMANDS[name].options)), []);
});

Deno.test("a command that cannot be understood exits with 2, shows the usage, and repeats no possible password", async () => {
  for (const words of [[], ["users"]]) {
    const { code, printed, noted } = await runOn(NOWHERE, words);
    assert.deepEqual([code, printed], [2, ""], words.join(" "));
    assert.match(noted, /^deno task bienvenue <command>/);
  }
  for (const words of [["nonsense"], ["users", "nonsense"], ["constructor"], ["users", "constructor"]]) {
    assert.equal((await runOn(NOWHERE, words)).code, 2, words.join(" "));
  }
  for (const name of NAMES) {
    const misuses = [["s3cret", "s3cret", "s3cret"], ["--no-such-option", "s3cret"], ["--json=s3cret"]];
    if (COMMANDS[name].words.length > 0) misuses.push([]);
    for (const more of misuses) {
      const { code, printed, noted } = await runOn(NOWHERE, [...name.split(" "), ...more]);
      assert.deepEqual([code, printed], [2, ""], `${name} ${more.join(" ")}`);
      assert.match(noted, /deno task/);
      assert.doesNotMatch(noted, /s3cret/);
    }
  }
});

Deno.test("a misused option and a missing value have different messages", async () => {
  const unknown = await runOn(NOWHERE, ["events", "--limit", "3"]);
  assert.match(unknown.noted, /^an option is none of those below\n/);
  for (const words of [["events", "--user"], ["events", "--user", "--json"], ["events", "--json=yes"]]) {
    const { code, noted } = await runOn(NOWHERE, words);
    assert.equal(code, 2, words.join(" "));
    assert.match(noted, /^an option lacks its value, or takes none\n/, words.join(" "));
  }
});

Deno.test("read-only commands do not create a missing database", async () => {
  for (const name of NAMES.filter((each) => !["users add", "users import", "move", "restore"].includes(each))) {
    const { code } = await runOn(NOWHERE, wordsOf(name));
    assert.equal(code, 1, name);
    await assert.rejects(Deno.stat(`${PROJECT}/data/there_is_no_such_file.db`), Deno.errors.NotFound, name);
  }
});

Deno.test("deno task bienvenue writes results to standard output, messages to standard error, and sets exit codes", async () => {
  const folder = `data/command_line_test_${crypto.randomUUID()}`;
  const task = async (words: string[], input = ""): Promise<{ code: number; stdout: string; stderr: string }> => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["task", "-q", "bienvenue", ...words],
      cwd: PROJECT,
      clearEnv: true,
      env: { ...bareEnvironment(), DATABASE_URL: `sqlite:${folder}/bienvenue.db`, BCRYPT_COST: "4" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A command that does not read has closed its standard input.
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  };
  try {
    const none = await task([]);
    assert.deepEqual([none.code, none.stdout], [2, ""]);
    const added = await task(["users", "add", "a@b.cd", "--password-stdin"], "b4l0u\n");
    assert.deepEqual([added.code, added.stdout], [0, "a@b.cd is added. The password is set.\n"], added.stderr);
    const again = await task(["users", "add", "a@b.cd"]);
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /users add failed:\nUser a@b\.cd already exists/);
    const out = await task(["users", "export"]);
    assert.deepEqual([out.code, JSON.parse(out.stdout).email], [0, "a@b.cd"], out.stderr);
    await task(["users", "delete", "a@b.cd", "--yes"]);
    const into = await task(["users", "import", "--json"], out.stdout);
    assert.deepEqual(JSON.parse(into.stdout), { added: 1, duplicates: 0, refused: 0, left_out: [] }, into.stderr);
    const backup = await task(["backup", `${folder}/backup.db`]);
    assert.equal(backup.code, 0, backup.stderr);
    const restored = await task(["restore", `${folder}/backup.db`, "--yes"]);
    assert.equal(restored.code, 0, restored.stderr);
    const doctor = await task(["doctor"]);
    assert.equal(doctor.code, 0, doctor.stderr);
    assert.match(doctor.stdout, /^ok {4}disk: [\d.]+ GiB free$/m);
  } finally {
    await Deno.remove(`${PROJECT}/${folder}`, { recursive: true });
  }
});
