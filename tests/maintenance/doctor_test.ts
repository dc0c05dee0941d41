/**
 * The doctor command finds faults, says what to do, and leaves no data behind.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Check } from "../../auth/maintenance/check.ts";
import { newId } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { migrate, MIGRATIONS } from "../../db/migrations.ts";
import { createApp } from "../../routes/app.ts";
import { apartOf } from "../../routes/cli/probe.ts";
import { run, runOn, type RunOptions } from "../kit/command_line.ts";
import { openService } from "../kit/opened_service.ts";
import { emptyDatabase, ENGINES, PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";

interface Examined {
  code: number;
  checks: Record<string, Check>;
}

async function examine(service: Service, words: string[] = [], options: RunOptions = {}): Promise<Examined> {
  return examined(await run(service, ["doctor", "--json", ...words], { settings: PUBLIC_SETTINGS, ...options }));
}

function examined({ code, printed }: { code: number; printed: string }): Examined {
  const checks = JSON.parse(printed) as Check[];
  for (const { state, todo } of checks) {
    assert.equal(state === "ok", todo === undefined, "what is not well says what to do");
  }
  return { code, checks: Object.fromEntries(checks.map((check) => [check.check, check])) };
}

/** Serves the app on a port, behind a function that plays the proxy. */
async function served(
  service: Service,
  work: (url: string) => Promise<void>,
  between: (request: Request, address: string) => [Request, string] = (request, address) => [request, address],
  after: (response: Response) => Response = (response) => response,
): Promise<void> {
  const app = createApp(service.auth);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request, info) => {
    const [passed, hostname] = between(request, "198.51.100.4");
    return after(await app.fetch(passed, { ...info, remoteAddr: { ...info.remoteAddr, hostname } }));
  });
  try {
    await work(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

test("when nothing is wrong, doctor reports every check as ok", async (service) => {
  const sent: string[] = [];
  const transport = { send: ({ to }: { to: string }) => Promise.resolve(void sent.push(to)), close: () => {} };
  // Doctor compares this clock with its own, so it must not stand still on a busy machine.
  Object.defineProperty(service.clock, "now", { get: () => Date.now() });
  await served(service, async (url) => {
    const { code, checks } = await examine(service, ["--url", url, "--mail", "me@x.test"], { transport });
    const bad = Object.values(checks).filter((check) => check.state !== "ok");
    // Tests hash at cost 4, and on PostgreSQL there is no file.
    assert.deepEqual(bad.map((check) => check.check), ["hashing"]);
    assert.match(checks.hashing.found, /^cost 4 takes \d+ ms \(\w+\); at most [\d.]+ logins a second on \d+ cores/);
    assert.equal(code, 0);
    const names = ["settings", "database", "schema", "content", "clock of the database", "mails waiting", "mail"];
    const outside = ["from outside", "clock of the service", "cookies", "session", "client address"];
    const files = service.engine === "sqlite" ? ["files", "disk"] : ["servers"];
    assert.deepEqual(Object.keys(checks).sort(), [...names, ...outside, ...files, "hashing"].sort());
    assert.match(checks["client address"].found, /198\.51\.100\.4/);
  });
  assert.deepEqual(sent, ["me@x.test"]);
  // Only events without a person are left.
  for (const name of ["users", "sessions", "tokens", "guesses"]) {
    assert.deepEqual(await service.rows(`SELECT * FROM ${name}`), [], name);
  }
  assert.deepEqual(await service.rows("SELECT * FROM events WHERE ip IS NOT NULL OR mail IS NOT NULL"), []);
}, PUBLIC_SETTINGS);

test(
  "the user left by an interrupted doctor is removed by the next one, and no other user",
  async (service) => {
    service.clock.now = Date.now() - 3_600_000;
    const left = `doctor-${newId(service.clock.now)}@bienvenue.invalid`;
    const others = ["doctor-who@bienvenue.invalid", "doctor-01970000-0000-7000-8000-000000000000@example.com"];
    for (const email of [left, ...others]) {
      assert.equal((await run(service, ["users", "add", email], { settings: PUBLIC_SETTINGS })).code, 0);
    }
    service.clock.now += 3_600_000;
    // The user of another doctor that is running now.
    const beside = `doctor-${newId(service.clock.now)}@bienvenue.invalid`;
    await run(service, ["users", "add", beside], { settings: PUBLIC_SETTINGS });
    await served(service, async (url) => void await examine(service, ["--url", url]));
    const users = await service.rows<{ email: string }>("SELECT email FROM users");
    assert.deepEqual(users.map(({ email }) => email).sort(), [beside, ...others].sort());
  },
  PUBLIC_SETTINGS,
);

test("V11: doctor finds a proxy that lets a client forge its address", async (service) => {
  service.clock.now = Date.now();
  const believing = (request: Request, address: string): [Request, string] => [
    request,
    request.headers.get("x-forwarded-for")?.split(",")[0] ?? address,
  ];
  await served(service, async (url) => {
    const { code, checks } = await examine(service, ["--url", url]);
    assert.deepEqual([code, checks["client address"].state], [1, "fail"]);
    assert.match(checks["client address"].todo!, /TRUSTED_PROXIES/);
  }, believing);
  // A proxy on the same machine, in another container, on another machine.
  for (const proxy of ["127.0.0.1", "172.18.0.2", "::ffff:10.0.0.3", "fd00::3"]) {
    const hiding = (request: Request): [Request, string] => [request, proxy];
    await served(service, async (url) => {
      const { checks } = await examine(service, ["--url", url]);
      assert.equal(checks["client address"].state, "warn", proxy);
      assert.match(checks["client address"].todo!, /TRUSTED_PROXIES/);
    }, hiding);
  }
}, PUBLIC_SETTINGS);

test("S42: doctor finds a proxy that changes the session cookie", async (service) => {
  service.clock.now = Date.now();
  const spoiled = (response: Response): Response => {
    const headers = new Headers(response.headers);
    headers.delete("set-cookie");
    for (const cookie of response.headers.getSetCookie()) headers.append("set-cookie", cookie.replace("; Secure", ""));
    return new Response(response.body, { status: response.status, headers });
  };
  await served(
    service,
    async (url) => {
      const { code, checks } = await examine(service, ["--url", url]);
      assert.deepEqual([code, checks.cookies.state], [1, "fail"]);
      assert.doesNotMatch(checks.cookies.found, /session_id=[\w-]{10}/, "the session's secret is not shown");
    },
    undefined,
    spoiled,
  );
}, PUBLIC_SETTINGS);

test("doctor finds a wrong address, a wrong clock and another database behind the URL", async (service) => {
  const away = await examine(service, ["--url", "http://127.0.0.1:1"]);
  assert.deepEqual([away.code, away.checks["from outside"].state], [1, "fail"]);
  service.clock.now = Date.now() - 120_000;
  await served(service, async (url) => {
    const { code, checks } = await examine(service, ["--url", url]);
    assert.deepEqual([code, checks["clock of the service"].state], [1, "fail"]);
    assert.equal(checks["clock of the database"].state, "fail");
    assert.match(checks["clock of the service"].found, /ahead of/);
  });
  const elsewhere = await emptyDatabase("sqlite");
  await using other = await openService(elsewhere);
  const app = createApp(other.auth);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const { checks } = await examine(service, ["--url", `http://127.0.0.1:${server.addr.port}`]);
  await server.shutdown();
  assert.equal(checks.login.state, "fail");
  assert.match(checks.login.todo!, /this very database/);
  assert.deepEqual(await service.rows("SELECT * FROM users"), []);
}, PUBLIC_SETTINGS);

Deno.test("a clock difference is reported only when rounding and answer time cannot explain it", () => {
  const served = 1_700_000_000_000;
  // The service's second began up to a second earlier, and the request took a while.
  assert.equal(apartOf(served, served + 900, served + 990), 0);
  assert.equal(apartOf(served, served - 400, served + 2_500), 0);
  assert.equal(apartOf(served, served - 3_000, served - 2_000), 2_000);
  assert.equal(apartOf(served, served + 4_000, served + 4_100), -3_000);
});

test("doctor finds mail that the server refuses and mail that waits too long", async (service) => {
  const transport = { send: () => Promise.reject(new Error("the mail server answered 535 to AUTH")), close: () => {} };
  const { code, checks } = await examine(service, ["--mail", "me@x.test"], { transport });
  assert.deepEqual([code, checks.mail.state, checks.mail.found], [1, "fail", "the mail server answered 535 to AUTH"]);
  assert.equal(checks["mails waiting"].state, "ok");
  await service.register(EMAIL, "Tr1ckyEn0ugh!");
  service.clock.now += 6 * 60_000;
  const late = await examine(service);
  assert.equal(late.checks["mails waiting"].state, "fail");
  assert.equal(late.checks.mail.state, "warn");
}, PUBLIC_SETTINGS);

for (const engine of ENGINES) {
  Deno.test(`doctor warns about an older schema without migrating it, and fails for a newer one [${engine}]`, async () => {
    const url = await emptyDatabase(engine);
    await using db = await DB.open(url, { folder: "/tmp" });
    await migrate(db, 1, MIGRATIONS.slice(0, -1));
    const before = examined(await runOn(url, ["doctor", "--json"]));
    assert.deepEqual([before.code, before.checks.schema.state], [0, "warn"]);
    assert.match(before.checks.schema.found, new RegExp(MIGRATIONS.at(-1)!.name));
    const names = await db.all<{ name: string }>("SELECT name FROM migrations");
    assert.equal(names.length, MIGRATIONS.length - 1);
    await db.run("INSERT INTO migrations (name, applied_at) VALUES ('9999_future', 1)");
    const newer = examined(await runOn(url, ["doctor", "--json"]));
    assert.deepEqual([newer.code, newer.checks.schema.state], [1, "fail"]);
  });
}

Deno.test("F06: doctor finds a damaged page and files that others may read", async () => {
  const url = await emptyDatabase("sqlite");
  const file = url.slice("sqlite:".length);
  {
    await using service = await openService(url);
    for (let index = 0; index < 50; index++) {
      await service.status("POST", "/users", { email: `user-${index}@x.test`, password: "b4l0u" });
    }
  }
  const sound = examined(await runOn(url, ["doctor", "--json"]));
  assert.deepEqual([sound.code, sound.checks.content.state, sound.checks.files.state], [0, "ok", "ok"]);
  Deno.chmodSync(file, 0o644);
  const open = examined(await runOn(url, ["doctor", "--json"]));
  assert.deepEqual([open.code, open.checks.files.state], [1, "fail"]);
  assert.match(open.checks.files.todo!, /chmod 600/);
  Deno.chmodSync(file, 0o600);
  const bytes = Deno.readFileSync(file);
  // A page in the middle of a table or index, not the schema.
  bytes.fill(0xff, 8 * 4_096, 9 * 4_096);
  Deno.writeFileSync(file, bytes);
  const { code, checks } = examined(await runOn(url, ["doctor", "--json"]));
  assert.deepEqual([code, checks.content.state], [1, "fail"]);
  assert.match(checks.content.todo!, /restore your last backup/);
  assert.deepEqual(Deno.readFileSync(file), bytes, "nothing was mended or made anew");
});

Deno.test("doctor reports a missing database and invalid settings in one line each", async () => {
  const none = examined(await runOn("sqlite:data/there_is_no_such_file.db", ["doctor", "--json"]));
  assert.deepEqual([none.code, none.checks.database.state], [1, "fail"]);
  const wrong = examined(await runOn("sqlite::memory:", ["doctor", "--json"], { settings: { PORT: "x" } }));
  assert.deepEqual([wrong.code, wrong.checks.settings.state], [1, "fail"]);
  const people = await runOn("sqlite:data/there_is_no_such_file.db", ["doctor"]);
  assert.match(
    people.printed,
    /^ok {4}settings: local profile\nfail {2}database: there is no database file .*\n {6}look at/,
  );
  assert.equal((await runOn("sqlite::memory:", ["doctor", "--url", "accounts"])).code, 2);
});
