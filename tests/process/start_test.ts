/**
 * What an operator sees of a start: the block on standard error, one line for each request on standard output, and one
 * plain sentence for every reason not to start.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ConfigError, parseConfig, SETTINGS } from "../../auth/config.ts";
import {
  bareEnvironment,
  dataFolder,
  logIn,
  PROJECT,
  register,
  startInVain,
  startService,
} from "../kit/process/started_service.ts";
import { skipped } from "../kit/programs.ts";

const deno_json = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
const memory = { DATABASE_URL: "sqlite::memory:" };

/** The messages of a failed start: all lines after the first one, which only says that it failed. */
async function refusal(env: Record<string, string>, flags?: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await startInVain({ env: { ...memory, ...env }, flags });
  const [first, ...sentences] = stderr.trimEnd().split("\n");
  assert.deepEqual([code, stdout, first], [1, "", "Bienvenue does not start:"], stderr);
  return sentences;
}

Deno.test("the start prints address, profile and database to standard error", async () => {
  const service = await startService({ env: { ...memory, BCRYPT_COST: "10" } });
  const { code, stdout, stderr } = await service.stop();
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(service.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(stderr.split("\n"), [
    `Bienvenue listens on ${service.url}`,
    "  profile:  local, for this machine only; reset tokens are handed out over HTTP",
    "  database: sqlite::memory:",
    "  workers:  1",
    "",
  ]);
});

Deno.test("S10: a bcrypt cost below 10 prints a warning at the start", async () => {
  const service = await startService({ env: { ...memory, BCRYPT_COST: "9" } });
  assert.match((await service.stop()).stderr, /^ {2}warning: {2}BCRYPT_COST=9 is for tests/m);
});

const postgres = Deno.env.get("TEST_DATABASE_URL");
if (postgres === undefined) skipped("the start's block on PostgreSQL", "there is no server");
Deno.test("S22: the start never prints the password of the database", { ignore: postgres === undefined }, async () => {
  const url = new URL(postgres!);
  if (url.password === "") url.password = "canary-zzz";
  const service = await startService({ env: { DATABASE_URL: url.href } });
  const { stderr } = await service.stop();
  assert.ok(!stderr.includes(url.password), stderr);
  assert.ok(stderr.includes(`database: postgres://${url.host}${url.pathname}`), stderr);
});

Deno.test("S71: each request is one JSON line on standard output, without query, path, body or cookie", async () => {
  const service = await startService({ env: memory });
  const canaries = ["canary-password", "canary@x.yz", "canary-query", "canary-path", "canarycookie"];
  const [password, email, query, path, cookie] = canaries;
  await register(service, email, password);
  const session = await logIn(service, email, password);
  await (await service.send("GET", `/profile?token=${query}`, undefined, session)).text();
  await (await service.send("GET", `/${path}`, undefined, cookie)).text();
  const { stdout } = await service.stop();
  const all = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  // Events have their own lines.
  const lines = all.filter((line) => line.event === undefined);
  assert.deepEqual(lines.map(({ method, route, status }) => [method, route, status]), [
    ["POST", "/users", 200],
    ["POST", "/sessions", 200],
    ["GET", "/profile", 200],
    ["GET", null, 404],
  ]);
  for (const line of lines) {
    const why = line.status < 400 ? [] : ["error_code", "ip"];
    assert.deepEqual(Object.keys(line), ["time", "request_id", "method", "route", "status", "ms", ...why]);
    assert.equal(new Date(line.time).toISOString(), line.time);
    assert.ok(line.ms >= 0);
  }
  assert.equal(new Set(lines.map((line) => line.request_id)).size, lines.length);
  for (const secret of [...canaries, session]) assert.ok(!stdout.includes(secret), `the log has ${secret}`);
});

Deno.test("the database and its folder are created for their owner only", async () => {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  await register(service, "a@b.cd", "secret");
  const mode = (path: string): string => (Deno.statSync(path).mode! & 0o777).toString(8);
  assert.equal(mode(data.folder), "700");
  const files = [...Deno.readDirSync(data.folder)].map((entry) => entry.name).sort();
  assert.deepEqual(files, ["bienvenue.db", "bienvenue.db-shm", "bienvenue.db-wal"]);
  for (const file of files) assert.equal(mode(`${data.folder}/${file}`), "600", file);
});

Deno.test("a database outside the folder data is refused with a message that says what to change", async () => {
  await using data = await dataFolder();
  const [sentence] = await refusal(data.options.env);
  assert.ok(sentence.includes(`${data.file} is outside the folders that this service may use`), sentence);
  assert.ok(sentence.includes(`add "${data.folder}" to "read" and "write" of the permission set "start"`), sentence);
  await assert.rejects(Deno.stat(data.folder), Deno.errors.NotFound);
});

const BAD: Record<string, string[]> = {
  PORT: ["http", "-1", "65536", "5000.5", "1e3"],
  HOST: ["0.0.0.0", "192.168.1.1", "example.org", "::"],
  DATABASE_URL: ["mysql://u:canary@h/d", "bienvenue.db", "sqlite:"],
  BCRYPT_COST: ["3", "17", "twelve"],
  SESSION_IDLE: ["7", "0d", "401d", "1w"],
  SESSION_MAX: ["-1d", "401d", "30 d"],
  WORKERS: ["0", "65", "two"],
  PUBLIC_URL: ["auth.example.org", "https://auth.example.org/login", "http://auth.example.org", "ftp://localhost"],
  MAIL_URL: ["mail.example.org", "http://u:canary@mail.example.org", "smtp://"],
  MAIL_FROM: ["accounts", "Accounts <accounts@example.org>"],
  APP_NAME: ["<b>", "a\nb", "x".repeat(65)],
  APP_LOGO_URL: [
    "logo.svg",
    "http://www.example.org/logo.svg",
    "https://u:canary@www.example.org/",
    "https://a;b.example/",
  ],
  // The last two are valid colours, but text in them is not readable on white.
  APP_COLOR: ["red", "#fff", "#1f5fd", "#ffffff", "#ffff00"],
  SIGN_UP: ["yes"],
  THROTTLE: ["off"],
  TRUSTED_PROXIES: ["0.0.0.0/0", "10.0.0.0/33", "proxy.example.org", "010.0.0.0/8"],
  TRUSTED_ORIGINS: ["*", "null", "https://app.example.org/", "http://app.example.org"],
  PASSWORD_MIN_LENGTH: ["7", "65"],
  METRICS_PORT: ["65536", "localhost", "http://localhost:9464"],
  EVENT_RETENTION: ["forever", "3651d"],
};
/** What the start says about these settings: a sentence for each that is invalid. */
function sentencesOf(env: Record<string, string>): string[] {
  const all: Record<string, string> = { ...memory, ...env };
  try {
    parseConfig((name) => all[name]);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

for (const [name, values] of Object.entries(BAD)) {
  Deno.test(`F29: an invalid ${name} has a message of one line`, () => {
    for (const value of values) {
      const sentences = sentencesOf({ [name]: value });
      assert.equal(sentences.length, 1, sentences.join("\n"));
      assert.ok(sentences[0].startsWith(`${name}: `), sentences[0]);
      assert.ok(!sentences[0].includes("canary"), "a URL may hold a password");
    }
  });
}

/** A start costs a third of a second, so each has an invalid value of every setting that has so many. */
for (let turn = 0; turn < Math.max(...Object.values(BAD).map((values) => values.length)); turn++) {
  Deno.test(`F29: invalid settings end the start before it listens, with a line for each: values ${turn + 1}`, async () => {
    // Beside PUBLIC_URL any HOST is allowed; a test below starts with a bad one.
    const given = Object.entries(BAD).filter(([name, values]) => name !== "HOST" && turn < values.length);
    const env = Object.fromEntries(given.map(([name, values]) => [name, values[turn]]));
    const sentences = await refusal(env);
    assert.deepEqual(sentences, sentencesOf(env));
    for (const [name] of given) {
      assert.ok(sentences.some((line) => line.startsWith(`${name}: `)), `${name}: ${sentences}`);
    }
    assert.ok(!sentences.join().includes("canary"), "a URL may hold a password");
  });
}

Deno.test("F29: the tests above try an invalid value of every setting", () => {
  assert.deepEqual(Object.keys(BAD).sort(), Object.values(SETTINGS).map((setting) => setting.name).sort());
});

Deno.test("F29: several invalid settings are reported at once, one line each", async () => {
  const sentences = await refusal({ PORT: "x", BCRYPT_COST: "99", SESSION_MAX: "1h" });
  assert.deepEqual(sentences.map((line) => line.split(":")[0]), ["PORT", "BCRYPT_COST", "SESSION_IDLE"]);
});

Deno.test("a public service without mail, and a HOST that is not loopback, end the start with a reason", async () => {
  const [mail] = await refusal({ PUBLIC_URL: "https://auth.example.org" });
  assert.match(mail, /^MAIL_URL: is missing; a public service must be able to send mail/);
  const [host] = await refusal({ HOST: "0.0.0.0" });
  assert.match(host, /"0\.0\.0\.0" is not loopback; without PUBLIC_URL only this machine is served/);
});

Deno.test("a port in use ends the start with a message that names the port", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String((other.addr as Deno.NetAddr).port);
  const [sentence, ...more] = await refusal({ PORT: port });
  assert.ok(sentence.startsWith(`PORT: another program listens on 127.0.0.1:${port}`), sentence);
  assert.deepEqual(more, []);
});

Deno.test("a second service on the same port does not start, even when the system would share the port", async () => {
  await using data = await dataFolder({ WORKERS: "2" });
  await using service = await startService(data.options);
  const { port } = new URL(service.url);
  await using other = await dataFolder({ WORKERS: "2", PORT: port });
  const { code, stderr } = await startInVain(other.options);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^PORT: another program listens on 127\\.0\\.0\\.1:${port}`, "m"));
});

Deno.test("the permission set start allows exactly the variables that the service and its packages read", () => {
  const settings = Object.values(SETTINGS).map((setting) => setting.name);
  const pg = ["PG*", "USER", "USERNAME", "NODE_PG_FORCE_NATIVE"];
  // Read by node-gyp-build, which finds bcrypt's addon.
  const addon = ["ARM_VERSION", "BCRYPT_PREBUILD", "ELECTRON_RUN_AS_NODE", "LIBC", "PREBUILDS_ONLY", "npm_config_*"];
  assert.deepEqual([...deno_json.permissions.start.env].sort(), [...settings, ...pg, ...addon].sort());
});

Deno.test("S73: the permission set start writes to the data folder alone, reads inside the project, and starts no program", () => {
  const { start } = deno_json.permissions;
  assert.deepEqual(Object.keys(start).sort(), ["env", "ffi", "net", "read", "sys", "write"]);
  assert.deepEqual(start.write, ["data"]);
  // bcrypt's loader looks at the last one: it tells Alpine from other systems.
  for (const path of start.read) assert.match(path, /^(?:[a-z_]+|\/etc\/alpine-release)$/);
  assert.deepEqual(start.sys, ["statfs"]);
});

Deno.test("the permission sets allow only the addon of the imported bcrypt version", () => {
  const [, version] = /^npm:bcrypt@(\d+\.\d+\.\d+)$/.exec(deno_json.imports.bcrypt)!;
  const folder = `node_modules/.deno/bcrypt@${version}`;
  assert.deepEqual(deno_json.permissions.start.ffi, [folder]);
  assert.deepEqual(deno_json.permissions.test.ffi, [folder]);
  assert.ok(Deno.statSync(`${PROJECT}/${folder}/node_modules/bcrypt`).isDirectory);
});

Deno.test("deno task start works on a fresh copy without settings, and stores its data in the folder data", async () => {
  const copy = await Deno.makeTempDir({ prefix: "bienvenue-copy-" });
  try {
    await run("cp", ["-r", "main.ts", "deno.json", "deno.lock", "auth", "db", "routes", copy]);
    // The default port, unless it is in use on this machine.
    const free = isFree(5000);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["task", "start"],
      cwd: copy,
      clearEnv: true,
      env: { ...bareEnvironment(), ...(!free && { PORT: "0" }) },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true,
    }).spawn();
    let stderr = "";
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr) {
      stderr += decoder.decode(bytes, { stream: true });
      const url = /^Bienvenue listens on (\S+)\n[^]*\n.*database: (.*)\n/m.exec(stderr);
      if (url === null) continue;
      const response = await fetch(url[1]);
      assert.deepEqual([response.status, await response.json()], [200, { message: "Bienvenue" }]);
      if (free) assert.equal(url[1], "http://127.0.0.1:5000");
      assert.equal(url[2], "sqlite:data/bienvenue.db");
      Deno.kill(-child.pid, "SIGTERM");
    }
    await child.status;
    assert.match(stderr, /^Bienvenue listens on/m);
    assert.match(stderr, new RegExp(`^ {2}workers: {2}${navigator.hardwareConcurrency}$`, "m"), "a thread a core");
    assert.equal(Deno.statSync(`${copy}/data`).mode! & 0o777, 0o700);
    assert.deepEqual([...Deno.readDirSync(`${copy}/data`)].map((entry) => entry.name), ["bienvenue.db"]);
    assert.equal(Deno.statSync(`${copy}/data/bienvenue.db`).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

async function run(command: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args, cwd: PROJECT }).output();
  assert.ok(success, `${command} ${args.join(" ")}`);
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
