/**
 * The service behind a transaction-pooling proxy, which runs each transaction on any free connection.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openService } from "../kit/opened_service.ts";
import { PGBOUNCER, startPgbouncer } from "../kit/process/pgbouncer.ts";
import { testWith } from "../kit/programs.ts";
import { emptyDatabase } from "../kit/service.ts";

/** Fewer than a service has, so that they change between clients all the time. */
const SERVER_CONNECTIONS = 3;
const PROGRAMS = [[PGBOUNCER, "--version"], ["test", "-n", Deno.env.get("TEST_DATABASE_URL") ?? ""]];
const ROUNDS = Array.from({ length: 40 }, (_, index) => index);

testWith(PROGRAMS, "behind pgbouncer with pgbouncer=true everything works under parallel load", async () => {
  await using proxy = await startPgbouncer(await emptyDatabase("postgres"), SERVER_CONNECTIONS);
  await using one = await openService(`${proxy.url}?pgbouncer=true`);
  await using two = await openService(`${proxy.url}?pgbouncer=true`);
  await Promise.all(ROUNDS.map(async (round) => {
    const [here, there] = round % 2 === 0 ? [one, two] : [two, one];
    const email = `user${round}@example.com`, password = "correct horse";
    assert.equal(await here.status("POST", "/users", { email, password }), 200);
    const session = await there.logIn(email, password);
    const profile = await here.send("GET", "/profile", undefined, session);
    assert.deepEqual(await profile.json(), { email });
    const { reset_token } = await (await here.send("POST", "/reset_password", { email })).json();
    const update = { email, reset_token, new_password: `new horse ${round}` };
    assert.equal(await there.status("PUT", "/reset_password", update), 200);
    assert.equal(await here.status("GET", "/profile", undefined, session), 403);
    const again = await here.logIn(email, `new horse ${round}`);
    assert.equal(await there.status("DELETE", "/sessions", undefined, again), 302);
    assert.equal(await here.status("GET", "/profile", undefined, again), 403);
  }));
  assert.deepEqual([...one.logged, ...two.logged].filter((entry) => entry.level !== undefined), []);
  const { count } = (await one.auth.db.get<{ count: number }>(
    "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database()",
  ))!;
  assert.ok(count <= SERVER_CONNECTIONS, `${count} connections to the server`);
});

testWith(PROGRAMS, "behind pgbouncer without pgbouncer=true requests answer 503 and the log says so", async () => {
  const direct = await emptyDatabase("postgres");
  // The schema and keys exist already, so that the start succeeds and requests meet the proxy.
  await using setUp = await openService(direct);
  assert.equal(await setUp.status("POST", "/users", { email: "ada@example.com", password: "correct horse" }), 200);
  await using proxy = await startPgbouncer(direct, SERVER_CONNECTIONS);
  await using service = await openService(proxy.url);
  const seen = new Set<number>();
  const answers = await Promise.all(
    ROUNDS.map((round) => service.send("POST", "/sessions", { email: "ada@example.com", password: `wrong ${round}` })),
  );
  for (const answer of answers) {
    seen.add(answer.status);
    if (answer.status !== 503) continue;
    assert.equal(answer.headers.get("error-code"), "database_unavailable");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  }
  assert.ok(seen.has(503), "the proxy is in the way");
  assert.ok(!seen.has(200) && !seen.has(500), `${[...seen]}`);
  const warnings = service.logged.map((entry) => entry.warning).filter((warning) => warning !== undefined);
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]), /(42P05|26000).*pgbouncer=true/);
});

testWith(PROGRAMS, "behind pgbouncer without pgbouncer=true a second start fails and names the setting", async () => {
  await using proxy = await startPgbouncer(await emptyDatabase("postgres"), 1);
  await using _first = await openService(proxy.url);
  await assert.rejects(openService(proxy.url), /(42P05|26000).*pgbouncer=true/);
});
