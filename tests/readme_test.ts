/**
 * The README agrees with the code: its tables, paths, tasks and commands are compared. A missing row is reported with
 * its whole content.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { REOPENABLE } from "../auth/account/close_account.ts";
import { SETTINGS } from "../auth/config.ts";
import { limitTable } from "./kit/limit_table.ts";
import { CODE_LIFETIME, MAIL_RULES } from "../auth/mail_kinds.ts";
import { closeAuth, openAuth } from "../auth/open.ts";
import { MOST_WAITING } from "../auth/runtime/hash_queue.ts";
import { MOST_SESSIONS } from "../auth/sign_in/sessions.ts";
import { MOST_CONNECTIONS, MOST_TOGETHER, QUERY_TIMEOUT } from "../db/engines/postgres.ts";
import { MOST_BODY } from "../routes/http/body.ts";
import { STATUS } from "../routes/http/errors.ts";
import { GRACE } from "../routes/server/server.ts";
import { bareEnvironment, dataFolder, logIn, PROJECT, register, startService } from "./kit/process/started_service.ts";
import { anchors, block, blocks, codeSpans, links, plain, PROSE, README, table } from "./kit/readme.ts";
import { servedRequests } from "./kit/served_requests.ts";
import { PUBLIC_SETTINGS, testConfig } from "./kit/service.ts";

const CONFIGURATION = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
/** How a path of the project begins; `data/` is made by the first start. */
const OWN_PATH = /^(?:(?:auth|db|routes|tests|\.ci)(?:\/[\w.*-]*)*|main\.ts|deno\.json|deno\.lock|LICENSE)$/;

/** Reports the lines that the README lacks and the lines that the code does not have. */
function assertSame(what: string, inReadme: string[], inCode: string[]): void {
  const missing = inCode.filter((line) => !inReadme.includes(line));
  const wrong = inReadme.filter((line) => !inCode.includes(line));
  const twice = inReadme.filter((line, index) => inReadme.indexOf(line) !== index);
  const faults = [
    ...missing.map((line) => `README.md lacks: ${line}`),
    ...wrong.map((line) => `README.md says, and it is not so: ${line}`),
    ...twice.map((line) => `README.md says twice: ${line}`),
  ];
  assert.equal(faults.length, 0, `${what}:\n${faults.join("\n")}`);
}

/** Every request that a handler takes, in either profile. */
async function requests(): Promise<string[]> {
  const found = new Set<string>();
  for (const settings of [{}, PUBLIC_SETTINGS]) {
    const log = { write: () => {}, writeRequest: () => {}, flush: () => {} };
    const auth = await openAuth(testConfig(settings), { folder: "/tmp", log });
    for (const { method, path } of servedRequests(auth)) found.add(`${method} ${path}`);
    await closeAuth(auth);
  }
  return [...found];
}

Deno.test("README: the tables of endpoints and pages match the app's routes", async () => {
  const rows = [...table("Request"), ...table("Page")].flatMap(([request]) => codeSpans(request));
  // Names of asset files change with their content.
  assertSame("endpoints", rows, (await requests()).filter((request) => !request.startsWith("GET /assets/")));
});

Deno.test("README: every field in the table of endpoints is read by an endpoint", () => {
  const sources = walk("routes").filter((file) => /\.tsx?$/.test(file)).map((file) => readText(file)).join("\n");
  for (const [request, fields] of table("Request")) {
    for (const field of codeSpans(fields)) {
      assert.match(sources, new RegExp(`\\b${field}: `), `${request}: no endpoint reads a field ${field}`);
    }
  }
});

Deno.test("README: the table of settings matches the settings that the service reads", () => {
  const expected = Object.values(SETTINGS).map(({ name, fallback, help }) =>
    `| \`${name}\` | ${fallback === "" ? "" : `\`${fallback}\``} | ${help} |`
  );
  assertSame("settings", table("Setting").map(lineOf), expected);
  assert.deepEqual(table("Setting").map(([name]) => plain(name)), Object.values(SETTINGS).map(({ name }) => name));
});

Deno.test("README: the table of codes has every code with its status", () => {
  const expected = Object.entries({ ...STATUS, internal_error: 500 }).map(([code, status]) => `${code} ${status}`);
  assertSame("codes", table("`error-code`").map(([code, status]) => `${plain(code)} ${status}`), expected);
});

Deno.test("README: the table of limits matches the limits of the service", () => {
  const [, , ...expected] = limitTable().split("\n");
  assertSame("limits", table("what is counted").map(lineOf), expected);
});

Deno.test("README: numbers in sentences and cells match the code", () => {
  const says = PROSE.replace(/\s+/g, " ");
  const common = Deno.readTextFileSync(`${PROJECT}/auth/credentials/common_passwords.txt`).trim().split("\n").length;
  const { reset, register, change_email, password_changed } = MAIL_RULES;
  assert.equal(register.lifetime, change_email.lifetime);
  const sentences = [
    `at most ${MOST_BODY / 1_024} KiB`,
    `more than ${MOST_BODY / 1_024} KiB`,
    `none of ${Math.floor(common / 1_000)},000 common ones`,
    `erased after ${REOPENABLE / DAY} days`,
    `At \`purge_at\`, ${REOPENABLE / DAY} days later`,
    `At most ${MOST_CONNECTIONS} a worker and ${MOST_TOGETHER} a process`,
    `silent for ${QUERY_TIMEOUT / 1_000} s is answered 503`,
    `finishes what it has within ${GRACE / 1_000} s`,
    `bcrypt at cost ${SETTINGS.bcryptCost.fallback}`,
    `${SETTINGS.sessionIdle.fallback.replace("d", " days idle")}`,
    `and ${SETTINGS.sessionMax.fallback.replace("d", " in all")}`,
    `at most ${MOST_SESSIONS} a user`,
    `reset ${reset.lifetime! / MINUTE} minutes`,
    `proofs of a mailbox ${register.lifetime! / HOUR} hours`,
    `undo ${password_changed.lifetime! / HOUR} hours`,
    `reopen ${REOPENABLE / DAY} days`,
    `8 digits, ${CODE_LIFETIME / MINUTE} minutes`,
    `${MOST_WAITING} wait`,
  ];
  for (const sentence of sentences) assert.ok(says.includes(sentence), `README.md does not say "${sentence}"`);
});

Deno.test("README: every named path of the project exists", () => {
  const named = [
    ...codeSpans().flatMap((span) => span.split(" ")).filter((word) => OWN_PATH.test(word)),
    ...links().filter((link) => !/^(?:#|[a-z]+:)/.test(link)),
  ];
  assert.ok(named.length > 10, "the search does not find the paths that are there");
  const files = [".", "auth", "db", "routes", "tests", ".ci"].flatMap((folder) => folder === "." ? [] : walk(folder));
  for (const path of named) {
    const pattern = new RegExp(`^${path.replace(/[.]/g, "\\.").replaceAll("*", "[^/]*")}$`);
    assert.ok(exists(path) || files.some((file) => pattern.test(file)), `README.md names ${path}, which is not there`);
  }
});

Deno.test("README: every link to a chapter has a target", () => {
  for (const link of links().filter((link) => link.startsWith("#"))) {
    assert.ok(anchors().includes(link), `README.md links to ${link}; there are ${anchors().join(" ")}`);
  }
});

Deno.test("README: every named task exists, and every task is named", () => {
  const named = [...README.replace(/<!--[^]*?-->/g, "").matchAll(/\b(?:deno(?:@[\d.]+)?|…) task ([a-z][\w:-]*)/g)].map((
    match,
  ) => match[1]);
  assertSame("tasks", [...new Set(named)], Object.keys(CONFIGURATION.tasks));
});

Deno.test("README: the version of Deno is the one of continuous integration everywhere", () => {
  const [, version] = /^deno_version=(\S+)$/m.exec(readText(".ci/run"))!;
  const named = [...README.matchAll(/\bdeno@(\d[\w.]*)|\bDeno (\d+\.[\w.]*\w)/g)].map((match) => match[1] ?? match[2]);
  assert.ok(named.length >= 3);
  assert.deepEqual([...new Set(named)], [version]);
});

Deno.test("README: systemd and the container run the same command as the start task", () => {
  const [, run, ...words] = CONFIGURATION.tasks.start.command.split(" ");
  // An unattended command must not load from a registry.
  const start = [run, "--cached-only", ...words];
  const unit = block("ini", "[Service]");
  const [, program, command] = /^ExecStart=(\S+) (.*)$/m.exec(unit)!;
  assert.match(program, /\/deno$/);
  assert.deepEqual(command.split(" "), start);
  const folder = /^WorkingDirectory=(\S+)$/m.exec(unit)![1];
  const data = SETTINGS.databaseUrl.fallback.slice("sqlite:".length).split("/")[0];
  assert.equal(/^ReadWritePaths=(\S+)$/m.exec(unit)?.[1], `${folder}/${data}`);
  const image = block("dockerfile", "FROM ");
  assert.deepEqual(JSON.parse(/^CMD (.*)$/m.exec(image)![1]), ["deno", ...start]);
  assert.equal(/^VOLUME (\S+)$/m.exec(image)?.[1], `${/^WORKDIR (\S+)$/m.exec(image)?.[1]}/${data}`);
  assert.equal(/^EXPOSE (\d+)$/m.exec(image)?.[1], SETTINGS.port.fallback);
});

Deno.test("the container's COPY excludes a machine's own files, above all its database", () => {
  assert.match(block("dockerfile", "FROM "), /^COPY .*\. \.$/m);
  const linesOf = (path: string) => readText(path).trim().split("\n").filter((line) => !line.startsWith("#"));
  const left = linesOf(".dockerignore");
  assert.ok(left.includes(".git"));
  for (const line of linesOf(".gitignore")) {
    // For git a name without a leading slash matches at every depth, for container tools only at the top.
    const meant = line.replace(/^(?!\/)/, "**/").replace(/^\/|\/$/g, "");
    assert.ok(left.includes(meant), `.dockerignore lacks ${meant}`);
  }
});

Deno.test("README: the command of systemd and the container starts from an empty cache without a registry", async () => {
  const cache = await Deno.makeTempDir({ prefix: "bienvenue-cache-" });
  const env = { DATABASE_URL: "sqlite::memory:", DENO_DIR: cache };
  try {
    await using service = await startService({ env, flags: ["--cached-only"] });
    assert.equal((await (await service.send("GET", "/")).json()).message, "Bienvenue");
    assert.doesNotMatch(service.output.stderr, /Download/);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("README: the image holds the compiled program, so that a start compiles nothing but its driver", async () => {
  const image = block("dockerfile", "FROM ");
  const [, command, ...words]: string[] = JSON.parse(/^CMD (.*)$/m.exec(image)![1]);
  const [, ...build]: string[] = JSON.parse(/^RUN (\[.*)$/m.exec(image)![1]);
  assert.deepEqual(
    build,
    [command, ...words.slice(0, -1), "--help"],
    "compiled code is valid for the same flags alone",
  );
  const cache = await Deno.makeTempDir({ prefix: "bienvenue-cache-" });
  const env = { DATABASE_URL: "sqlite::memory:", DENO_DIR: cache };
  const folder = `${cache}/gen/file${PROJECT}`;
  const compiled = () =>
    readdirSync(folder, { recursive: true }).map(String).filter((file) =>
      file.endsWith(".js") && !/^node_m/.test(file)
    );
  try {
    const options = { args: build, cwd: PROJECT, clearEnv: true, env: { ...bareEnvironment(), ...env } };
    const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const before = compiled();
    assert.ok(before.includes("main.ts.js") && before.length > 150, `${before.length}`);
    {
      await using service = await startService({ env, flags: ["--cached-only"] });
      assert.equal((await (await service.send("GET", "/")).json()).message, "Bienvenue");
    }
    assert.deepEqual(compiled().filter((file) => !before.includes(file)), [
      "db/engines/batch.ts.js",
      "db/engines/sqlite.ts.js",
    ]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("README: Deno knows the flags of every deno command", async () => {
  const commands = blocks().flatMap((
    { text },
  ) => [...text.replaceAll("\\\n", " ").matchAll(/\bdeno (\w+)((?: --?[a-z].*)?)$/gm)])
    .filter(([, word]) => word !== "task");
  const flags = commands.map(([, word, rest]) => [word, ...rest.match(/(?<= )--[a-z-]+/g) ?? []]);
  assert.ok(flags.flat().length > 3);
  for (const [word, ...names] of flags) {
    const help = new TextDecoder().decode(
      (await new Deno.Command(Deno.execPath(), { args: [word, "--help=full"], env: { NO_COLOR: "1" } }).output())
        .stdout,
    );
    for (const name of names) assert.ok(help.includes(name), `deno ${word} knows no ${name}`);
  }
});

Deno.test("README: the TypeScript programs type-check, and find out who is logged in", async () => {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  await register(service, "bob@bob.com", "mySuperPwd");
  const cookie = `session_id=${await logIn(service, "bob@bob.com", "mySuperPwd")}`;
  const programs = blocks().filter(({ language }) => language === "ts").map(({ text }) => text);
  assert.equal(programs.length, 2);
  const file = await Deno.makeTempFile({ prefix: "bienvenue-readme-", suffix: ".ts" });
  const text = programs.join("\n")
    .replace('"./routes/', `"file://${PROJECT}/routes/`)
    .replaceAll("http://127.0.0.1:5000", service.url.replace(/\/$/, ""))
    .replace("session_id=…", cookie) + `
    for (const cookie of ["${cookie}", "session_id=x"]) {
      console.log((await userOf(new Request("http://127.0.0.1", { headers: { cookie } })))?.email);
    }`;
  try {
    await Deno.writeTextFile(file, text);
    const args = ["run", "--check", "--no-prompt", `--config=${PROJECT}/deno.json`, "--allow-net", file];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    const [printed, noted] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(printed, "bob@bob.com\nbob@bob.com\nundefined\n", noted);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("README: every variable set in a block is a setting", () => {
  const known = [...Object.values(SETTINGS).map(({ name }) => name), "PGHOST", "DENO_DIR"];
  const set = blocks().filter(({ language }) => language !== "text")
    .flatMap(({ text }) => [...text.matchAll(/(?:^|[ =])([A-Z][A-Z_]+)=/gm)].map((match) => match[1]));
  assert.ok(set.length > 3);
  assert.deepEqual(set.filter((name) => !known.includes(name)), []);
});

Deno.test("README: every setting named in the text exists", () => {
  const names = Object.values(SETTINGS).map(({ name }) => name);
  const shouted = codeSpans(PROSE).flatMap((span) => /^([A-Z]+_[A-Z_]+)(?:=|$)/.exec(span)?.[1] ?? [])
    // Variables of the tests and of Deno itself.
    .filter((name) => !/^(?:TEST|OTEL)_/.test(name));
  assert.deepEqual(shouted.filter((name) => !names.includes(name)), []);
});

/** A row without the spaces that align its columns. */
function lineOf(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function readText(path: string): string {
  return Deno.readTextFileSync(`${PROJECT}/${path}`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${PROJECT}/${path}`);
    return true;
  } catch {
    return false;
  }
}

function walk(folder: string): string[] {
  return [...Deno.readDirSync(`${PROJECT}/${folder}`)].flatMap(({ name, isDirectory }) => {
    if (name === "node_modules") return [];
    return isDirectory ? walk(`${folder}/${name}`) : [`${folder}/${name}`];
  });
}

Deno.test("README: the proxy configurations are those that the tests run", () => {
  const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  for (const [file, language] of [["nginx.conf", "nginx"], ["Caddyfile", "caddy"]]) {
    const tested = Deno.readTextFileSync(new URL(`proxies/${file}`, import.meta.url)).trimEnd();
    assert.ok(readme.includes(`\`\`\`${language}\n${tested}\n\`\`\``), file);
  }
});

Deno.test("the proxy configurations pass on every path of the README's tables that users need", () => {
  // The first one belongs to the application; the others are for programs inside, or for developers.
  const inside = ["", "session", "healthz", "readyz", "metrics", "dev", "docs", "openapi.json"];
  const wanted = new Set(
    [...README.matchAll(/`(?:GET|POST|PUT|PATCH|DELETE) \/([\w.-]*)/g)].map(([, first]) => first)
      .filter((first) => !inside.includes(first)),
  );
  assert.ok(wanted.has("login") && wanted.has("reset_password"));
  for (const file of ["nginx.conf", "Caddyfile"]) {
    const text = Deno.readTextFileSync(new URL(`proxies/${file}`, import.meta.url));
    const lists = [...text.matchAll(/\^\/\(+([\w|-]+)\)/g)].flatMap(([, list]) => list.split("|"));
    const there = [...lists, ...(/\.well-known\/change-password/.test(text) ? [".well-known"] : [])];
    assert.deepEqual([...wanted].filter((first) => !there.includes(first)), [], file);
  }
});
