/**
 * From a `postgres:` URL to the parameters of a connection. Must not repeat a URL in a message: it may hold a password.
 *
 * @module
 */
import { DatabaseRefused } from "../errors.ts";

/** What the `pg` package and our driver need to connect. */
export interface PostgresParameters {
  /** Host name, address, or folder of a Unix socket. */
  host: string;
  /** TCP port. */
  port: number;
  /** Role. */
  user: string;
  /** Password; empty when the server asks for none. */
  password: string;
  /** Database. */
  database: string;
  /** TLS, or false for none. */
  ssl: false | { rejectUnauthorized: boolean; ca?: string; servername?: string };
  /** Whether statements are named, and so parsed once a connection; not through a transaction-pooling proxy. */
  named: boolean;
}

const KNOWN = ["sslmode", "sslrootcert", "pgbouncer", "host", "application_name", "channel_binding", "connect_timeout"];

/**
 * Reads the URL. `sslmode` means what it means to libpq, but absent, and where it promises nothing (`allow`, `prefer`):
 * none on loopback and sockets and verify-full elsewhere; `disable` none; `require` encrypted without a look at the
 * certificate, unless `sslrootcert` names a file to check it by, or `channel_binding=require` asks for a server that
 * nobody can stand in for; `verify-ca` and `verify-full` checked. Throws `DatabaseRefused`.
 */
export function parsePostgresUrl(text: string): PostgresParameters {
  const url = URL.parse(text);
  if (!url || !["postgres:", "postgresql:"].includes(url.protocol)) throw refused("it is not a postgres:// URL");
  // The name is not repeated: a "?" that was not escaped makes the rest of a password a parameter.
  if ([...url.searchParams.keys()].some((name) => !KNOWN.includes(name))) {
    throw refused(`it has a parameter that is not known here; known are ${KNOWN.join(", ")}`);
  }
  // One of these in a password ends it early, and the rest would be taken, and shown, for something else.
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

/** The URL without its password and parameters, for people to read. */
export function shownPostgresUrl(text: string): string {
  const { host, port, database } = parsePostgresUrl(text);
  return host.startsWith("/") ? `postgres ${database} on ${host}` : `postgres://${host}:${port}/${database}`;
}

/** The URL for PostgreSQL's own tools, in quotes for a shell: without its password, and what only we know. */
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
  // The package binds to a channel only where the server offers it; a checked certificate keeps the same promise.
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
  } catch {
    throw refused(`the file of sslrootcert, ${file}, cannot be read`);
  }
}

function refused(reason: string): DatabaseRefused {
  return new DatabaseRefused(`DATABASE_URL: ${reason}`);
}
