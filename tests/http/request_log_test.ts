/**
 * The log: one line for each request, and no secret in it. Secrets appear only in answers to their owner.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createLog } from "../../auth/runtime/log.ts";
import { type RequestOptions, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", OTHER = "canary-address@example.com";

test("each request writes one line: time, id, method, route, status, duration; a refusal also code and address", async (service) => {
  await service.register(EMAIL, "b4l0u");
  const session = await service.logIn(EMAIL, "b4l0u");
  const form = { email: EMAIL, password: "x" };
  const cases: [string, string, RequestOptions, string, string | null, number, string?][] = [
    ["GET", "/", {}, "GET", "/", 200],
    ["GET", "/profile", { session }, "GET", "/profile", 200],
    ["HEAD", "/profile/", {}, "HEAD", "/profile", 403, "no_session"],
    ["POST", "/sessions?next=x", { form }, "POST", "/sessions", 401, "wrong_credentials"],
    ["POST", "/users", { form }, "POST", "/users", 400, "email_taken"],
    ["POST", "/users", { form, headers: { origin: "https://evil.example" } }, "POST", "/users", 403, "origin_refused"],
    ["GET", "/", { headers: { host: "evil.example" } }, "GET", "/", 403, "host_refused"],
    ["PUT", "/reset_password", {}, "PUT", "/reset_password", 400, "invalid_field"],
    ["DELETE", "/sessions", { session }, "DELETE", "/sessions", 302],
    ["GET", "/users", {}, "GET", null, 405, "method_not_allowed"],
    ["GET", "/nowhere/at/all", {}, "GET", null, 404, "not_found"],
    ["OPTIONS", "/users", {}, "other", null, 405, "method_not_allowed"],
    ["X!", "/", {}, "other", null, 405, "method_not_allowed"],
  ];
  for (const [method, path, options, logged, route, status, error_code] of cases) {
    service.logged.length = 0;
    const response = await service.request(method, path, options);
    assert.equal(response.status, status, `${method} ${path}`);
    const [line, ...others] = service.logged.filter((entry) => entry.event === undefined);
    assert.deepEqual(others, [], `${method} ${path}`);
    const { time, ms, ...rest } = line;
    const request_id = response.headers.get("x-request-id");
    // Called without a socket, so the client has no address.
    const refusal = error_code && { error_code, ip: undefined };
    assert.deepEqual(rest, { request_id, method: logged, route, status, ...refusal }, `${method} ${path}`);
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(typeof ms === "number" && ms >= 0);
  }
});

/** Sends the canaries wherever a client can put them. Returns the text and headers of all answers. */
async function sendEverywhere(service: Service, canaries: Record<string, string>): Promise<string[]> {
  const { password, session, token, query, header } = canaries;
  const headers = { "user-agent": header, authorization: `Bearer ${header}`, referer: `http://localhost/?${query}` };
  const forms: [string, string, Record<string, unknown>][] = [
    ["POST", "/users", { email: EMAIL, password }],
    ["POST", "/users", { email: `${EMAIL}, ${OTHER}`, password }],
    ["POST", "/users", { email: EMAIL, password: [password] }],
    ["POST", "/users", { email: EMAIL, password: `${password}\0` }],
    ["POST", "/users", { email: "new@example.com", password: password.repeat(40) }],
    ["POST", "/users", { email: EMAIL, [password]: password }],
    ["POST", "/sessions", { email: EMAIL, password }],
    ["POST", "/sessions", { email: OTHER, password }],
    ["PUT", "/reset_password", { email: OTHER, reset_token: token, new_password: password }],
    ["PUT", "/reset_password", { email: EMAIL, reset_token: `${token}x`, new_password: password }],
    ["PUT", "/reset_password", { email: EMAIL, reset_token: token, new_password: `${password}\ud800` }],
  ];
  const responses: Response[] = [];
  for (const [method, path, json] of forms) {
    responses.push(await service.request(method, `${path}?${query}`, { json, session, headers }));
    const text = JSON.stringify(json);
    for (const body of [text.slice(0, -1), `${text}${text}`, `--X\r\n${text}`]) {
      for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=X"]) {
        const options = { body, session, headers: { ...headers, "content-type": type } };
        responses.push(await service.request(method, `${path}?${query}`, options));
      }
    }
  }
  for (const path of [`/profile?${query}`, `/${query}`, `/profile/${token}`, `/?session_id=${session}`]) {
    for (const method of ["GET", "HEAD", "PATCH"]) {
      responses.push(await service.request(method, path, { session: `${session}x`, headers }));
    }
  }
  return await Promise.all(responses.map(async (response) => {
    // A login answers with the new session cookie, which is for its owner.
    const shown = [...response.headers].filter(([name]) => name !== "set-cookie");
    return JSON.stringify(shown) + await response.text();
  }));
}

test("S22, S71: no log line, message or header holds a password, session id, token or query", async (service) => {
  const password = "canary-password";
  await service.register(EMAIL, password);
  const login = await service.request("POST", "/sessions", { form: { email: EMAIL, password } });
  const [, reset] = await service.send("POST", "/reset_password", { email: EMAIL }) as [number, Record<string, string>];
  const canaries = {
    password,
    session: sessionOf(login)!,
    token: reset.reset_token,
    query: "q=canary-query",
    header: "canary-header",
  };
  const assertNone = (texts: string[], what: string) => {
    for (const canary of [...Object.values(canaries), "canary-"]) {
      const found = texts.find((text) => text.includes(canary));
      if (found !== undefined) assert.fail(`${what} holds ${canary}: ${found}`);
    }
  };
  assertNone(await sendEverywhere(service, canaries), "an answer");
  assertNone(service.logged.map((entry) => JSON.stringify(entry)), "the log");

  // The same while the database fails.
  for (const table of ["sessions", "tokens", "users"]) {
    await service.rows(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  }
  service.logged.length = 0;
  try {
    assertNone(await sendEverywhere(service, canaries), "an answer to a fault");
  } finally {
    for (const table of ["users", "tokens", "sessions"]) {
      await service.rows(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    }
  }
  assert.ok(service.logged.some((entry) => entry.level === "error"));
  assertNone(service.logged.map((entry) => JSON.stringify(entry)), "the log of a fault");
});

Deno.test("S23: a log entry is one line, and control characters in it are escaped", () => {
  let text = "";
  const log = createLog((lines) => text += lines);
  const hostile = "a\r\nFAKE \x1b[2J \x9b2J \u2028\u2029\x7f\0\u0085";
  log.write({ request_id: hostile, [hostile]: 1 });
  const line = {
    time: hostile,
    request_id: hostile,
    method: hostile,
    route: hostile,
    error_code: hostile,
    ip: hostile,
  };
  log.writeRequest({ ...line, status: 200, ms: 1 });
  log.flush();
  assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}|\p{Zl}|\p{Zp}/u);
  const lines = text.split("\n");
  assert.equal(lines.length, 3);
  assert.deepEqual(JSON.parse(lines[0]), { request_id: hostile, [hostile]: 1 });
  assert.deepEqual(JSON.parse(lines[1]), { ...line, status: 200, ms: 1 });
});

Deno.test("S23: a failing log sink loses its lines, disturbs nothing else, and the log says so later", async () => {
  let full = true;
  const written: string[] = [];
  const log = createLog((lines) => {
    if (full) throw new Error("no space left");
    written.push(lines);
  });
  log.write({ lost: 1 });
  await log.flush();
  full = false;
  log.write({ kept: 1 });
  await log.flush();
  const [kept, notice] = written.map((line) => JSON.parse(line));
  assert.deepEqual([kept, notice.alarm, notice.count, written.length], [{ kept: 1 }, "log_lines_dropped", 1, 2]);
});
