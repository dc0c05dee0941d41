/**
 * Fail-over: a primary with a synchronous streaming standby is killed during many registrations; the standby is
 * promoted and takes over the address. No acknowledged registration may be missing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rowsOf, runSql } from "../kit/fixtures.ts";
import {
  debianBinaries,
  freePort,
  type PostgresServer,
  runAsPostgres,
  startPostgres,
} from "../kit/process/postgres_server.ts";
import { PASSWORD, recovers, startLoad } from "../kit/process/registration_load.ts";
import { logIn, register, startService } from "../kit/process/started_service.ts";
import { startProxy } from "../kit/process/tcp_proxy.ts";
import { testWith } from "../kit/programs.ts";

const STANDBY = "standby";

/** Starts a standby by a cold copy of the primary. The primary acknowledges a commit only after the standby has it. */
async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const parent = await Deno.makeTempDir({ prefix: "bienvenue-standby-" });
  if (Deno.uid() === 0) await new Deno.Command("chown", { args: ["postgres", parent] }).output();
  const folder = `${parent}/data`, port = freePort();
  const control = (data: string, ...args: string[]) =>
    runAsPostgres(`${primary.binaries}/pg_ctl`, ["-D", data, "-w", "-s", "-l", `${parent}/log`, ...args]);
  await control(primary.folder, "stop", "-m", "fast");
  await runAsPostgres("cp", ["-a", primary.folder, folder]);
  const lines = [
    `port = ${port}`,
    `unix_socket_directories = '${parent}'`,
    `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=bienvenue application_name=${STANDBY}'`,
    "synchronous_standby_names = ''",
  ];
  await runAsPostgres("sh", ["-c", `printf '%s\n' "$1" >> ${folder}/postgresql.conf`, "sh", lines.join("\n")]);
  await runAsPostgres("touch", [`${folder}/standby.signal`]);
  await control(primary.folder, "start");
  await control(folder, "start");
  await runSql(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '${STANDBY}'`);
  await runSql(primary.url, "SELECT pg_reload_conf()");
  const synchronous = "SELECT 1 AS one FROM pg_stat_replication WHERE sync_state = 'sync'";
  while ((await rowsOf(primary.url, synchronous)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const url = new URL(primary.url);
  url.port = String(port);
  return {
    url: url.href,
    port,
    folder,
    binaries: primary.binaries,
    stop: async () => {
      await control(folder, "-m", "immediate", "stop").catch(() => {});
      await Deno.remove(parent, { recursive: true });
    },
  };
}

testWith(
  [[`${debianBinaries()}/initdb`, "--version"]],
  "F08: when the primary dies during registrations, the standby has every acknowledged user",
  async () => {
    const primary = await startPostgres(["wal_level = replica", "max_wal_senders = 5"]);
    await using proxy = startProxy(primary.port);
    const address = new URL(primary.url);
    address.port = String(proxy.port);
    let standby: PostgresServer | undefined, service: Awaited<ReturnType<typeof startService>> | undefined;
    try {
      standby = await startStandby(primary);
      const [{ url, folder }, email] = [standby, "ada@example.com"];
      service = await startService({ env: { DATABASE_URL: address.href } });
      await register(service, email, PASSWORD);
      const session = await logIn(service, email, PASSWORD);
      const load = startLoad(service, session, () => url);
      await load.more(200);
      const first = Number((await Deno.readTextFile(`${primary.folder}/postmaster.pid`)).split("\n")[0]);
      const backends = await rowsOf<{ pid: number }>(primary.url, "SELECT pid FROM pg_stat_activity");
      for (const pid of [first, ...backends.map((row) => row.pid)]) kill(pid);
      proxy.cut();
      await runAsPostgres(`${primary.binaries}/pg_ctl`, ["-D", folder, "-w", "-s", "promote"]);
      proxy.target = standby.port;
      await recovers(service, session);
      await load.more(50);
      await load.finish();
      assert.ok(load.statuses.get(503)! > 0, "the fail-over was noticed");
      assert.equal(load.statuses.get(null), undefined, "the service answered every request");
    } finally {
      await service?.stop();
      await standby?.stop();
      await primary.stop();
    }
  },
);

/** Kills one of the server's processes; some have already ended because the first one has. */
function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
