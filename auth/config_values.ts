/**
 * Parses the text of each setting. Each function throws an Error whose message says what is wrong. Must never repeat a
 * text that may hold a password.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { paletteOf } from "./colors.ts";
import { emailKeyOrUndefined } from "./email_addresses.ts";
import { parseMailUrl } from "./runtime/smtp.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const UNITS: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** Hosts to which plain http stays on this machine. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** A host name or an IP address. Browsers never send an origin with another host. */
const PLAIN_HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])$/;

/** A whole number from `least` to `most`. */
export function integer(text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`${JSON.stringify(text)} is not a whole number from ${least} to ${most}`);
}

/** A duration in milliseconds, from one minute to `mostDays` days. */
export function duration(text: string, mostDays: number): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const value = Number(count) * UNITS[unit];
  if (value >= MINUTE && value <= mostDays * DAY) return value;
  throw new Error(`${JSON.stringify(text)} is not a duration from 1m to ${mostDays}d, such as 12h or 30d`);
}

/** One of the given words. */
export function word<T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((each) => each === text);
  if (found !== undefined) return found;
  throw new Error(`${JSON.stringify(text)} is none of ${words.join(", ")}`);
}

/** An address to listen on. */
export function host(text: string): string {
  if (/^[A-Za-z0-9.:-]{1,253}$/.test(text)) return text;
  throw new Error(`${JSON.stringify(text)} is not an address to listen on`);
}

/** A port on loopback, or an address and a port, as `address:port`. Empty is undefined. */
export function listener(text: string): string | undefined {
  if (text === "") return undefined;
  const [, name = "127.0.0.1", port] = /^(?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):)?(\d{1,5})$/.exec(text) ?? [];
  if (Number(port) <= 65_535) return `${name}:${port}`;
  throw new Error(`"${text}" is neither a port nor address:port, such as 9464 or 0.0.0.0:9464`);
}

/** The URL of a SQLite or PostgreSQL database. */
export function databaseUrl(text: string): string {
  if (/^(?:sqlite:|postgres(?:ql)?:\/\/)./.test(text)) return text;
  throw new Error(
    "not a URL of a known database; write sqlite:data/bienvenue.db or postgres://user:password@host/name",
  );
}

/** Adds PGPASSWORD to a PostgreSQL URL without a password, as PostgreSQL's own tools do. */
export function withPassword(databaseUrl: string, get: (name: string) => string | undefined): string {
  const url = databaseUrl.startsWith("postgres") ? URL.parse(databaseUrl) : null;
  const password = get("PGPASSWORD");
  if (!url || url.password !== "" || !password) return databaseUrl;
  // A URL without a host, as for a socket, cannot hold a password.
  if (url.hostname === "") url.hostname = "localhost";
  url.password = encodeURIComponent(password);
  return url.href;
}

/** One URL from the PG* variables that hosting platforms set (PostgreSQL, libpq 34.15). */
export function postgresUrl(get: (name: string) => string | undefined): string {
  const part = (name: string): string => encodeURIComponent(get(name) ?? "");
  const parameters = new URLSearchParams({ host: get("PGHOST")! });
  if (get("PGSSLMODE")) parameters.set("sslmode", get("PGSSLMODE")!);
  if (get("PGSSLROOTCERT")) parameters.set("sslrootcert", get("PGSSLROOTCERT")!);
  const port = get("PGPORT") || "5432";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`PGPORT, "${port}", is not a TCP port`);
  const user = get("PGPASSWORD") ? `${part("PGUSER")}:${part("PGPASSWORD")}` : part("PGUSER");
  return `postgres://${user}@localhost:${port}/${part("PGDATABASE")}?${parameters}`;
}

/** The service's own origin: https, or http on this machine, also a secure context (WHATWG). Empty is undefined. */
export function publicUrl(text: string): string | undefined {
  if (text === "") return undefined;
  const url = URL.parse(text);
  if (!url || !["https:", "http:"].includes(url.protocol)) {
    throw new Error("not a URL; write https://accounts.example.com");
  }
  if (url.origin !== text.replace(/\/$/, "")) {
    throw new Error(`must be an origin alone, without a path; write ${url.origin}`);
  }
  if (url.protocol === "http:" && url.hostname !== "localhost") throw new Error(`must be https: ${url.origin}`);
  return url.origin;
}

/** Networks as CIDRs, separated by commas. A single address is a network of its own. Empty is an empty list. */
export function networks(text: string): readonly string[] {
  return Object.freeze(
    listed(text).map((part) => {
      const [address, length = ipaddr.IPv6.isValid(address) ? "128" : "32", ...more] = part.split("/");
      // Programs do not agree about octal and shortened IPv4 addresses (V35).
      const plain = ipaddr.IPv4.isValidFourPartDecimal(address) || (address.includes(":") && !address.includes("%"));
      if (more.length > 0 || !plain || !ipaddr.isValidCIDR(`${address}/${length}`)) {
        throw new Error(`"${part}" is not a network; write 10.0.0.0/8 or fd00::/8`);
      }
      // Otherwise every client's word would be trusted, and no limit per network would work (V45).
      if (Number(length) === 0) throw new Error(`"${part}" is the whole internet, which must not be trusted`);
      return `${address}/${length}`;
    }),
  );
}

/** Exact origins, separated by commas: https, or http on this machine. Empty is an empty list. */
export function origins(text: string): readonly string[] {
  return Object.freeze(
    listed(text).map((part) => {
      const url = URL.parse(part);
      // Compared with what browsers send, so written exactly like it. `*`, `null` and paths match nothing (S67).
      if (!url || url.origin !== part || !PLAIN_HOST.test(url.hostname)) {
        throw new Error(`"${part}" is not an origin; write https://app.example.com`);
      }
      if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.includes(url.hostname))) {
        throw new Error(`"${part}" must be https`);
      }
      return part;
    }),
  );
}

/** The URL of a mail server. Empty is undefined. */
export function mailUrl(text: string): string | undefined {
  if (text === "") return undefined;
  parseMailUrl(text);
  return text;
}

/** The sender's address of mails. Empty is undefined. */
export function mailFrom(text: string): string | undefined {
  if (text === "") return undefined;
  if (emailKeyOrUndefined(text) === undefined) throw new Error(`${JSON.stringify(text)} is not an e-mail address`);
  return text;
}

/** The name of the application. It goes into subjects of mails too, so control characters are refused (V34). */
export function appName(text: string): string {
  if (/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>"\\]{1,64}$/u.test(text)) return text;
  throw new Error('must be 1 to 64 characters, without control characters, <, >, " and \\');
}

/** The URL of a picture. Its origin goes into a header, so its host must be a plain name (V34). Empty is undefined. */
export function appLogoUrl(text: string): string | undefined {
  if (text === "") return undefined;
  const url = URL.parse(text);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "" || !/^[a-z0-9.-]+$/.test(url.hostname)) {
    throw new Error("is not the address of a picture; write https://www.example.com/logo.svg");
  }
  return url.href;
}

/** A colour as #rrggbb in which text is readable, on light and dark backgrounds. */
export function appColor(text: string): string {
  if (!/^#[0-9a-f]{6}$/i.test(text)) throw new Error(`"${text}" is not a colour; write #1f5fd0`);
  paletteOf(text.toLowerCase());
  return text.toLowerCase();
}

/** The parts between commas, without the spaces around them. */
function listed(text: string): string[] {
  return text === "" ? [] : text.split(",").map((part) => part.replace(/^ +| +$/g, ""));
}
