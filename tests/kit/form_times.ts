/**
 * Response times of each form for addresses with and without an account, over a started public service with a mail
 * server, at the real hash cost, on both engines. Prints a table; run `deno task test tests/kit/form_times.ts` on an
 * idle machine. Must not judge: `enumeration_test.ts` compares the work of each form.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runOn } from "./command_line.ts";
import { quantile } from "./mixed_load.ts";
import { PASSWORD } from "./people.ts";
import { startSmtpServer } from "./process/smtp_server.ts";
import { dataFolder, type StartedService, startService } from "./process/started_service.ts";
import { emptyDatabase, type Engine, ENGINES } from "./service.ts";

/** How many addresses of each kind are sent to a form. */
const COUNT = Number(Deno.env.get("FORM_COUNT") ?? 100);
const COST = "12";
const ASKER = "asker@example.com";

/** A form: the fields for an address, and the status, which is the same for all addresses. */
interface Form {
  name: string;
  path: string;
  fields: (email: string) => Record<string, string>;
  status: number;
}

const FORMS: Form[] = [
  { name: "register", path: "/users", fields: (email) => ({ email, password: PASSWORD }), status: 200 },
  { name: "reset", path: "/reset_password", fields: (email) => ({ email }), status: 200 },
  { name: "verify_email", path: "/verify_email", fields: (email) => ({ email }), status: 200 },
  {
    name: "change_email",
    path: "/change_email",
    fields: (email) => ({ new_email: email, password: PASSWORD }),
    status: 200,
  },
  { name: "login", path: "/sessions", fields: (email) => ({ email, password: "not the password" }), status: 401 },
];

let networks = 0;

/** Sends each request from its own network, so that no network limit answers instead. */
async function ask(service: StartedService, { path, fields }: Form, email: string, cookie: string): Promise<Response> {
  const network = `10.${networks >> 16 & 255}.${networks >> 8 & 255}.${networks++ & 255}`;
  return await fetch(service.url + path, {
    method: "POST",
    body: new URLSearchParams(fields(email)),
    headers: { cookie, "x-forwarded-for": network },
  });
}

/**
 * Response times in milliseconds. Known and unknown addresses alternate, so that other load on the machine affects both
 * alike.
 */
async function times(
  service: StartedService,
  form: Form,
  cookie: string,
): Promise<{ known: number[]; unknown: number[] }> {
  const all = { known: [] as number[], unknown: [] as number[] };
  for (let index = -5; index < COUNT; index++) {
    for (const kind of index % 2 ? ["known", "unknown"] as const : ["unknown", "known"] as const) {
      const start = performance.now();
      const response = await ask(service, form, `${kind}-${form.name}-${index + 5}@example.com`, cookie);
      await response.body?.cancel();
      if (index >= 0) all[kind].push(performance.now() - start);
      assert.equal(response.status, form.status, form.name);
      // Wait, so that the mail of one request is not sent while the other is measured.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return all;
}

/** Imports the known users by the operator's command, which costs no hash. */
async function takeIn(url: string): Promise<void> {
  const settings = { BCRYPT_COST: COST };
  assert.equal((await runOn(url, ["users", "add", ASKER, "--password-stdin"], { input: PASSWORD, settings })).code, 0);
  const [line] = (await runOn(url, ["users", "export"], { settings })).printed.trim().split("\n");
  const { hashed_password } = JSON.parse(line);
  const emails = FORMS.flatMap(({ name }) =>
    Array.from({ length: COUNT + 5 }, (_, index) => `known-${name}-${index}@example.com`)
  );
  const input = emails.map((email) => JSON.stringify({ email, hashed_password })).join("\n");
  assert.equal((await runOn(url, ["users", "import", "--verified"], { input, settings })).code, 0);
}

async function logInAsker(service: StartedService): Promise<string> {
  const response = await service.send("POST", "/sessions", { email: ASKER, password: PASSWORD });
  assert.equal(response.status, 200, await response.text());
  return response.headers.getSetCookie()[0].split(";")[0];
}

function spread(all: number[]): string {
  return [0.5, 0.1, 0.9].map((share) => quantile(all, share).toFixed(2)).join(" | ");
}

async function measure(engine: Engine): Promise<string[]> {
  await using mails = await stopped(startSmtpServer());
  await using data = await dataFolder();
  const url = engine === "sqlite" ? data.options.env.DATABASE_URL : await emptyDatabase(engine);
  await takeIn(url);
  const env = {
    DATABASE_URL: url,
    HOST: "127.0.0.1",
    BCRYPT_COST: COST,
    PUBLIC_URL: "https://accounts.example.com",
    MAIL_URL: mails.url,
    MAIL_FROM: "accounts@example.com",
    TRUSTED_PROXIES: "127.0.0.1",
  };
  await using service = await startService({ flags: data.options.flags, env });
  const cookie = await logInAsker(service);
  const lines: string[] = [];
  for (const form of FORMS) {
    const { known, unknown } = await times(service, form, cookie);
    const difference = (quantile(known, 0.5) - quantile(unknown, 0.5)).toFixed(2);
    lines.push(`| ${form.name} | ${engine} | ${spread(known)} | ${spread(unknown)} | ${difference} |`);
  }
  return lines;
}

async function stopped<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T & AsyncDisposable> {
  const started = await starting;
  return Object.assign(started, { [Symbol.asyncDispose]: () => started.stop() });
}

Deno.test(`S17, V52: response times of each form for known and unknown addresses, ${COUNT} of each, at cost ${COST}`, async () => {
  const lines: string[] = [];
  for (const engine of ENGINES) lines.push(...await measure(engine));
  console.log("| form | engine | known p50 ms | p10 | p90 | unknown p50 ms | p10 | p90 | difference of p50 |");
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const line of lines) console.log(line);
});
