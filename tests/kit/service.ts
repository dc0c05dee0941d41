/**
 * A service for a test, called without a port, on each engine. Tests create their data by requests. The engine plans
 * every statement that a test makes the service run, and no plan may scan a table.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { type Config, parseConfig } from "../../auth/config.ts";
import type { LogEntry } from "../../auth/runtime/log.ts";
import { deliverMails } from "../../auth/mail/outbox.ts";
import { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import type { MailMessage } from "../../auth/runtime/smtp.ts";
import type { RequestEnv } from "../../routes/http/answers.ts";
import { createApp } from "../../routes/app.ts";
import { emptyDatabase, type Engine, ENGINES, migratedDatabase } from "./databases.ts";
import { assertNoScan } from "./plans.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";

export { emptyDatabase, type Engine, ENGINES };

/** Fields, cookies and headers of a test's request. */
export interface RequestOptions {
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string>;
  /** Sent as application/json. */
  json?: unknown;
  /** Sent unchanged; set its type in the headers. */
  body?: BodyInit;
  /** Sent as the session cookie. */
  session?: string;
  /** Sent as the device cookie. */
  device?: string;
  /** The client's address; unknown when absent. */
  ip?: string;
  headers?: Record<string, string>;
}

/** A service under test. */
export interface Service {
  engine: Engine;
  auth: Auth;
  /** Milliseconds since 1970 for the service; tests change it. */
  clock: { now: number };
  logged: LogEntry[];
  /** Sends a request to the service. */
  request(method: string, path: string, options?: RequestOptions): Promise<Response>;
  /** Like {@linkcode Service.request}, but to an app that the test made with changed rules. */
  requestTo(
    app: ReturnType<typeof createApp>,
    method: string,
    path: string,
    options?: RequestOptions,
  ): Promise<Response>;
  /** Calls `see` with every statement until the returned function is called. */
  watch(see: (sql: string) => void): () => void;
  /** Sends form fields and returns status and JSON body. */
  send(method: string, path: string, form?: Record<string, string>, session?: string): Promise<[number, unknown]>;
  register(email: string, password: string): Promise<void>;
  /** Logs a user in and returns the session id. */
  logIn(email: string, password: string): Promise<string>;
  /** Sends waiting mails and returns those that arrived since the last call, oldest first. */
  mails(): Promise<ReceivedMail[]>;
  /** Another instance on the same database. Its own clock starts at this one's time. */
  another(): Promise<Service>;
  /** Rows of the database, by a statement of the test; without ORDER BY in an order that does not change. */
  rows<T = Record<string, string | number | null>>(sql: string, ...values: (string | number)[]): Promise<T[]>;
}

/** A mail as a test reads it. */
export interface ReceivedMail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** The token in its first link, or "". */
  token: string;
  /** Its code, or "". */
  code: string;
}

/** Settings of a public service; its mails are caught. */
export const PUBLIC_SETTINGS: Record<string, string> = {
  PUBLIC_URL: "https://accounts.example.com",
  MAIL_URL: "smtp://localhost:25",
  MAIL_FROM: "accounts@example.com",
};

/** Settings of tests in addition to the defaults. */
export const TEST_SETTINGS: Record<string, string> = { BCRYPT_COST: "4", DATABASE_URL: "sqlite::memory:" };

/** Registers a test that runs on each engine, with a new service on an empty database. */
export function test(
  name: string,
  work: (service: Service) => Promise<void>,
  settings: Record<string, string> = {},
): void {
  for (const engine of ["sqlite", "postgres"] as const) {
    Deno.test(`${name} [${engine}]`, { ignore: !ENGINES.includes(engine) }, async () => {
      const opened: Opened[] = [];
      try {
        await work(await open(engine, settings, opened));
        for (const service of opened) {
          await assertNoScan(service.engine, service.url, service.auth.db, service.statements);
        }
      } finally {
        for (const service of opened.reverse()) await closeAuth(service.auth);
        if (engine === "sqlite") await Deno.remove(dirname(opened[0].url.slice("sqlite:".length)), { recursive: true });
      }
    });
  }
}

interface Opened extends Service {
  url: string;
  statements: Set<string>;
}

async function open(engine: Engine, settings: Record<string, string>, opened: Opened[], on?: Opened): Promise<Opened> {
  const url = on?.url ?? await migratedDatabase(engine);
  const statements = new Set<string>();
  const watching = new Set<(sql: string) => void>();
  const logged: LogEntry[] = [];
  const clock = { now: on?.clock.now ?? Date.now() };
  const transport = new DevMailbox(() => clock.now);
  const config = testConfig({ ...settings, DATABASE_URL: url });
  const auth = await openAuth(config, {
    folder: "/tmp",
    log: { write: (entry) => logged.push(entry), writeRequest: (line) => logged.push(line), flush: () => {} },
    clock: () => clock.now,
    transport,
    onStatement: (sql) => {
      statements.add(sql);
      for (const see of watching) see(sql);
    },
  });
  const app = createApp(auth);
  const prefix = config.profile === "local" ? "" : "__Host-";
  let read = 0;
  const service: Opened = {
    engine,
    auth,
    clock,
    logged,
    url,
    statements,
    request: (method, path, options) => service.requestTo(app, method, path, options),
    watch: (see) => {
      watching.add(see);
      return () => void watching.delete(see);
    },
    requestTo: async (called, method, path, options = {}) => {
      const headers = new Headers(options.headers);
      let body = options.body;
      if (options.form) body = new URLSearchParams(options.form);
      if (options.json !== undefined) {
        body = JSON.stringify(options.json);
        headers.set("content-type", "application/json");
      }
      const cookies = headers.has("cookie") ? [headers.get("cookie")!] : [];
      if (options.session !== undefined) cookies.push(`${prefix}session_id=${options.session}`);
      if (options.device !== undefined) cookies.push(`${prefix}device_id=${options.device}`);
      if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
      const remoteAddr = options.ip && { transport: "tcp", hostname: options.ip, port: 40_000 };
      return await called.request(
        path,
        { method, headers, body, redirect: "manual" },
        remoteAddr ? { remoteAddr } : {},
      );
    },
    send: async (method, path, form, session) => {
      const response = await service.request(method, path, { form, session });
      const text = await response.text();
      return [response.status, text === "" ? undefined : JSON.parse(text)];
    },
    register: async (email, password) => {
      const response = await service.request("POST", "/users", { form: { email, password } });
      assert.equal(response.status, 200, await response.text());
    },
    logIn: async (email, password) => {
      const response = await service.request("POST", "/sessions", { form: { email, password } });
      assert.equal(response.status, 200, await response.text());
      return sessionOf(response)!;
    },
    mails: async () => {
      await deliverMails(auth);
      const mails = transport.mails.toReversed().slice(read).map(received);
      read += mails.length;
      return mails;
    },
    another: () => open(engine, settings, opened, service),
    rows: (sql, ...values) => queryRows(service, sql, values),
  };
  opened.push(service);
  return service;
}

/** The parsed settings of a test service. */
export function testConfig(settings: Record<string, string>): Readonly<Config> {
  const all = { ...TEST_SETTINGS, ...settings };
  return parseConfig((name) => all[name]);
}

/** The app with a shorter deadline for a request's body, in milliseconds. */
export function appWithBodyDeadline(auth: Auth, bodyDeadline: number): ReturnType<typeof createApp> {
  const app = new Hono<RequestEnv>({ strict: false });
  app.use(async (c, next) => {
    c.set("bodyDeadline", bodyDeadline);
    await next();
  });
  return app.route("/", createApp(auth));
}

/** The session id that an answer sets, or undefined. */
export function sessionOf(response: { headers: Headers }): string | undefined {
  const cookies = response.headers.getSetCookie().map((cookie) => /^(?:__Host-)?session_id=([^;]+)/.exec(cookie)?.[1]);
  return cookies.find((value) => value !== undefined);
}

/** The device cookie that an answer sets, or undefined. */
export function deviceOf(response: Response): string | undefined {
  const cookies = response.headers.getSetCookie().map((cookie) => /^(?:__Host-)?device_id=([^;]+)/.exec(cookie)?.[1]);
  return cookies.find((value) => value !== undefined);
}

/** Reads token and code out of a mail. */
export function received({ to, subject, text, html }: MailMessage): ReceivedMail {
  const token = /[?&]token=([\w-]+)/.exec(text)?.[1] ?? "";
  const code = /^\s*(\d{4} ?\d{4})\s*$/m.exec(text)?.[1].replace(" ", "") ?? "";
  return { to, subject, text, html, token, code };
}

/** Keeps a test's own statement out of the plan check, because it may scan. */
async function queryRows<T>(service: Opened, sql: string, values: (string | number)[]): Promise<T[]> {
  const known = service.statements.has(sql);
  const rows = await service.auth.db.all(sql, ...values);
  if (!known) service.statements.delete(sql);
  return ordered(sql, rows) as T[];
}

/** Rows without ORDER BY in an order of their own: an engine may give them in another one each time. */
export function ordered<T>(sql: string, rows: T[]): T[] {
  if (/\bORDER BY\b/.test(sql)) return rows;
  return rows.map((row) => ({ row, text: JSON.stringify(row) }))
    .sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0).map(({ row }) => row);
}
