/**
 * The settings: one table for the service, its start and the README. Must not read the environment; `main.ts` passes it
 * in.
 *
 * @module
 */
import * as value from "./config_values.ts";

/** The values of the settings; {@linkcode SETTINGS} explains each. */
interface Settings {
  port: number;
  host: string;
  databaseUrl: string;
  /** Undefined is the local profile. */
  publicUrl: string | undefined;
  mailUrl: string | undefined;
  mailFrom: string | undefined;
  appName: string;
  appLogoUrl: string | undefined;
  appColor: string;
  signUp: "open" | "closed";
  /** In code points. */
  passwordMinLength: number;
  throttle: "enforce" | "observe";
  trustedProxies: readonly string[];
  trustedOrigins: readonly string[];
  bcryptCost: number;
  /** Milliseconds. */
  sessionIdle: number;
  /** Milliseconds. */
  sessionMax: number;
  /** Milliseconds. */
  eventRetention: number;
  /** As `address:port`; undefined is off. */
  metrics: string | undefined;
  workers: number;
}

/** The settings and the profile. */
export interface Config extends Settings {
  /** `public` if PUBLIC_URL is set. `local` serves this machine only. */
  profile: "local" | "public";
}

/** One environment variable. */
interface Setting<T> {
  name: string;
  /** The text for a variable that is absent or empty. */
  fallback: string;
  /** One line for the README. */
  help: string;
  /** Converts the text. Throws an Error whose message says what is wrong. */
  parse(text: string): T;
}

/** All wrong settings at once, one line each, so that one start shows them all (F29). */
export class ConfigError extends Error {
  constructor(sentences: string[]) {
    super(sentences.join("\n"));
    this.name = "ConfigError";
  }
}

/** Every setting, in the order of the README's table. */
export const SETTINGS: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  port: {
    name: "PORT",
    fallback: "5000",
    help: "TCP port; 0 takes a free one",
    parse: (text) => value.integer(text, 0, 65_535),
  },
  host: {
    name: "HOST",
    fallback: "127.0.0.1",
    help: "address to listen on; loopback only in the local profile, `0.0.0.0` unless set in the public one",
    parse: value.host,
  },
  databaseUrl: {
    name: "DATABASE_URL",
    fallback: "sqlite:data/bienvenue.db",
    help: "where the data is: `sqlite:<file>`, relative to the folder of `deno.json`, or `postgres://…`",
    parse: value.databaseUrl,
  },
  publicUrl: {
    name: "PUBLIC_URL",
    fallback: "",
    help: "the service's own origin, `https://…`; set, it turns the public profile on",
    parse: value.publicUrl,
  },
  mailUrl: {
    name: "MAIL_URL",
    fallback: "",
    help: "mail server: `smtp://user:password@host:587` or `smtps://…`; required with `PUBLIC_URL`",
    parse: value.mailUrl,
  },
  mailFrom: {
    name: "MAIL_FROM",
    fallback: "",
    help: "address that mails come from; required with `MAIL_URL`",
    parse: value.mailFrom,
  },
  appName: {
    name: "APP_NAME",
    fallback: "Bienvenue",
    help: "what the application is called in mails and pages",
    parse: value.appName,
  },
  appLogoUrl: {
    name: "APP_LOGO_URL",
    fallback: "",
    help: "a picture in place of the name on pages, `https://…`; at most 40 pixels high there",
    parse: value.appLogoUrl,
  },
  appColor: {
    name: "APP_COLOR",
    fallback: "#1f5fd0",
    help: "the one colour of buttons and links on pages, `#rrggbb`; refused when nothing could be read in it",
    parse: value.appColor,
  },
  signUp: {
    name: "SIGN_UP",
    fallback: "open",
    help: "`closed`: strangers cannot register",
    parse: (text) => value.word(text, ["open", "closed"]),
  },
  passwordMinLength: {
    name: "PASSWORD_MIN_LENGTH",
    fallback: "8",
    help: "least length of a new password in the public profile, 8 to 64; 15 where nothing but the password protects",
    parse: (text) => value.integer(text, 8, 64),
  },
  throttle: {
    name: "THROTTLE",
    fallback: "enforce",
    help: "`observe`: guesses beyond the limits are counted, and let through",
    parse: (text) => value.word(text, ["enforce", "observe"]),
  },
  trustedProxies: {
    name: "TRUSTED_PROXIES",
    fallback: "",
    help: "networks of reverse proxies whose `X-Forwarded-For` is believed, as CIDRs with commas between them",
    parse: value.networks,
  },
  trustedOrigins: {
    name: "TRUSTED_ORIGINS",
    fallback: "",
    help: "other origins whose pages may call this service with the user's cookies, with commas between them",
    parse: value.origins,
  },
  bcryptCost: {
    name: "BCRYPT_COST",
    fallback: "12",
    help: "cost of a password hash, 4 to 16; each step doubles the time of a login",
    parse: (text) => value.integer(text, 4, 16),
  },
  sessionIdle: {
    name: "SESSION_IDLE",
    fallback: "7d",
    help: "an unused session ends after this; a number and `s`, `m`, `h` or `d`",
    parse: (text) => value.duration(text, 400),
  },
  sessionMax: {
    name: "SESSION_MAX",
    fallback: "30d",
    help: "a session ends after this in any case; at most `400d`",
    // Browsers keep no cookie longer than 400 days (RFC 6265bis 5.5).
    parse: (text) => value.duration(text, 400),
  },
  eventRetention: {
    name: "EVENT_RETENTION",
    fallback: "180d",
    help: "how long the audit log is kept; at most `3650d`",
    parse: (text) => value.duration(text, 3_650),
  },
  metrics: {
    name: "METRICS_PORT",
    fallback: "",
    help: "TCP port of `GET /metrics` for Prometheus, on loopback, or `address:port`; none unless set",
    parse: value.listener,
  },
  workers: {
    name: "WORKERS",
    fallback: "1",
    help: "threads that answer requests; `deno task start` takes one a core",
    parse: (text) => value.integer(text, 1, 64),
  },
};

/** Reads the settings; an empty variable counts as absent. Throws a ConfigError that names every wrong one. */
export function parseConfig(get: (name: string) => string | undefined): Readonly<Config> {
  const wrong: string[] = [];
  const entries = Object.entries(SETTINGS).map(([key, setting]) => {
    try {
      return [key, setting.parse(get(setting.name) || fallbackOf(setting, get))];
    } catch (error) {
      wrong.push(`${setting.name}: ${(error as Error).message}`);
      return [key, undefined];
    }
  });
  const settings = Object.fromEntries(entries) as Settings;
  const config: Config = { ...settings, profile: settings.publicUrl === undefined ? "local" : "public" };
  wrong.push(...contradictions(config, (name) => wrong.some((line) => line.startsWith(`${name}:`))));
  if (wrong.length > 0) throw new ConfigError(wrong);
  config.databaseUrl = value.withPassword(config.databaseUrl, get);
  // A database in memory belongs to one connection, and so to one worker.
  if (config.databaseUrl === "sqlite::memory:") config.workers = 1;
  return Object.freeze(config);
}

function fallbackOf(setting: Setting<unknown>, get: (name: string) => string | undefined): string {
  if (setting === SETTINGS.databaseUrl && get("PGHOST")) return value.postgresUrl(get);
  if (setting === SETTINGS.host && get("PUBLIC_URL")) return "0.0.0.0";
  return setting.fallback;
}

/** Contradictions between settings. Says nothing about a setting that is wrong by itself. */
function contradictions(config: Config, isWrong: (name: string) => boolean): string[] {
  const wrong: string[] = [];
  const local = config.publicUrl === undefined && !isWrong("PUBLIC_URL");
  if (config.sessionIdle > config.sessionMax) wrong.push("SESSION_IDLE: must not be longer than SESSION_MAX");
  if (local && !isWrong("HOST") && !["127.0.0.1", "localhost", "::1"].includes(config.host)) {
    wrong.push(
      `HOST: "${config.host}" is not loopback; without PUBLIC_URL only this machine is served (127.0.0.1, localhost, ::1)`,
    );
  }
  if (config.publicUrl !== undefined && config.mailUrl === undefined && !isWrong("MAIL_URL")) {
    wrong.push("MAIL_URL: is missing; a public service must be able to send mail (smtp://user:password@host:587)");
  }
  const mails = config.mailUrl !== undefined || config.publicUrl !== undefined;
  if (mails && config.mailFrom === undefined && !isWrong("MAIL_FROM")) {
    wrong.push("MAIL_FROM: is missing; mails need an address that they come from");
  }
  if (config.port !== 0 && config.metrics?.endsWith(`:${config.port}`)) {
    wrong.push("METRICS_PORT: must not be PORT; who may ask the service must not see its figures");
  }
  return wrong;
}
