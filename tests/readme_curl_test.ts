/**
 * The README's curl commands, pasted into a shell: every block of commands runs against a started service, and its
 * output must equal the block below it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../auth/maintenance/sweep.ts";
import { closeAuth, openAuth } from "../auth/open.ts";
import { DB } from "../db/db.ts";
import { dataFolder, type StartedService, startService } from "./kit/process/started_service.ts";
import { testWith } from "./kit/programs.ts";
import { blocks, chapter } from "./kit/readme.ts";
import { emptyDatabase, type Engine, ENGINES, testConfig } from "./kit/service.ts";

const DAY = 24 * 60 * 60_000;
/** The address in the README. */
const SHOWN = "127.0.0.1:5000";
/** Of several workers, one shows the mails of another only a moment later. */
const ONE_WORKER = { WORKERS: "1" };
/** How often a test checks whether the mails were sent before it fails. */
const MOST_POLLS = 1_000;
/** Placeholders for values that differ each time. */
const PLACEHOLDERS: Record<string, string> = {
  "<token>": "[\\w-]{43}",
  "<id>": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
  "<time>": "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z",
  "…": ".*",
};

/** Commands, their output, and the days that pass before. */
interface Step {
  commands: string;
  shown: string;
  days: number;
}

/** The steps of a chapter: a shell block with a text block right below it. */
function stepsOf(title: string): Step[] {
  const all = blocks(chapter(title));
  return all.flatMap(({ language, text, note }, index) => {
    const next = all[index + 1];
    if (language !== "bash") return [];
    const shows = next !== undefined && next.language === "text" && next.follows;
    assert.ok(shows || !text.includes("curl"), `README.md, ${title}: nothing is shown for\n${text}`);
    return shows ? [{ commands: text, shown: next.text, days: Number(/^(\d+) days later$/.exec(note)?.[1] ?? 0) }] : [];
  });
}

/** A shell into which text is pasted, like a reader's terminal. */
function openShell(folder: string) {
  const child = new Deno.Command("bash", {
    args: ["--norc", "--noprofile"],
    cwd: folder,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH")!, HOME: folder, LC_ALL: "C.UTF-8" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const end = `end-${crypto.randomUUID()}`;
  return {
    paste: async (text: string): Promise<string> => {
      await input.write(new TextEncoder().encode(`exec 2>&1\n${text}\necho ${end}\n`));
      let printed = "";
      while (!printed.endsWith(`${end}\n`)) {
        const { value, done } = await output.read();
        assert.ok(!done, `the shell ended: ${printed}`);
        printed += value;
      }
      return printed.slice(0, -end.length - 1).trimEnd();
    },
    close: async () => {
      await input.close();
      await output.cancel();
      await child.status;
    },
  };
}

function patternOf(shown: string): RegExp {
  const escaped = shown.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = Object.entries(PLACEHOLDERS).reduce(
    (text, [name, pattern]) => text.replaceAll(name, pattern),
    escaped,
  );
  return new RegExp(`^${source}$`);
}

/** Runs the sweep as it will run this many days later. */
async function sweepLater(url: string, days: number): Promise<void> {
  const log = { write: () => {}, writeRequest: () => {}, flush: () => {} };
  const clock = () => Date.now() + days * DAY;
  const auth = await openAuth(testConfig({ DATABASE_URL: url }), { folder: "/tmp", log, clock });
  await sweep(auth);
  await closeAuth(auth);
}

/**
 * Replaces `sleep` in the shell: a reader waits a second for a mail; on a busy machine the test waits until no mail is
 * left to send.
 */
async function mailsSent(db: DB): Promise<Response> {
  for (let tries = 0; tries < MOST_POLLS; tries++) {
    if (!await db.get("SELECT id FROM events WHERE mail_at IS NOT NULL")) return new Response();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return new Response("a mail is still on its way\n");
}

async function runChapter(title: string, service: StartedService, url: string): Promise<void> {
  const steps = stepsOf(title);
  assert.ok(steps.length > 0, `README.md, ${title}: there is nothing to run`);
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-readme-" });
  const db = await DB.open(url, { folder });
  const waiting = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => mailsSent(db));
  const shell = openShell(folder);
  try {
    await shell.paste(`sleep() { curl -s http://127.0.0.1:${waiting.addr.port} >&2; }`);
    for (const { commands, shown, days } of steps) {
      if (days > 0) await sweepLater(url, days);
      const printed = await shell.paste(commands.replaceAll(SHOWN, new URL(service.url).host));
      const fits = patternOf(shown).test(printed);
      assert.ok(fits, `README.md, ${title}:\n${commands}\n\nshows\n${shown}\n\nand prints\n${printed}`);
    }
  } finally {
    await shell.close();
    await waiting.shutdown();
    await db.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a chapter on an engine, with a new service and a new database. */
async function runOn(engine: Engine, title: string): Promise<void> {
  if (engine === "sqlite") {
    await using data = await dataFolder(ONE_WORKER);
    await using service = await startService(data.options);
    await runChapter(title, service, data.options.env.DATABASE_URL);
  } else {
    const url = await emptyDatabase(engine);
    await using service = await startService({ env: { ...ONE_WORKER, DATABASE_URL: url } });
    await runChapter(title, service, url);
  }
}

for (const engine of ENGINES) {
  testWith(
    [["curl", "--version"], ["bash", "--version"]],
    `README: every pasted command prints what is shown [${engine}]`,
    () => runOn(engine, "Start"),
  );
}
