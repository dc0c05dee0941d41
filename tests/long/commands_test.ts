/**
 * Every command line that the README, the help and the messages print: each is run as far as it can be here, with the
 * permissions that it names. A new kind of command line needs a row in the table below.
 *
 * @module
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../routes/cli/cli.ts";
import { bareEnvironment, PROJECT, startInVain, startService } from "../kit/process/started_service.ts";
import { README } from "../kit/readme.ts";
import { SERVICE_FILES, SOURCES } from "../kit/sources.ts";

const CONFIGURATION = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
/** What Deno says when a permission is missing, and when it does not know a flag. */
const NOT_ALLOWED = /NotCapable|Requires \w+ access|unexpected argument|not found/i;

/** The command lines of a text: those in blocks, in code spans and in messages, with the settings before them. */
function commandsIn(text: string): string[] {
  const joined = text.replace(/ *\\\n */g, " ").replace(/\bnpx -y deno@[\d.]+ /g, "deno ");
  const found = joined.matchAll(/((?:\b[A-Z_]+=\S+ )*)\bdeno ((?:task|run|install) [^`\n"#|]*)/g);
  return [...found].map(([, settings, words]) => `${settings}deno ${words}`.replace(/[\s.;:]+$/, ""));
}

/** The usage line of a command is made of its parts; tests/cli runs each. */
const helps = Object.values(COMMANDS).map(({ help }) => help);
/** Comments are for who reads the code, and are left out. */
const messages = SERVICE_FILES.filter((file) => !file.startsWith("routes/cli/")).map((file) =>
  SOURCES.get(file)!.replace(/^\s*(?:\/?\*|\/\/).*$/gm, "")
);
const PRINTED: readonly string[] = [...new Set([README, ...helps, ...messages].flatMap(commandsIn))]
  // A sentence about commands names their beginning only.
  .filter((command) => !/^deno (?:task|run)$/.test(command));

interface Place {
  /** A folder that the permission set `start` may use, relative to the project. */
  folder: string;
  /** A folder outside. */
  outside: string;
  env: Record<string, string>;
}

/** How a command line is tried, for every line that the pattern fits; the first one counts. */
const TRIALS: readonly [pattern: RegExp, trial: (command: string, place: Place) => Promise<void> | void][] = [
  // The gate, or a person, runs these; here their names and files count.
  [/^deno task (?:test|test:long|test:browser|mutants|bench|soak|dev|ok)\b/, hasTask],
  [/^deno install --frozen$/, () => assert.equal(CONFIGURATION.lock.frozen, true)],
  // tests/process/deploy_test.ts runs it, with a PostgreSQL.
  [/ --allow-net=127\.0\.0\.1:5000,/, () => {}],
  [/\bdeno (?:task start|run \S.* main\.ts(?: serve)?|run -P=start main\.ts)\b(?! backup| restore| and then)/, starts],
  [/^deno (?:task (?:-q )?(?:bienvenue|move)|run .* main\.ts (?:backup|restore|and then))/, runs],
];

function hasTask(command: string): void {
  const [, , task, ...words] = command.split(" ");
  assert.ok(task in CONFIGURATION.tasks, command);
  for (const word of words.filter((each) => each.includes("/"))) assert.ok(Deno.statSync(`${PROJECT}/${word}`).isFile);
}

async function starts(command: string, { env }: Place): Promise<void> {
  // It fails with what the command printed, unless the service listens.
  await (await startService({ env, before: ["sh", "-c", command] })).stop();
}

async function runs(command: string, place: Place): Promise<void> {
  // Placeholders stand for what a reader has; what lies elsewhere is not reached from here.
  const line = command.replace("<command>", "users list").replace(
    "and then the command",
    `backup ${place.outside}/other.db`,
  )
    .replace("<file>", `${place.outside}/copy.db`).replaceAll("data/copy.db", `${place.folder}/copy.db`)
    .replace(/--to (?:postgres:\S+|<database>)/, `--to sqlite:${place.folder}/moved-${crypto.randomUUID()}.db`)
    .replace("https://accounts.example.com", "http://127.0.0.1:1")
    .replace("users.jsonl", `${place.outside}/users.jsonl`)
    // Here is a database already.
    .replace(/( restore \S+)$/, "$1 --yes");
  assert.doesNotMatch(line.replace(/ [<>] \S+$/, ""), /[<>…]/, `${command}: a placeholder is left`);
  const { code, stderr } = await shell(line, place.env);
  const said = `${line}\n${new TextDecoder().decode(stderr)}`;
  assert.doesNotMatch(said, NOT_ALLOWED, command);
  // The doctor's mail server and proxy are not there.
  assert.equal(code, / doctor /.test(line) ? 1 : 0, said);
}

function shell(line: string, env: Record<string, string>): Promise<Deno.CommandOutput> {
  return new Deno.Command("sh", {
    args: ["-c", line],
    cwd: PROJECT,
    clearEnv: true,
    env: { ...bareEnvironment(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
}

Deno.test("B8: every printed command line is known and works with the permissions that it names", async (t) => {
  assert.ok(PRINTED.length > 15, "the search does not find the command lines that are there");
  const name = crypto.randomUUID();
  const folder = `data/commands_test_${name}`;
  const outside = await Deno.makeTempDir({ prefix: "bienvenue-commands-" });
  const place = {
    folder,
    outside,
    env: { DATABASE_URL: `sqlite:${folder}/bienvenue.db`, PORT: "0", BCRYPT_COST: "4" },
  };
  try {
    await (await startService({ env: place.env })).stop();
    // The backup of one line is what the next restores.
    for (const command of PRINTED) {
      const [, trial] = TRIALS.find(([pattern]) => pattern.test(command)) ?? assert.fail(`no trial for: ${command}`);
      await t.step(command, async () => await trial(command, place));
    }
  } finally {
    await Deno.remove(`${PROJECT}/${folder}`, { recursive: true });
    await Deno.remove(outside, { recursive: true });
  }
});

Deno.test("B8: no printed command line puts a list of permissions beside a set, since it would replace the set's list", () => {
  const wrong = PRINTED.filter((command) => / -P=/.test(command) && / --allow-\w+=/.test(command));
  assert.deepEqual(wrong, []);
  const texts = [README, ...helps, ...messages];
  assert.deepEqual(texts.flatMap((text) => text.match(/--allow-\w+=\S+ beside\s+`?-P=\S+/g) ?? []), []);
});

Deno.test("B8: a certificate for sslrootcert in the folder data is read with the permission set alone", async () => {
  const file = `data/authority-${crypto.randomUUID()}.pem`;
  const start = (path: string) =>
    startInVain({ env: { DATABASE_URL: `postgres://u@127.0.0.1:1/d?sslmode=verify-full&sslrootcert=${path}` } });
  await Deno.mkdir(`${PROJECT}/data`, { recursive: true });
  await Deno.writeTextFile(`${PROJECT}/${file}`, "");
  try {
    assert.match((await start(file)).stderr, /postgres:\/\/127\.0\.0\.1:1\/d cannot be reached: /);
    const elsewhere = await start("/etc/hostname");
    assert.match(elsewhere.stderr, /\/etc\/hostname, cannot be read; put it into the folder data, which the service/);
  } finally {
    await Deno.remove(`${PROJECT}/${file}`);
  }
});
