/**
 * Parses a `postgres:` URL into connection parameters. Must not repeat a URL in a message: it may hold a password.
 *
 * @module
 */
import { DatabaseRefused } from "../errors.ts";

/** Connection parameters for the `pg` package and our driver. */
interface PostgresParameters {
  /** Host name, IP address, or folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  /** Empty when the server asks for none. */
  password: string;
  database: string;
  ssl: false | { rejectUnauthorized: boolean; ca?: string; servername?: string };
  /** Whether statements are named, so that each connection parses them once. False for a transaction-pooling proxy. */
  named: boolean;
}

const KNOWN = ["sslmode", "sslrootcert", "pgbouncer", "host", "application_name", "channel_binding", "connect_timeout"];

/**
 * Parses the URL. `sslmode` means the same as in libpq, except that a missing one, `allow` and `prefer` mean `disable`
 * on loopback and sockets, and `verify-full` elsewhere. `require` checks the certificate only if `sslrootcert` names a
 * file, or if `channel_binding=require` demands a server that nobody can impersonate. Throws `DatabaseRefused`.
 */
export function parsePostgresUrl(text: string): PostgresParameters {
  const url = URL.parse(text);
  if (!url || !["postgres:", "postgresql:"].includes(url.protocol)) throw refused("it is not a postgres:// URL");
  // The message does not repeat the name: after an unescaped "?", the rest of a password looks like a parameter.
  if ([...url.searchParams.keys()].some((name) => !KNOWN.includes(name))) {
    throw refused(`it has a parameter that is not known here; known are ${KNOWN.join(", ")}`);
  }
  // Unescaped in a password, one of these ends it early. The rest would be read, and shown, as another part of the URL.
  if (url.hash !== "" || /[/@]/.test(url.pathname.slice(1))) {
    throw refused("it holds a #, / or @ too many; within a password write %23, %2F and %40");
  }
  const host = url.searchParams.get("host") ?? decoded(url.hostname).replace(/^\[|\]$/g, "");
  if (host.includes(",")) throw refused("it names several hosts; name one, or the address of a proxy in front of them");
  const user = decoded(url.username);
  return {
    host: host || "localhost",
    port: Number(url.port || 5432),
    user,
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)) || user,
    ssl: tls(host || "localhost", url.searchParams),
    named: url.searchParams.get("pgbouncer") !== "true",
  };
}

/** The URL for people to read: without its password and parameters. */
export function shownPostgresUrl(text: string): string {
  const { host, port, database } = parsePostgresUrl(text);
  return host.startsWith("/") ? `postgres ${database} on ${host}` : `postgres://${host}:${port}/${database}`;
}

/** The URL for PostgreSQL's own tools, quoted for a shell: without the password and our own parameter. */
export function toolPostgresUrl(text: string): string {
  const url = new URL(text);
  url.password = "";
  url.searchParams.delete("pgbouncer");
  return `'${url.href.replaceAll("'", "%27")}'`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused("it holds a % that starts no escape; write %25 for it");
  }
}

function tls(host: string, parameters: URLSearchParams): PostgresParameters["ssl"] {
  const near = host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);
  const asked = parameters.get("sslmode") ?? "prefer";
  const mode = !["allow", "prefer"].includes(asked) ? asked : near ? "disable" : "verify-full";
  const file = parameters.get("sslrootcert");
  const ca = file === null || file === "system" ? undefined : readCertificate(file);
  // The package uses channel binding only if the server offers it. A checked certificate gives the same guarantee.
  const bound = parameters.get("channel_binding") === "require";
  switch (mode) {
    case "disable":
      if (bound) throw refused("channel_binding=require needs TLS; write sslmode=verify-full");
      return false;
    case "require":
      return { rejectUnauthorized: bound || ca !== undefined, ca };
    case "verify-ca":
    case "verify-full":
      return { rejectUnauthorized: true, ca };
    default:
      throw refused(`sslmode=${mode} is not known here; use disable, require or verify-full`);
  }
}

function readCertificate(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const where = error instanceof Deno.errors.NotCapable
      ? "; put it into the folder data, which the service reads"
      : "";
    throw refused(`the file of sslrootcert, ${file}, cannot be read${where}`);
  }
}

function refused(reason: string): DatabaseRefused {
  return new DatabaseRefused(`DATABASE_URL: ${reason}`);
}
