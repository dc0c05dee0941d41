/**
 * The parts about writing: `fsyncs`, how often a login waits for the disk, and `import`, users per second of CPU time.
 *
 * @module
 */
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { startSmtpServer } from "../kit/process/smtp_server.ts";
import { CpuClock } from "./cpu.ts";
import { isInstalled } from "./load.ts";
import { cpuOf, type Program } from "./program.ts";
import { inRounds } from "./rounds.ts";
import { engines, fillService, PASSWORD, passwordHash, serverPids, serviceIn, startService } from "./servers.ts";
import type { Table } from "./table.ts";

/** Logins before the count begins. */
const BEFORE = 10;

/** Calls of fsync and fdatasync of a login from a new device, with the mail that tells its owner, on SQLite. */
export async function fsyncs(folder: string, count: number): Promise<Table[]> {
  const title = `Writes that wait for the disk, SQLite, ${count} logins one after another`;
  const columns = ["a login from a new device, its mail included", "fsyncs"];
  if (!isInstalled("strace")) return [{ title, columns, rows: [["strace is not installed", undefined]] }];
  const smtp = await startSmtpServer();
  const users = count + BEFORE;
  const settings = { MAIL_URL: smtp.url, MAIL_FROM: "accounts@example.com", THROTTLE: "observe" };
  const { program } = await fillService(folder, settings, { users, sessions: 0, hash: await passwordHash(4) });
  // The first login of a user is from no new device.
  for (let index = 0; index < users; index++) await logIn(program, index);
  for (let index = 0; index < BEFORE; index++) {
    await logIn(program, index);
    await smtp.arrived(index + 1);
  }
  const file = `${folder}/fsyncs`;
  const trace = new Deno.Command("strace", {
    args: ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", file, "-p", `${program.pid}`],
    stderr: "null",
  }).spawn();
  await isTraced(program.pid);
  for (let index = BEFORE; index < users; index++) {
    await logIn(program, index);
    await smtp.arrived(index + 1);
  }
  // What is written after a mail went out belongs to its login.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  trace.kill("SIGINT");
  await trace.status;
  const calls = (await Deno.readTextFile(file)).match(/\b(?:fsync|fdatasync)\(/g)?.length ?? 0;
  await program.stop();
  await smtp.stop();
  return [{ title, columns, rows: [["calls of fsync and fdatasync, each login", calls / count]] }];
}

async function logIn(program: Program, index: number): Promise<void> {
  const status = await program.post("/sessions", { email: `person${index}@example.com`, password: PASSWORD });
  if (status !== 200) throw new Error(`a login was answered ${status}`);
}

/** Waits until strace has attached itself to every thread. */
async function isTraced(pid: number): Promise<void> {
  const traced = (): boolean =>
    [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
      !Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`).includes("TracerPid:\t0\n")
    );
  for (let wait = 0; wait < 500 && !traced(); wait++) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!traced()) throw new Error("strace cannot attach itself to the service");
}

/** Users that `users import` takes in per second of CPU time; the start of the command is taken off. */
export async function importing(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table[]> {
  const hash = await passwordHash(4);
  const line = (index: number, mark: string): string =>
    JSON.stringify({ email: `${mark}-${index}@example.com`, hashed_password: hash, name: "Bob" });
  let made = 0;
  const lines = async (count: number): Promise<string> => {
    const mark = `import${made++}`;
    const file = `${folder}/${mark}.jsonl`;
    await Deno.writeTextFile(file, Array.from({ length: count }, (_, index) => line(index, mark) + "\n").join(""));
    return file;
  };
  const clock = new CpuClock(() => serverPids(postgres));
  const both = await engines(folder, "importing", postgres);
  for (const [, url] of both) await (await startService(folder, { DATABASE_URL: url })).stop();
  const contenders = both.map(([name, url]) => ({
    name,
    slice: async () => {
      const command = async (users: number): Promise<{ cpu: number; server: number }> => {
        const before = clock.read();
        const cpu = await cpuOf(serviceIn(folder, { DATABASE_URL: url }, "users", "import"), await lines(users), clock);
        return { cpu, server: clock.read() - before };
      };
      const [start, all] = [await command(1), await command(count + 1)];
      return {
        users: count / (all.cpu - start.cpu) * 1_000,
        both: count / (all.cpu + all.server - start.cpu - start.server) * 1_000,
      };
    },
  }));
  const results = await inRounds(contenders, rounds, []);
  return [{
    title: `Import, ${results.count} rounds of ${count.toLocaleString("en")} users`,
    columns: ["engine", "users a CPU second", "with the database server's CPU"],
    rows: contenders.map(({ name }) => [
      name,
      results.spread(name, "users"),
      name === "SQLite" ? undefined : results.spread(name, "both"),
    ]),
  }];
}
