/**
 * Debian's pgbouncer in front of a PostgreSQL server, pooling by transaction as serverless PostgreSQL does. Must not
 * run as root, which pgbouncer refuses.
 *
 * @module
 */
import { freePort, runAsPostgres } from "./postgres_server.ts";

/** Debian's path of the program, which is not in every PATH. */
export const PGBOUNCER = "/usr/sbin/pgbouncer";

/** A running pgbouncer. */
interface Pgbouncer extends AsyncDisposable {
  /** URL of the database behind it. */
  url: string;
}

/** Starts pgbouncer in front of the server of this URL, with at most this many connections to the server. */
export async function startPgbouncer(databaseUrl: string, connections: number): Promise<Pgbouncer> {
  const url = new URL(databaseUrl);
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-pgbouncer-" });
  if (Deno.uid() === 0) await new Deno.Command("chown", { args: ["postgres", folder] }).output();
  const port = freePort();
  const lines = [
    "[databases]",
    `* = host=${url.hostname} port=${url.port || 5432}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    `auth_file = ${folder}/users`,
    "pool_mode = transaction",
    `default_pool_size = ${connections}`,
    "max_client_conn = 200",
    `logfile = ${folder}/log`,
    `pidfile = ${folder}/pid`,
  ];
  const user = decodeURIComponent(url.username), password = decodeURIComponent(url.password);
  lines[1] += ` user=${user}${password && ` password=${password}`}`;
  const write = (file: string, text: string) =>
    runAsPostgres("sh", ["-c", `printf '%s\n' "$1" > ${folder}/${file}`, "sh", text]);
  await write("ini", lines.join("\n"));
  await write("users", `"${user}" "${password}"`);
  await runAsPostgres(PGBOUNCER, ["-q", "-d", `${folder}/ini`]);
  await listens(port);
  url.port = String(port);
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await runAsPostgres("sh", ["-c", `kill -INT $(cat ${folder}/pid) 2>/dev/null || true`]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Waits until the port accepts connections: the program returns before that. */
async function listens(port: number): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || tries === 200) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
