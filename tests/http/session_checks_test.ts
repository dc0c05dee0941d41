/**
 * A session check that is answered in front of the router gives the same answer, the same line of the log and the same
 * counts as with the router.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser } from "../../auth/admin/users.ts";
import { METRIC, RequestCounts } from "../../auth/runtime/metrics.ts";
import { createApp, createRouter } from "../../routes/app.ts";
import { ERROR_CODES } from "../../routes/http/errors.ts";
import { checkSessions } from "../../routes/http/session_checks.ts";
import { withServer } from "../kit/process/raw_http.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "ada@example.com", PASSWORD = "correct horse battery";
const APP = "https://app.example.com", OTHER = "https://evil.example.com";
/** A session id of the right form that nobody has. */
const UNKNOWN = "0123456789012345678901234567890123456789012";

const PATHS = [
  "/profile",
  "/session",
  "/session?login=1",
  "/profile?a=b",
  "/profile/",
  "/pro%66ile",
  "/profiles",
  "//profile",
];
const METHODS = ["GET", "HEAD", "POST", "OPTIONS", "DELETE"];

/** Header lists that the middleware or the handlers look at. */
const HEADERS: Record<string, string>[] = [
  {},
  { accept: "text/html" },
  { accept: "text/html", "x-forwarded-uri": "/wiki?page=1" },
  { "x-request-id": "a-b.c_1" },
  { "x-request-id": "two words" },
  { origin: APP },
  { origin: OTHER },
  { origin: OTHER, "sec-fetch-site": "cross-site" },
  { host: "evil.example.com" },
  { host: "localhost:5000" },
  { "x-forwarded-for": "203.0.113.7" },
];

/** Everything that a request to one of these apps leaves behind. */
async function traceOf(service: Service, app: App, [path, method, headers, session]: Request): Promise<unknown> {
  const cells = [METRIC.sessionsValid, METRIC.sessionsInvalid];
  const metrics = cells.map((cell) => service.auth.metrics.sum(cell));
  const before = countsOf(app);
  service.logged.length = 0;
  const statements: string[] = [];
  const stop = service.watch((sql) => statements.push(sql));
  const response = await service.requestTo(app.app, method, path, { headers, session, ip: "192.0.2.1" });
  stop();
  const given = /^[\w.-]+$/.test(headers["x-request-id"] ?? "");
  const comparable = ([name, value]: [string, string]) => [name, name === "x-request-id" && !given ? "made" : value];
  return {
    status: response.status,
    headers: [...response.headers].map(comparable),
    body: await response.text(),
    logged: service.logged.map(({ time: _time, ms: _ms, request_id, ...line }) => ({
      ...line,
      request_id: request_id === response.headers.get("x-request-id"),
    })),
    statements,
    counted: [...countsOf(app)].flatMap(([key, count]) => {
      const more = count - (before.get(key) ?? 0);
      return more === 0 ? [] : [[key, more]];
    }),
    metrics: cells.map((cell, index) => service.auth.metrics.sum(cell) - metrics[index]),
  };
}

interface App {
  app: ReturnType<typeof createApp>;
  counts: RequestCounts;
}

function appOf(make: typeof createRouter, service: Service): App {
  const counts = new RequestCounts(service.auth.metrics, ERROR_CODES);
  return { app: make(service.auth, counts), counts };
}

/** How often each route gave each status so far, and each error code. */
function countsOf({ counts }: App): Map<string, number> {
  return new Map([
    ...counts.routes().flatMap(({ method, route, statuses }) =>
      statuses.map(([status, count]): [string, number] => [`${method} ${route} ${status}`, count])
    ),
    ...counts.refusals(),
  ]);
}

type Request = [path: string, method: string, headers: Record<string, string>, session: string | undefined];

const PROFILES: [name: string, settings: Record<string, string>][] = [
  ["local", {}],
  ["public", PUBLIC_SETTINGS],
  ["local, with a trusted origin and a proxy", { TRUSTED_ORIGINS: APP, TRUSTED_PROXIES: "192.0.2.0/24" }],
  ["public, with a trusted origin", { ...PUBLIC_SETTINGS, TRUSTED_ORIGINS: APP }],
];

for (const [name, settings] of PROFILES) {
  test(`a check in front of the router is the same as behind it: ${name}`, async (service) => {
    await createUser(service.auth, OPERATOR, EMAIL, PASSWORD);
    const session = await service.logIn(EMAIL, PASSWORD);
    await service.send("PATCH", "/account", { name: "Ada Lovelace" }, session);
    const [front, router] = [createApp, createRouter].map((make) => appOf(make, service));
    const cookies = [undefined, session, "malformed", UNKNOWN, `${session}; x=y; session_id=${session}`];
    const requests = PATHS.flatMap((path) =>
      METHODS.flatMap((method) =>
        // Nothing but GET is answered in front, so a few requests of the other methods are enough.
        HEADERS.slice(0, method === "GET" ? undefined : 2).flatMap((headers) =>
          cookies.slice(0, method === "GET" ? undefined : 2).map((cookie): Request => [path, method, headers, cookie])
        )
      )
    );
    for (const request of requests) {
      const [one, other] = [await traceOf(service, front, request), await traceOf(service, router, request)];
      assert.deepEqual(one, other, JSON.stringify(request));
    }
  }, settings);
}

test("a Host header that makes no URL changes no answer, and reaches no log", async (service) => {
  const [front, router] = [createApp, createRouter].map((make) => appOf(make, service).app.fetch);
  for (const host of ["[", "a b", "x:99999", "%zz", "x#", "x?", "x/profile?", "x/session?login=1&"]) {
    for (const target of ["/profile", "/session", "/session?login=1", "/session?log%69n=1", "/session?login=%"]) {
      const text = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n\r\n`;
      const answers: unknown[] = [];
      for (const fetch of [front, router]) {
        await withServer(service, async (exchange) => {
          const { status, headers, body } = await exchange(text);
          answers.push([status, headers.get("location"), body]);
        }, fetch);
      }
      assert.deepEqual(answers[0], answers[1], text);
      assert.ok(!service.logged.some(({ level }) => level === "error"), text);
    }
  }
}, PUBLIC_SETTINGS);

test("only what the middleware would let through is answered in front of the router", async ({ auth }) => {
  const behind: string[] = [];
  const checks = new Map([["/profile", () => Promise.resolve(new Response("in front"))]]);
  const fetch = checkSessions(auth, () => {}, checks, (request) => {
    behind.push(request.method + new URL(request.url).pathname);
    return new Response("behind");
  });
  const ask = async (path: string, method = "GET", headers: Record<string, string> = {}) => {
    const request = new Request(`http://127.0.0.1:5000${path}`, { method, headers: { host: "localhost", ...headers } });
    return await (await fetch(request)).text();
  };
  for (const path of ["/profile", "/profile?login=1"]) assert.equal(await ask(path), "in front");
  assert.equal(await ask("/profile", "GET", { accept: "text/html" }), "in front");
  // Deno's URL of a request over a Unix socket (DENO_SERVE_ADDRESS).
  const local = new Request("http+unix://localhost/profile", { headers: { host: "localhost" } });
  assert.equal(await (await fetch(local)).text(), "in front");
  for (const path of ["/", "/profile/", "/profiles", "/session", "/x?/profile"]) {
    assert.equal(await ask(path), "behind");
  }
  for (const method of ["HEAD", "POST", "OPTIONS"]) assert.equal(await ask("/profile", method), "behind");
  assert.equal(await ask("/profile", "GET", { host: "evil.example.com" }), "behind");
  assert.equal(await ask("/profile", "GET", { origin: APP }), "behind");
  assert.equal(behind.length, 10);
}, { TRUSTED_ORIGINS: APP });

test("a check that fails in front of the router is answered and logged as behind it", async (service) => {
  const fail = () => Promise.reject(new Error("a fault"));
  const record: unknown[] = [];
  const fetch = checkSessions(service.auth, (_, ...rest) => record.push(rest), new Map([["/profile", fail]]), fail);
  const response = await fetch(new Request("http://localhost/profile", { headers: { host: "localhost" } }));
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("error-code"), "internal_error");
  assert.match(String(service.logged[0].error), /a fault/);
  assert.equal(record.length, 1);
});
