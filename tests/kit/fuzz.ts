/**
 * Sends random and mutated requests made from a seed (F17). The service must answer all of them without a fault. Must
 * not know what a right answer is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { runContractSteps } from "./contract_steps.ts";
import type { Service } from "./service.ts";

/** A new seed in every run; `TEST_SEED` sets it. */
const SEED = Number(Deno.env.get("TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
/** How many requests are in progress at once. */
const AT_ONCE = 8;
/** The share of requests after which caches are full, so that memory must not grow any more. */
const WARM_UP = 0.3;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "X"];
const PATHS = [
  "/",
  "/users",
  "/sessions",
  "/sessions/others",
  "/sessions/01920000-0000-7000-8000-000000000000",
  "/profile",
  "/reset_password",
  "/verify_email",
  "/account",
  "/account/events?limit=3",
  "/account/export",
  "/password",
  "/change_email",
  "/undo",
  "/reopen",
  "/dev/mailbox",
  "/session",
  "/healthz",
  "/openapi.json",
  "/docs",
  "/login",
  "/register",
  "/reset",
  "/verify",
  "/nowhere",
];
/** Valid requests, to be mutated. */
const VALID: [method: string, path: string, fields: Record<string, string>][] = [
  ["POST", "/users", { email: "fuzz@example.com", password: "b4l0u" }],
  ["POST", "/sessions", { email: "bob@example.com", password: "b4l0u" }],
  ["GET", "/sessions", {}],
  ["GET", "/profile", {}],
  ["GET", "/account", {}],
  ["PATCH", "/account", { name: "Bob", locale: "fr" }],
  ["GET", "/account/events?limit=3", {}],
  ["GET", "/account/export", {}],
  ["POST", "/reset_password", { email: "bob@example.com" }],
  ["PUT", "/reset_password", { email: "bob@example.com", reset_token: "x".repeat(43), new_password: "b4l0u" }],
  ["POST", "/verify_email", { email: "bob@example.com" }],
  ["POST", "/change_email", { new_email: "new@example.com", password: "b4l0u" }],
  ["PUT", "/change_email", { code: "12345678" }],
  ["PUT", "/password", { current_password: "b4l0u", new_password: "b4l0u" }],
  ["POST", "/undo", { undo_token: "x".repeat(43), password: "b4l0u" }],
  ["GET", "/login", {}],
  ["GET", "/", {}],
];
const FIELDS = [
  "email",
  "password",
  "new_password",
  "current_password",
  "new_email",
  "reset_token",
  "verification_token",
  "change_token",
  "undo_token",
  "reopen_token",
  "code",
  "name",
  "locale",
  "limit",
  "cursor",
  "__proto__",
  "constructor",
  "",
];
const VALUES = [
  "",
  "bob@example.com",
  "fuzz@example.com",
  "b4l0u",
  "null",
  "0",
  "-1",
  "1e999",
  "a".repeat(300),
  "a".repeat(5_000),
  "'; DROP TABLE users; --",
  "<script>alert(1)</script>",
  "\0",
  "\ud800",
  "\u202e\u2028\ufeff",
  "e\u0301".repeat(100),
  "\u{1f600}".repeat(40),
  "%00%ff%",
  "../../etc/passwd",
  "x".repeat(43),
  "12345678",
];
const TYPES = [
  "application/x-www-form-urlencoded",
  "application/json",
  "multipart/form-data; boundary=X",
  "multipart/form-data",
  "text/plain",
  "application/json; charset=utf-16",
  'application/JSON ; charset="UTF-8"',
  "constructor",
  "",
];
const HEADERS = [
  "accept",
  "accept-language",
  "authorization",
  "content-encoding",
  "content-length",
  "cookie",
  "host",
  "if-none-match",
  "origin",
  "range",
  "sec-fetch-site",
  "transfer-encoding",
  "user-agent",
  "x-forwarded-for",
  "x-request-id",
];
const HEADER_VALUES = [
  "text/html",
  "*/*;q=0.1",
  "fr-CH, fr;q=0.9, *;q=x",
  "Bearer x",
  "gzip",
  "identity",
  "16385",
  "-5",
  "session_id=x; session_id=y",
  `session_id=${"x".repeat(43)}`,
  `device_id=${"x".repeat(43)}.1.${"x".repeat(43)}`,
  "localhost:5000",
  "null",
  "https://evil.example",
  "cross-site",
  "same-origin",
  "chunked",
  "1.2.3.4, garbage",
  "\u00e9\u00ff",
  "a".repeat(9_000),
];

/** Random numbers from 0 to 1, made from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Requests made from a seed: half are random, half are valid ones with a few changes. */
class Fuzz {
  readonly #random: () => number;
  /** Valid secrets and values of the service, used in some requests. */
  readonly known: string[] = [];

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  /** The next request; undefined when no client could send it. */
  request(): Request | undefined {
    return this.#chance(0.5) ? this.#garbage() : this.#nearlyRight();
  }

  #nearlyRight(): Request | undefined {
    const [method, path, fields] = this.#one(VALID);
    const sent = Object.entries(fields).map(([name, value]) => [
      this.#mutated(name, 0.02),
      this.#chance(0.1) ? this.#value() : this.#mutated(value, 0.1),
    ]);
    if (this.#chance(0.03)) sent.push([this.#one(FIELDS), this.#value()]);
    const isJson = this.#chance(0.5);
    const text = isJson
      ? JSON.stringify(Object.fromEntries(sent))
      : new URLSearchParams(sent.map(([name, value]) => [name, value.toWellFormed()])).toString();
    try {
      const headers = new Headers({ cookie: `session_id=${this.#mutated(this.known[0], 0.1)}` });
      headers.set("content-type", isJson ? "application/json" : "application/x-www-form-urlencoded");
      if (this.#chance(0.2)) headers.append(this.#one(HEADERS), this.#one(HEADER_VALUES));
      const body = sent.length === 0 ? undefined : this.#mutated(text, 0.1);
      return new Request(`http://localhost${this.#mutated(path, 0.03)}`, { method, headers, body });
    } catch {
      return undefined;
    }
  }

  #garbage(): Request | undefined {
    const method = this.#chance(0.2) ? this.#bytesText(6) : this.#one(METHODS);
    const path = this.#path();
    const headers = new Headers();
    const bodiless = method === "GET" || method === "HEAD";
    const type = this.#one(TYPES);
    try {
      if (this.#chance(0.9)) headers.set("content-type", this.#mutated(type));
      if (this.#chance(0.5) && this.known.length > 0) headers.set("cookie", `session_id=${this.#one(this.known)}`);
      for (let count = this.#below(4); count > 0; count--) {
        headers.append(this.#one(HEADERS), this.#mutated(this.#one(HEADER_VALUES)));
      }
      return new Request(`http://localhost${path}`, { method, headers, body: bodiless ? undefined : this.#body(type) });
    } catch {
      return undefined;
    }
  }

  /** An address in a random network, so that network limits do not answer every request. */
  address(): string {
    return `10.${this.#below(256)}.${this.#below(256)}.1`;
  }

  #path(): string {
    const path = this.#one(PATHS);
    if (this.#chance(0.7)) return path;
    if (this.#chance(0.5)) return this.#mutated(path).replace(/^(?!\/)/, "/");
    return `${path}?${encodeURIComponent(this.#one(FIELDS))}=${encodeURIComponent(this.#one(VALUES).toWellFormed())}`;
  }

  #body(type: string): Uint8Array<ArrayBuffer> {
    if (this.#chance(0.1)) return this.#bytes(this.#below(200));
    if (this.#chance(0.06)) return this.#bytes(20_000);
    const fields = Array.from({ length: 1 + this.#below(4) }, () => [this.#one(FIELDS), this.#value()] as const);
    let text: string;
    if (type.startsWith("multipart")) {
      const parts = fields.map(([name, value]) =>
        `--X\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
      );
      text = `${parts.join("")}--X--\r\n`;
    } else if (/json/i.test(type)) {
      text = JSON.stringify(
        Object.fromEntries(fields.map(([name, value]) => [name, this.#chance(0.8) ? value : [value]])),
      );
    } else text = new URLSearchParams(fields.map(([name, value]) => [name, value.toWellFormed()])).toString();
    return new TextEncoder().encode(this.#chance(0.3) ? this.#mutated(text) : text);
  }

  #value(): string {
    return this.#chance(0.3) && this.known.length > 0 ? this.#one(this.known) : this.#one(VALUES);
  }

  /** Changes some characters of a text with this probability: removes, inserts, doubles or replaces. */
  #mutated(text: string, often = 0.4): string {
    let mutated = text;
    for (let count = !this.#chance(often) ? 0 : 1 + this.#below(3); count > 0; count--) {
      const at = this.#below(mutated.length + 1);
      const middle = this.#one([
        "",
        String.fromCharCode(this.#below(256)),
        mutated.slice(at, at + 3).repeat(2),
        "%",
        "\r\n",
      ]);
      mutated = mutated.slice(0, at) + middle + mutated.slice(at + this.#below(3));
    }
    return mutated;
  }

  #bytesText(most: number): string {
    return String.fromCharCode(...this.#bytes(this.#below(most)));
  }

  #bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#below(256));
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#below(values.length)];
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #chance(part: number): boolean {
    return this.#random() < part;
  }
}

/**
 * Sends this many requests to a local service. None may be answered by a fault, throw, or leave an unhandled rejection,
 * which would end the test. Memory must not grow, and the contract must hold afterwards.
 */
export async function fuzz(service: Service, requests: number, mostGrowth?: number): Promise<void> {
  console.log(`${requests} requests with TEST_SEED=${SEED} on ${service.engine}`);
  const fuzz = new Fuzz(SEED);
  const app = createApp(service.auth);
  await service.register("bob@example.com", "b4l0u");
  fuzz.known.push(await service.logIn("bob@example.com", "b4l0u"), "bob@example.com", "b4l0u");
  let sent = 0;
  const early: number[] = [], late: number[] = [];
  const statuses = new Map<number, number>();
  const send = async (): Promise<void> => {
    while (sent < requests) {
      const request = fuzz.request();
      if (!request) continue;
      const number = sent++;
      const remoteAddr = { transport: "tcp", hostname: fuzz.address(), port: 1 };
      const response = await app.fetch(request, { remoteAddr });
      await response.body?.cancel();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const is503 = response.status === 503 && response.headers.has("retry-after");
      assert.ok(
        response.status < 500 || is503,
        `request ${number}, ${request.method} ${request.url}: ${response.status}`,
      );
      // A day passes every thousand requests, so that limits and sessions end.
      service.clock.now += 86_400;
      if (number % 1_000 === 0) {
        fuzz.known[0] = await logInAgain(service) ?? fuzz.known[0];
        service.logged.length = 0;
        // Measured several times, each time after a garbage collection.
        if (mostGrowth !== undefined && number >= requests * WARM_UP) {
          (number < requests / 2 ? early : late).push(residentBytes());
        }
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  assert.ok(
    (statuses.get(200) ?? 0) > requests / 200,
    `mutations that still are right: ${JSON.stringify([...statuses])}`,
  );
  for (const status of [400, 401, 403, 404, 405]) assert.ok(statuses.has(status), `no ${status}`);
  assert.deepEqual(service.logged.filter((entry) => entry.level === "error"), []);
  if (mostGrowth !== undefined) {
    const growth = Math.min(...late.slice(-10)) / Math.max(...early) - 1;
    assert.ok(growth < mostGrowth, `memory grew by ${Math.round(growth * 100)} %`);
  }
  service.clock.now += 86_400_000;
  await runContractSteps(service);
}

async function logInAgain(service: Service): Promise<string | undefined> {
  const form = { email: "bob@example.com", password: "b4l0u" };
  const response = await service.request("POST", "/sessions", { form, ip: "192.0.2.1" });
  await response.body?.cancel();
  return /session_id=([^;]+)/.exec(response.headers.getSetCookie().join())?.[1];
}

/** Needs `--expose-gc`, as in the slow tests: on a large machine V8 keeps garbage for minutes, which is no leak. */
function residentBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  assert.ok(gc, "memory is looked at with --expose-gc only: deno task test:long");
  gc();
  return Deno.memoryUsage().rss;
}
