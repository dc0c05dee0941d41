/**
 * The headers of every answer, also of refusals and faults, and that a fault tells no details.
 *
 * @module
 */
import assert from "node:assert/strict";
import { HashQueue, newHashCounts } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { type RequestOptions, type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";
const FORM = "application/x-www-form-urlencoded";

const EVERYWHERE: Record<string, string> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Asserts the headers of every answer, and the JSON body of all but redirects. */
async function assertHeaders(response: Response, label: string): Promise<void> {
  for (const [name, value] of Object.entries(EVERYWHERE)) {
    assert.equal(response.headers.get(name), value, `${name} of ${label}`);
  }
  assert.match(response.headers.get("x-request-id") ?? "", /^[A-Za-z0-9._-]{1,64}$/, label);
  for (const name of ["server", "x-powered-by", "via"]) assert.equal(response.headers.get(name), null, label);
  const text = await response.text();
  if (response.status === 302) return assert.equal(text, "", label);
  assert.equal(response.headers.get("content-type"), "application/json", label);
  const body = JSON.parse(text);
  if (response.status < 400) return;
  assert.match(response.headers.get("error-code") ?? "", /^[a-z_]+$/, label);
  assert.deepEqual(Object.keys(body), ["message"], label);
  assert.equal(response.headers.has("retry-after"), response.status === 503, label);
}

test("S66: every route's answers carry the security headers, successes and refusals", async (service) => {
  const expected: [number, string, string, RequestOptions?][] = [
    [200, "GET", "/"],
    [200, "DELETE", "/"],
    [200, "POST", "/users", { form: { email: EMAIL, password: PASSWORD } }],
    [400, "POST", "/users", { form: { email: EMAIL, password: PASSWORD } }],
    [400, "POST", "/users"],
    [400, "POST", "/users", { form: { email: "bob", password: PASSWORD } }],
    [400, "POST", "/users", { body: "{", headers: { "content-type": "application/json" } }],
    [413, "POST", "/users", { body: "x".repeat(20_000), headers: { "content-type": FORM } }],
    [415, "POST", "/users", { body: "x", headers: { "content-type": "text/plain" } }],
    [403, "POST", "/users", { headers: { origin: "https://evil.example" } }],
    [403, "GET", "/", { headers: { host: "evil.example" } }],
    [405, "GET", "/users"],
    [405, "PATCH", "/sessions"],
    [405, "OPTIONS", "/profile"],
    [404, "GET", "/nowhere"],
    [404, "POST", "/users/1"],
    [200, "POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }],
    [401, "POST", "/sessions", { form: { email: EMAIL, password: "wrong" } }],
    [403, "DELETE", "/sessions"],
    [403, "GET", "/profile"],
    [200, "POST", "/reset_password", { form: { email: EMAIL } }],
    [403, "POST", "/reset_password", { form: { email: "eve@example.com" } }],
    [403, "PUT", "/reset_password", { form: { email: EMAIL, reset_token: "x", new_password: "x" } }],
  ];
  for (const [status, method, path, options] of expected) {
    const response = await service.request(method, path, options);
    assert.equal(response.status, status, `${method} ${path}`);
    await assertHeaders(response, `${status} to ${method} ${path}`);
  }
  const session = await service.logIn(EMAIL, PASSWORD);
  const profile = await service.request("GET", "/profile", { session });
  assert.equal(profile.status, 200);
  await assertHeaders(profile, "a profile");
  const logout = await service.request("DELETE", "/sessions", { session });
  assert.equal(logout.status, 302);
  await assertHeaders(logout, "a logout");
});

/** Makes every statement on sessions fail while the work runs, as with a foreign schema. */
async function withoutSessions(service: Service, work: () => Promise<void>): Promise<void> {
  await service.rows("ALTER TABLE sessions RENAME TO sessions_away");
  try {
    await work();
  } finally {
    await service.rows("ALTER TABLE sessions_away RENAME TO sessions");
  }
}

test("S69, S66, V46: a database error answers 500 without details and writes a log line", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  await withoutSessions(service, async () => {
    const calls: [string, string, RequestOptions][] = [
      ["GET", "/profile", { session }],
      ["HEAD", "/profile", { session }],
      ["DELETE", "/sessions", { session }],
      ["POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }],
    ];
    for (const [method, path, options] of calls) {
      service.logged.length = 0;
      const response = await service.request(method, path, options);
      assert.equal(response.status, 500, `${method} ${path}`);
      const id = response.headers.get("x-request-id");
      assert.equal(response.headers.get("error-code"), "internal_error");
      assert.deepEqual(response.headers.getSetCookie(), []);
      if (method !== "HEAD") {
        const text = await response.clone().text();
        assert.ok(!/sessions|sql|relation|table|\bat |\.ts|Error/i.test(text), text);
        await assertHeaders(response, `500 to ${method} ${path}`);
      }
      const [fault, line, ...others] = service.logged;
      assert.deepEqual(others, []);
      assert.deepEqual([fault.level, fault.request_id], ["error", id]);
      assert.match(String(fault.error), /sessions|current transaction is aborted/);
      assert.deepEqual([line.status, line.request_id], [500, id]);
    }
  });
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
});

test("S69, S66: a read-only database answers 503 with Retry-After to writes, and reads work", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const operator = await service.another();
  if (service.engine === "sqlite") await service.rows("PRAGMA query_only = ON");
  else {
    const setting = "SET default_transaction_read_only = on";
    await operator.rows(`DO 'BEGIN EXECUTE format(''ALTER DATABASE %I ${setting}'', current_database()); END'`);
    // Only new connections follow this setting.
    await operator.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  }
  service.logged.length = 0;
  // The first request after the cut may use a connection that is already closed.
  await service.request("GET", "/profile", { session });
  const writes: [string, string, RequestOptions][] = [
    ["POST", "/users", { form: { email: "eve@example.com", password: PASSWORD } }],
    ["POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }],
    ["DELETE", "/sessions", { session }],
    ["POST", "/reset_password", { form: { email: EMAIL } }],
  ];
  const ids: (string | null)[] = [];
  for (const [method, path, options] of writes) {
    const response = await service.request(method, path, options);
    assert.equal(response.status, 503, `${method} ${path}`);
    assert.equal(response.headers.get("error-code"), "database_unavailable");
    assert.deepEqual(response.headers.getSetCookie(), []);
    const text = await response.clone().text();
    assert.ok(!/read.?only|sqlite|postgres|\bat |\.ts|Error/i.test(text), text);
    await assertHeaders(response, `503 to ${method} ${path}`);
    ids.push(response.headers.get("x-request-id"));
  }
  // One alarm for all of them, and a log line for each.
  const warnings = service.logged.filter((entry) => entry.level !== undefined);
  const lines = service.logged.filter((entry) => entry.error_code === "database_unavailable");
  assert.deepEqual(lines.slice(-ids.length).map((entry) => entry.request_id), ids);
  assert.deepEqual(warnings.map((entry) => [entry.level, entry.alarm, entry.request_id]), [
    ["warning", "database_unavailable", lines[0].request_id],
  ]);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  assert.equal((await service.send("GET", "/profile", undefined, "e".repeat(43)))[0], 403);
  if (service.engine === "sqlite") await service.rows("PRAGMA query_only = OFF");
});

test("S66: when the hash queue is full the answer is 503 with Retry-After and all security headers", async (service) => {
  const hashQueue = new HashQueue({ most: 0, counts: newHashCounts().fill(128) });
  const app = createApp({ ...service.auth, hashQueue });
  const body = new URLSearchParams({ email: EMAIL, password: PASSWORD });
  for (const path of ["/users", "/sessions"]) {
    const response = await app.request(path, { method: "POST", body });
    assert.deepEqual([response.status, response.headers.get("error-code")], [503, "overloaded"]);
    await assertHeaders(response, `503 to POST ${path}`);
  }
});

test("a plain request id from the caller is kept, any other is replaced", async ({ request }) => {
  const answered = async (id: string) =>
    (await request("GET", "/", { headers: { "x-request-id": id } })).headers.get("x-request-id")!;
  for (const id of ["a", "req-1.2_3", "A".repeat(64)]) assert.equal(await answered(id), id);
  for (const id of ["", "a b", "A".repeat(65), '"x"', "a;b", "\u00e9", "a,b", "<x>"]) {
    assert.match(await answered(id), /^[0-9a-f-]{36}$/, id);
  }
  assert.notEqual(await answered(""), await answered(""));
});
