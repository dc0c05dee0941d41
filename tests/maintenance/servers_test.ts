/**
 * What doctor says about the servers of a PostgreSQL installation. Citus is not to be had for tests, so its catalogues
 * are made by hand, under the names that Citus gives them, and found before the server's own.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Check } from "../../auth/maintenance/check.ts";
import { PLACES, serverChecks } from "../../auth/maintenance/servers.ts";
import { TABLES } from "../../db/maintenance/copy.ts";
import type { Placement } from "../../db/maintenance/servers.ts";
import { runOn } from "../kit/command_line.ts";
import { runSql } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const ALL: ReadonlyMap<string, Placement> = new Map(PLACES.map(({ table, place }) => [table, place]));
const SCALING = Deno.readTextFileSync(`${PROJECT}/docs/scaling.md`);
const CATALOGUES = `
CREATE TABLE public.pg_extension (extname NAME);
INSERT INTO public.pg_extension VALUES ('citus');
CREATE TABLE pg_dist_partition (logicalrelid REGCLASS, partmethod "char", repmodel "char");
CREATE TABLE public.pg_stat_replication (pid INTEGER);
CREATE FUNCTION run_command_on_workers (command TEXT)
RETURNS TABLE (nodename TEXT, nodeport INTEGER, success BOOLEAN, result TEXT)
LANGUAGE SQL AS $$ SELECT 'worker', 5433, TRUE, '1' WHERE command LIKE 'SELECT count(*)%pg_stat_replication' $$;
`;

/** State and remedy of each check. */
function judged(checks: Check[]): Record<string, string> {
  return Object.fromEntries(checks.map(({ check, state, todo }) => [check, `${state} ${todo ?? ""}`.trim()]));
}

Deno.test("B10: one PostgreSQL server is well, with or without a standby", () => {
  assert.deepEqual(serverChecks(undefined), []);
  for (const [standbys, found] of [[0, "no standby"], [1, "one standby"], [2, "2 standbys"]] as const) {
    assert.deepEqual(serverChecks({ standbys }), [
      { check: "servers", state: "ok", found: `PostgreSQL with ${found} connected` },
    ]);
  }
});

Deno.test("B10: on Citus each node needs a standby, each table its place, and logins the setting", () => {
  const workers = [{ node: "a:5432", standbys: 1 }, { node: "b:5432", standbys: 2 }];
  const well = { placed: ALL, isCommutative: true, workers };
  const checks = (standbys: number, citus = well) => judged(serverChecks({ standbys, citus }));
  const good = { "servers": "ok", "citus tables": "ok", "citus setting": "ok" };
  assert.deepEqual(checks(1), good);
  const standby = "warn give each node a standby: nobody logs in while one is away";
  assert.deepEqual(checks(0), { ...good, servers: standby });
  assert.deepEqual(checks(1, { ...well, workers: [{ node: "a:5432", standbys: 0 }] }), { ...good, servers: standby });
  const [away] = serverChecks({ standbys: 1, citus: { ...well, workers: [{ node: "a:5432", standbys: undefined! }] } });
  assert.deepEqual([away.state, away.found], [
    "fail",
    "Citus, 1 workers; standbys: the coordinator 1, a:5432 does not answer",
  ]);
  assert.match(checks(1, { ...well, isCommutative: false })["citus setting"], /^fail ALTER DATABASE .* restart/);
  // A table of a later migration stays on the coordinator until somebody places it.
  const older = new Map([...ALL].filter(([table]) => table !== "pending_logins"));
  assert.equal(
    checks(1, { ...well, placed: older })["citus tables"],
    "warn SELECT create_distributed_table('pending_logins', 'secret_hash'); docs/scaling.md has the whole order",
  );
  assert.match(checks(1, { ...well, placed: new Map(ALL).set("users", "other") })["citus tables"], /^warn docs/);
  const none = checks(1, { ...well, placed: new Map(), isCommutative: false });
  assert.deepEqual([none["citus tables"], none["citus setting"]], [
    "warn docs/scaling.md has the whole order; or do without Citus",
    "ok",
  ]);
});

Deno.test("B10: docs/scaling.md places every table, in an order that Citus takes", () => {
  const commands = SCALING.match(/^SELECT create_.*;$/gm);
  assert.deepEqual(commands, PLACES.map(({ command }) => command));
  assert.deepEqual(PLACES.map(({ table }) => table).sort(), [...TABLES.map(({ name }) => name), "migrations"].sort());
  const last = SCALING.indexOf(PLACES.at(-1)!.command);
  assert.ok(last < SCALING.indexOf("SET citus.all_modifications_commutative = on;"), "the setting comes last");
});

Deno.test("B10: doctor reads the catalogues of Citus", { ignore: !ENGINES.includes("postgres") }, async () => {
  const url = await emptyDatabase("postgres");
  const name = new URL(url).pathname.slice(1);
  const doctor = async (): Promise<Record<string, Check>> => {
    const { printed } = await runOn(url, ["doctor", "--json"]);
    return Object.fromEntries((JSON.parse(printed) as Check[]).map((check) => [check.check, check]));
  };
  await (await openService(url))[Symbol.asyncDispose]();
  assert.equal((await doctor()).servers.found, "PostgreSQL with no standby connected");

  // Of another version of Citus.
  const path = `ALTER DATABASE ${name} SET search_path = public, pg_catalog`;
  await runSql(url, `CREATE TABLE public.pg_extension AS SELECT 'citus'::name AS extname; ${path}`);
  assert.match((await doctor()).servers.found, /^Citus, and its catalogues cannot be read: .*pg_dist_partition/);
  await runSql(url, "DROP TABLE public.pg_extension");

  await runSql(url, `${CATALOGUES} ALTER DATABASE ${name} SET search_path = public, pg_catalog;`);
  const none = await doctor();
  assert.equal(none.servers.found, "Citus, 1 workers; standbys: the coordinator 0, worker:5433 1");
  assert.match(none["citus tables"].found, /none/);

  const rows = PLACES.filter(({ table }) => table !== "guesses").map(({ table, place }) =>
    `('${table}'::regclass, ${place === "reference" ? "'n', 't'" : "'h', 's'"})`
  );
  await runSql(
    url,
    `INSERT INTO pg_dist_partition VALUES ${rows.join(", ")}; INSERT INTO public.pg_stat_replication VALUES (1)`,
  );
  const some = await doctor();
  assert.deepEqual([some.servers.state, some["citus tables"].found], ["ok", "on the coordinator only: guesses"]);
  assert.equal(some["citus setting"].state, "fail");

  await runSql(
    url,
    `INSERT INTO pg_dist_partition VALUES ('guesses'::regclass, 'h', 's');
     ALTER DATABASE ${name} SET citus.all_modifications_commutative = on`,
  );
  const all = await doctor();
  assert.deepEqual([all["citus tables"].state, all["citus setting"].state], ["ok", "ok"]);
  await runSql(url, "UPDATE pg_dist_partition SET repmodel = 's' WHERE logicalrelid = 'users'::regclass");
  assert.equal((await doctor())["citus tables"].found, "placed in another way: users (should be reference)");
});
