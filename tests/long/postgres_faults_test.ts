/**
 * The database server restarts, loses a process or loses a reply under load. The service answers 503 meanwhile, keeps
 * what it acknowledged, and works again without help.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rowsOf, runSql } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { debianBinaries, type PostgresServer, runAsPostgres, startPostgres } from "../kit/process/postgres_server.ts";
import { PASSWORD, recovers, startLoad } from "../kit/process/registration_load.ts";
import { logIn, register, startInVain, startService, statusOf } from "../kit/process/started_service.ts";
import { startProxy } from "../kit/process/tcp_proxy.ts";
import { testWith } from "../kit/programs.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const PROGRAMS = [[`${debianBinaries()}/initdb`, "--version"]];
const EMAIL = "ada@example.com";

function control(server: PostgresServer, ...args: string[]): Promise<string> {
  return runAsPostgres(`${server.binaries}/pg_ctl`, ["-D", server.folder, "-w", "-s", "-l", "/dev/null", ...args]);
}

testWith(PROGRAMS, "F08: restarts and kills of the server under load lose no acknowledged user", async (t) => {
  const server = await startPostgres();
  const service = await startService({ env: { DATABASE_URL: server.url, WORKERS: "2" } });
  try {
    await register(service, EMAIL, PASSWORD);
    const session = await logIn(service, EMAIL, PASSWORD);
    const load = startLoad(service, session, () => server.url);
    const faults: Record<string, () => Promise<unknown>> = {
      "a backend ended by the administrator": () =>
        rowsOf(
          server.url,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bienvenue'",
        ),
      "a backend killed by -9, which restarts all": async () => {
        const query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'bienvenue' LIMIT 1";
        const [{ pid }] = await rowsOf<{ pid: number }>(server.url, query);
        Deno.kill(pid, "SIGKILL");
      },
      "a fast restart": () => control(server, "restart", "-m", "fast"),
      "an immediate restart": () => control(server, "restart", "-m", "immediate"),
      "two seconds away": async () => {
        await control(server, "stop", "-m", "fast");
        // Readiness reports the outage and liveness does not: a restart of the service would not help.
        const answers = await Promise.all(
          ["/readyz", "/healthz", "/profile", "/session", "/account"].map((path) =>
            service.send("GET", path, undefined, session)
          ),
        );
        assert.deepEqual(answers.map((answer) => answer.status), [503, 200, 503, 503, 503]);
        for (const answer of answers) {
          await answer.body?.cancel();
          if (answer.status === 200) continue;
          assert.equal(answer.headers.get("error-code"), "database_unavailable");
          assert.ok(Number(answer.headers.get("retry-after")) > 0);
        }
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        await control(server, "start");
      },
    };
    for (const [name, fault] of Object.entries(faults)) {
      await t.step(name, async () => {
        await load.more(20);
        await fault();
        await recovers(service, session);
        assert.equal(await statusOf(service.send("GET", "/readyz")), 200);
      });
    }
    await load.more(20);
    await load.finish();
    assert.ok(load.statuses.get(503)! > 0, "the faults were noticed");
    assert.equal(load.statuses.get(null), undefined, "the service answered every request");
    const { code } = await service.stop();
    assert.equal(code, 0);
  } finally {
    await service.stop();
    await server.stop();
  }
});

testWith(PROGRAMS, "a start without a reachable database ends with a message and an exit code", async () => {
  const server = await startPostgres();
  await server.stop();
  const { code, stderr } = await startInVain({ env: { DATABASE_URL: server.url } });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^Bienvenue does not start:\npostgres:\/\/127\.0\.0\.1:\d+\/postgres cannot be reached: [^\n]+\n$/,
  );
});

/** Whether a message contains this text. */
function holds(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

Deno.test("F10: when the reply to POST /users is lost it answers 503, a retry 400, and one user exists", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = startProxy(Number(url.port));
  const direct = url.href;
  url.port = String(proxy.port);
  await using service = await openService(url.href);
  const form = { email: EMAIL, password: PASSWORD };
  let cuts = 0;
  // The insert reaches the server, which stores the row; the connection is cut before the reply.
  proxy.onRequest = (bytes) => !(holds(bytes, "INSERT INTO users") && cuts++ === 0);
  const lost = await service.send("POST", "/users", form);
  assert.deepEqual([lost.status, lost.headers.get("error-code"), cuts], [503, "database_unavailable", 1]);
  assert.ok(Number(lost.headers.get("retry-after")) > 0);
  const retry = await service.status("POST", "/users", form);
  assert.ok([200, 400].includes(retry), `${retry}`);
  assert.equal((await rowsOf(direct, "SELECT id FROM users")).length, 1);
  await service.logIn(EMAIL, PASSWORD);
});

Deno.test("F10: when the reply to COMMIT is lost, a login or reset is either complete or has no effect", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = startProxy(Number(url.port));
  const direct = url.href;
  url.port = String(proxy.port);
  await using service = await openService(url.href);
  await service.status("POST", "/users", { email: EMAIL, password: PASSWORD });
  const session = await service.logIn(EMAIL, PASSWORD);
  const { reset_token } = await (await service.send("POST", "/reset_password", { email: EMAIL })).json();
  let cuts = 0;
  proxy.onRequest = (bytes) => !(holds(bytes, "COMMIT") && cuts++ === 0);
  const update = { email: EMAIL, reset_token, new_password: "another horse" };
  assert.equal(await service.status("PUT", "/reset_password", update), 503);
  assert.equal(cuts, 1);
  // The COMMIT may still be running; a query that needs the lock on the user's row waits for it.
  await runSql(direct, "SELECT id FROM users FOR UPDATE");
  const again = await service.status("PUT", "/reset_password", update);
  assert.ok([200, 403].includes(again), `${again}`);
  await service.logIn(EMAIL, "another horse");
  assert.equal(await service.status("POST", "/sessions", { email: EMAIL, password: PASSWORD }), 401);
  assert.equal(await service.status("GET", "/profile", undefined, session), 403);
  const left = await rowsOf(direct, "SELECT purpose FROM tokens WHERE purpose = 'reset'");
  assert.deepEqual(left, []);
});

Deno.test("a connection cut at any moment neither ends the process nor causes a 500", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = startProxy(Number(url.port));
  url.port = String(proxy.port);
  await using service = await openService(url.href);
  const form = { email: EMAIL, password: PASSWORD };
  await service.status("POST", "/users", form);
  const session = await service.logIn(EMAIL, PASSWORD);
  // Each message in turn is the last one of its connection, including those of the connection's start.
  for (let last = 1; last <= 12; last++) {
    let count = 0;
    proxy.onRequest = () => ++count !== last;
    const statuses = [
      await service.status("POST", "/sessions", form),
      await service.status("GET", "/profile", undefined, session),
      await service.status("POST", "/users", { ...form, email: `user${last}@example.com` }),
      await service.status("POST", "/reset_password", form),
    ];
    assert.deepEqual(statuses.filter((status) => ![200, 503].includes(status)), [], `cut at message ${last}`);
    proxy.onRequest = undefined;
    proxy.cut();
    // One request may still use the connection that was just cut.
    await service.status("GET", "/profile", undefined, session);
    assert.equal(await service.status("GET", "/profile", undefined, session), 200);
  }
});
