/**
 * The settings: accepted values, refused values, and that one start reports all faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, parseConfig, SETTINGS } from "../auth/config.ts";
import { parsePostgresUrl, shownPostgresUrl } from "../db/engines/postgres_url.ts";

const DAY = 86_400_000;

function parse(settings: Record<string, string>): ReturnType<typeof parseConfig> {
  return parseConfig((name) => settings[name]);
}

/** The lines of the refusal. */
function refusal(settings: Record<string, string>): string[] {
  try {
    parse(settings);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n");
  }
  return [];
}

const DEFAULTS = {
  port: 5000,
  host: "127.0.0.1",
  databaseUrl: "sqlite:data/bienvenue.db",
  bcryptCost: 12,
  sessionIdle: 7 * DAY,
  sessionMax: 30 * DAY,
  workers: 1,
  profile: "local",
  publicUrl: undefined,
  mailUrl: undefined,
  mailFrom: undefined,
  appName: "Bienvenue",
  signUp: "open",
  throttle: "enforce",
  trustedProxies: [],
  trustedOrigins: [],
  passwordMinLength: 8,
  appLogoUrl: undefined,
  appColor: "#1f5fd0",
  eventRetention: 180 * DAY,
  metrics: undefined,
};

Deno.test("without any variable the settings are the documented defaults", () => {
  assert.deepEqual({ ...parse({}) }, DEFAULTS);
});

Deno.test("an empty variable counts as unset", () => {
  const empty = Object.fromEntries(Object.values(SETTINGS).map((setting) => [setting.name, ""]));
  assert.deepEqual({ ...parse({ ...empty, PGHOST: "" }) }, DEFAULTS);
});

Deno.test("the settings object is frozen", () => {
  assert.throws(() => Object.assign(parse({}), { port: 1 }), TypeError);
});

/** Values at and beyond the limits of each setting. PUBLIC_URL has its values in two lines only. */
const VALUES: Record<string, { good: [text: string, value: unknown][]; bad: string[] }> = {
  PORT: {
    good: [["0", 0], ["1", 1], ["65535", 65_535]],
    bad: ["65536", "-1", "5e3", "5000.0", "0x1388", "http", " 80"],
  },
  HOST: {
    good: [["127.0.0.1", "127.0.0.1"], ["localhost", "localhost"], ["::1", "::1"]],
    bad: ["0.0.0.0", "::", "192.168.0.1", "example.test", "127.0.0.1.example.test", "*", "LOCALHOST "],
  },
  DATABASE_URL: {
    good: [["sqlite::memory:", "sqlite::memory:"], ["postgresql://h/d", "postgresql://h/d"]],
    bad: ["data/bienvenue.db", "mysql://h/d", "sqlite:", "postgres:", "postgres:h/d", "http://h", "SQLITE:a"],
  },
  BCRYPT_COST: { good: [["4", 4], ["16", 16]], bad: ["3", "17", "31", "12.5", "twelve", "-12", "1e1"] },
  SESSION_IDLE: {
    good: [["60s", 60_000], ["1m", 60_000], ["12h", DAY / 2], ["30d", 30 * DAY]],
    bad: ["59s", "0d", "401d", "7", "7 days", "-7d", "d", "7w", "1.5h", "9999999999d"],
  },
  SESSION_MAX: { good: [["7d", 7 * DAY], ["400d", 400 * DAY]], bad: ["30s", "401d", "1y", "forever"] },
  WORKERS: { good: [["1", 1], ["64", 64]], bad: ["0", "65", "all", "2.0"] },
  PUBLIC_URL: {
    good: [],
    bad: [
      "no",
      "http://auth.example.test",
      "https://auth.example.test/login",
      "https://u@auth.example.test",
      "ftp://x",
    ],
  },
  MAIL_URL: { good: [], bad: ["mail.example.test", "http://mail.example.test", "smtp://"] },
  MAIL_FROM: {
    good: [["accounts@example.test", "accounts@example.test"]],
    bad: ["accounts", "a@b@c", "A <a@example.test>", "a@example.test\r\nBcc: b@example.test"],
  },
  APP_NAME: { good: [["L'été à Paris", "L'été à Paris"]], bad: ["a\r\nb", "<b>", '"', "x".repeat(65)] },
  SIGN_UP: { good: [["open", "open"], ["closed", "closed"]], bad: ["no", "Open", "true"] },
  TRUSTED_PROXIES: { good: [], bad: ["0.0.0.0/0", "10.0.0.0/33", "proxy", "010.0.0.0/8"] },
  TRUSTED_ORIGINS: { good: [], bad: ["*", "null", "https://app.example.test/", "http://app.example.test"] },
  THROTTLE: { good: [["enforce", "enforce"], ["observe", "observe"]], bad: ["off", "0"] },
  PASSWORD_MIN_LENGTH: { good: [["8", 8], ["64", 64]], bad: ["7", "65", "eight"] },
  APP_LOGO_URL: {
    good: [["https://example.org/logo.svg", "https://example.org/logo.svg"]],
    bad: ["logo.svg", "javascript:1"],
  },
  APP_COLOR: { good: [["#1f5fd0", "#1f5fd0"]], bad: ["blue", "#12", "url(x)"] },
  METRICS_PORT: {
    good: [["9464", "127.0.0.1:9464"], ["0", "127.0.0.1:0"], ["0.0.0.0:9464", "0.0.0.0:9464"], ["[::1]:1", "[::1]:1"]],
    bad: ["65536", "-1", "metrics", ":9464", "::1:9464", "http://127.0.0.1:9464", "9464 "],
  },
  EVENT_RETENTION: { good: [["30d", 30 * DAY], ["3650d", 3_650 * DAY]], bad: ["3651d", "0d", "never"] },
};

Deno.test("F29: every setting is accepted up to its limits and refused beyond, in one line that begins with its name", () => {
  assert.deepEqual(Object.keys(VALUES).sort(), Object.values(SETTINGS).map((setting) => setting.name).sort());
  for (const [key, setting] of Object.entries(SETTINGS)) {
    const { good, bad } = VALUES[setting.name];
    for (const [text, value] of good) {
      assert.equal(parse({ [setting.name]: text })[key as keyof typeof SETTINGS], value, `${setting.name}=${text}`);
    }
    for (const text of bad) {
      const lines = refusal({ [setting.name]: text });
      assert.equal(lines.length, 1, `${setting.name}=${text}`);
      assert.match(lines[0], new RegExp(`^${setting.name}: \\S.{10,}$`));
    }
  }
});

Deno.test("F29: all invalid settings are reported at once", () => {
  const lines = refusal({
    PORT: "x",
    HOST: "0.0.0.0",
    DATABASE_URL: "x",
    BCRYPT_COST: "2",
    SESSION_IDLE: "x",
    SESSION_MAX: "x",
  });
  assert.deepEqual(lines.map((line) => line.split(":")[0]), [
    "PORT",
    "DATABASE_URL",
    "BCRYPT_COST",
    "SESSION_IDLE",
    "SESSION_MAX",
    "HOST",
  ]);
});

Deno.test("F29: SESSION_IDLE longer than SESSION_MAX is refused", () => {
  assert.deepEqual(refusal({ SESSION_IDLE: "31d" }), ["SESSION_IDLE: must not be longer than SESSION_MAX"]);
  assert.deepEqual(refusal({ SESSION_IDLE: "31d", SESSION_MAX: "31d" }), []);
});

Deno.test("a database in memory gets one worker, because it belongs to its connection", () => {
  assert.equal(parse({ WORKERS: "4", DATABASE_URL: "sqlite::memory:" }).workers, 1);
  assert.equal(parse({ WORKERS: "4" }).workers, 4);
});

Deno.test("a public service needs mail, and listens on all interfaces by default", () => {
  const url = { PUBLIC_URL: "https://auth.example.test/" };
  assert.match(refusal(url)[0], /^MAIL_URL: is missing; a public service must be able to send mail/);
  const mail = { MAIL_URL: "smtp://u:p@mail.example.test:587", MAIL_FROM: "a@example.test" };
  assert.match(refusal({ ...url, MAIL_URL: mail.MAIL_URL })[0], /^MAIL_FROM: is missing/);
  // All missing settings are reported at once, so that one start is enough to learn them.
  assert.deepEqual(refusal(url).map((line) => line.split(":")[0]), ["MAIL_URL", "MAIL_FROM"]);
  const { publicUrl, host } = parse({ ...url, ...mail });
  assert.deepEqual([publicUrl, host], ["https://auth.example.test", "0.0.0.0"]);
  assert.equal(parse({ ...url, ...mail, HOST: "127.0.0.1" }).host, "127.0.0.1");
  assert.equal(parse({ ...mail, PUBLIC_URL: "http://localhost:5000" }).publicUrl, "http://localhost:5000");
});

Deno.test("the local profile refuses a HOST that strangers can reach, and says why", () => {
  assert.match(refusal({ HOST: "0.0.0.0" })[0], /not loopback.*only this machine/);
});

const POSTGRES = { PGHOST: "db.example.test", PGUSER: "u@x", PGPASSWORD: "p/?#:@%", PGDATABASE: "d d", PGPORT: "6432" };

Deno.test("without DATABASE_URL and with PGHOST, the PG variables make the URL", () => {
  const { databaseUrl } = parse(POSTGRES);
  assert.deepEqual(parsePostgresUrl(databaseUrl), {
    host: "db.example.test",
    port: 6432,
    user: "u@x",
    password: "p/?#:@%",
    database: "d d",
    ssl: { rejectUnauthorized: true, ca: undefined },
    named: true,
  });
  assert.equal(parsePostgresUrl(parse({ PGHOST: "/run/postgresql" }).databaseUrl).host, "/run/postgresql");
  assert.equal(parsePostgresUrl(parse({ PGHOST: "h", PGSSLMODE: "disable" }).databaseUrl).ssl, false);
  assert.equal(parsePostgresUrl(parse({ PGHOST: "h" }).databaseUrl).port, 5432);
  // libpq accepts both without TLS, so they promise nothing. Platforms set them by habit, so they count as absent.
  for (const PGSSLMODE of ["prefer", "allow"]) {
    assert.equal(parsePostgresUrl(parse({ PGHOST: "localhost", PGSSLMODE }).databaseUrl).ssl, false);
    const { ssl } = parsePostgresUrl(parse({ PGHOST: "h", PGSSLMODE }).databaseUrl);
    assert.deepEqual(ssl, { rejectUnauthorized: true, ca: undefined });
  }
});

Deno.test("a PostgreSQL URL without a password takes PGPASSWORD; a URL with one keeps it", () => {
  const password = (DATABASE_URL: string) => {
    const { databaseUrl } = parse({ DATABASE_URL, PGPASSWORD: POSTGRES.PGPASSWORD });
    return parsePostgresUrl(databaseUrl).password;
  };
  assert.equal(password("postgres://u@h/d?sslmode=require"), POSTGRES.PGPASSWORD);
  assert.equal(password("postgres:///d?host=/run/postgresql"), POSTGRES.PGPASSWORD);
  assert.equal(password("postgres://u:own@h/d"), "own");
  assert.equal(parse({ DATABASE_URL: "postgres://u@h/d" }).databaseUrl, "postgres://u@h/d");
  assert.equal(parse({ DATABASE_URL: "sqlite:a.db", PGPASSWORD: "x" }).databaseUrl, "sqlite:a.db");
});

Deno.test("V68: without sslmode the certificate of a server on another machine is checked, name and all", () => {
  const checked = { rejectUnauthorized: true, ca: undefined };
  const ssl = (url: string) => parsePostgresUrl(url).ssl;
  const hosts = ["db.example.com", "10.0.0.5", "127.0.0.2", "[2001:db8::1]", "localhost.example.com"];
  for (const host of hosts) {
    // The empty text, since some platforms set a variable to nothing. Both others promise nothing.
    for (const parameters of ["", "?pgbouncer=true", "?sslmode=prefer", "?sslmode=allow", "?host=db.example.com"]) {
      assert.deepEqual(ssl(`postgres://u@${host}/d${parameters}`), checked, host + parameters);
    }
  }
  assert.deepEqual(ssl("postgres://u@db.example.com/d?sslmode=verify-full"), checked);
  assert.equal(ssl("postgres://u@localhost/d"), false);
});

Deno.test("with channel_binding=require the server's certificate is checked", () => {
  const ssl = (parameters: string) => parsePostgresUrl(`postgres://u@db.example.test/d?${parameters}`).ssl;
  const checked = { rejectUnauthorized: true, ca: undefined };
  assert.deepEqual(ssl("sslmode=require"), { ...checked, rejectUnauthorized: false });
  assert.deepEqual(ssl("sslmode=require&channel_binding=prefer"), { ...checked, rejectUnauthorized: false });
  assert.deepEqual(ssl("sslmode=require&channel_binding=require"), checked);
  assert.throws(() => ssl("sslmode=disable&channel_binding=require"), /channel_binding=require needs TLS/);
});

Deno.test("the PG variables are ignored beside DATABASE_URL or without PGHOST", () => {
  assert.equal(parse({ ...POSTGRES, DATABASE_URL: "sqlite:a.db" }).databaseUrl, "sqlite:a.db");
  assert.equal(parse({ ...POSTGRES, PGHOST: "" }).databaseUrl, DEFAULTS.databaseUrl);
});

Deno.test("F29: an invalid PGPORT is refused by its name", () => {
  for (const PGPORT of ["x", "65536", "-1", "5432/other", "5432 "]) {
    assert.match(refusal({ ...POSTGRES, PGPORT }).join("\n"), /^DATABASE_URL: PGPORT, ".*", is not a TCP port$/);
  }
});

Deno.test("S71: no message repeats the password of DATABASE_URL", () => {
  const urls = [
    "postgress://user:canary@db/name",
    "postgres//user:canary@db/name",
    "user:canary@db",
    "postgres://user:can%ary@db/name",
    "postgres://user:%zzcanary@db/name",
    "postgres://user:1?canary=2@db/name",
    "postgres://user:1?canary@db/name",
    "postgres://user:1#canary@db/name",
    "postgres://user:1/canary@db/name",
    "postgres://user:canary@db/name?sslmode=odd",
    "postgres://user:canary@a,b/name",
    "postgres://user:canary@db/name?host=a,b",
    "postgres://user:canary@db:port/name",
  ];
  for (const url of urls) {
    const lines = refusal({ DATABASE_URL: url });
    if (lines.length === 0) {
      try {
        lines.push(shownPostgresUrl(url));
      } catch (error) {
        assert.equal((error as Error).name, "DatabaseRefused", url);
        lines.push((error as Error).message);
      }
    }
    for (const line of lines) assert.doesNotMatch(line, /can|ary/, url);
  }
  assert.equal(shownPostgresUrl("postgres://user:canary@db:6432/name?sslmode=require"), "postgres://db:6432/name");
});

Deno.test("any values of the variables give settings or a ConfigError, and no other error", () => {
  const names = [...Object.values(SETTINGS).map((setting) => setting.name), "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"];
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("1", "12", "7d", "sqlite:a", "::1", "99999d"));
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...names), value), (settings) => {
    refusal(settings);
  }));
});
