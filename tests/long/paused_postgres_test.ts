/**
 * F09: the database server is paused without closing a connection. Requests end within their timeouts, nothing
 * accumulates, and the service works again without help after the pause.
 *
 * @module
 */
import assert from "node:assert/strict";
import { debianBinaries, type PostgresServer, startPostgres } from "../kit/process/postgres_server.ts";
import { PASSWORD, recovers } from "../kit/process/registration_load.ts";
import { logIn, register, type StartedService, startService } from "../kit/process/started_service.ts";
import { testWith } from "../kit/programs.ts";

const EMAIL = "ada@example.com", OTHER = "grace@example.com";
/** Length of the pause, in milliseconds: several times the longest wait of a request. */
const PAUSE = 25_000;
/** The waits for a connection and for an answer, plus some time for a busy machine, in milliseconds. */
const LONGEST = 2_000 + 5_000 + 3_000;

/** The server's processes: the first one and its children. */
async function processesOf(server: PostgresServer): Promise<number[]> {
  const first = Number((await Deno.readTextFile(`${server.folder}/postmaster.pid`)).split("\n")[0]);
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(first)] }).output();
  return [first, ...new TextDecoder().decode(stdout).trim().split(/\s+/).filter(Boolean).map(Number)];
}

/** Open files and resident memory of the service. */
async function usageOf(service: StartedService): Promise<{ files: number; kilobytes: number }> {
  // Deno may read /proc of other processes only with all permissions.
  const args = ["-c", `ls /proc/${service.pid}/fd | wc -l; ps -o rss= -p ${service.pid}`];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  const [files, kilobytes] = new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
  return { files, kilobytes };
}

testWith(
  [[`${debianBinaries()}/initdb`, "--version"], ["ps", "--version"]],
  "F09: while PostgreSQL is paused requests answer 503 in time and nothing accumulates; later all works again",
  async () => {
    const server = await startPostgres();
    const service = await startService({ env: { DATABASE_URL: server.url } });
    let paused: number[] = [], running = true;
    try {
      for (const email of [EMAIL, OTHER]) await register(service, email, PASSWORD);
      const session = await logIn(service, EMAIL, PASSWORD);
      const answers: { asker: number; status: number; ms: number }[] = [];
      let askers = 0;
      const ask = async (method: string, path: string, form?: Record<string, string>): Promise<void> => {
        const asker = askers++;
        while (running) {
          const start = performance.now();
          // Another user logs in: a login ends the session of its cookie, and many logins end a user's oldest one.
          const response = await service.send(method, path, form, form ? undefined : session);
          await response.body?.cancel();
          answers.push({ asker, status: response.status, ms: performance.now() - start });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const load = () => [
        ...Array.from({ length: 40 }, () => ask("GET", "/profile")),
        ...Array.from({ length: 10 }, () => ask("POST", "/sessions", { email: OTHER, password: PASSWORD })),
      ];
      // First with the server running, to compare.
      const asking = Promise.all(load());
      // It is awaited later; this keeps an earlier failure from ending the test as an unhandled rejection.
      asking.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const calm = await usageOf(service);
      paused = await processesOf(server);
      for (const pid of paused) Deno.kill(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      answers.length = 0;
      let files = 0, kilobytes = 0;
      for (const end = performance.now() + PAUSE; performance.now() < end;) {
        const usage = await usageOf(service);
        [files, kilobytes] = [Math.max(files, usage.files), Math.max(kilobytes, usage.kilobytes)];
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const during = answers.splice(0);
      // A request that needs no database is answered as usual.
      const home = await service.send("GET", "/");
      await home.body?.cancel();
      assert.equal(home.status, 200);
      for (const pid of paused.splice(0)) Deno.kill(pid, "SIGCONT");
      await recovers(service, session);
      running = false;
      await asking;
      assert.ok(during.length > 100, `${during.length} answers`);
      assert.deepEqual(new Set(during.map((answer) => answer.status)), new Set([503]));
      // Also those whose statements were sent just before the pause.
      assert.equal(new Set(during.map((answer) => answer.asker)).size, askers, "some waited for the whole pause");
      const slowest = Math.max(...during.map((answer) => answer.ms));
      assert.ok(slowest < LONGEST, `the slowest answer took ${slowest} ms`);
      // Up to as many database connections as the pool has, and as many again that are being closed.
      assert.ok(files < calm.files + 20, `${calm.files} open files before, ${files} while it stood still`);
      assert.ok(kilobytes < calm.kilobytes + 50_000, `${calm.kilobytes} kB before, ${kilobytes} while it stood still`);
    } finally {
      running = false;
      for (const pid of paused) Deno.kill(pid, "SIGCONT");
      await service.stop();
      await server.stop();
    }
  },
);
