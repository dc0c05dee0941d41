/**
 * Requests that only a socket can send: unusual methods, bodies with a wrong length, headers that are no text. None may
 * cause a fault, and the next request must be answered.
 *
 * @module
 */
import assert from "node:assert/strict";
import http2 from "node:http2";
import { type Exchange, withServer } from "../kit/process/raw_http.ts";
import { dataFolder, startService, statusOf } from "../kit/process/started_service.ts";
import { type Service, test } from "../kit/service.ts";

const HOST = "Host: localhost\r\n";
const JSON_POST = `POST /users HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
const BODY = '{"email":"bob@example.com","password":"b4l0u"}';

async function assertAlive(exchange: Exchange, label: string): Promise<void> {
  const { status, body } = await exchange(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  assert.deepEqual([status, body], [200, '{"message":"Bienvenue"}'], label);
}

function faults(service: Service): unknown[] {
  return service.logged.filter((entry) => entry.level !== undefined);
}

test("S68: TRACE, CONNECT, OPTIONS * and unknown methods are refused and echo nothing", async (service) => {
  await withServer(service, async (exchange) => {
    const canary = "X-Canary: canary\r\nCookie: session_id=canary\r\n";
    for (const [method, target] of [["TRACE", "/"], ["TRACE", "/profile"], ["get", "/"], ["X", "/users"]]) {
      const response = await exchange(`${method} ${target} HTTP/1.1\r\n${HOST}${canary}\r\n`);
      assert.equal(response.status, 405, `${method} ${target}`);
      assert.match(response.headers.get("allow")!, /GET|POST/);
      assert.doesNotMatch(response.body, /canary/);
    }
    for (const line of ["CONNECT localhost:80", "OPTIONS *", "TRACE /nowhere"]) {
      const response = await exchange(`${line} HTTP/1.1\r\n${HOST}${canary}\r\n`);
      assert.equal(response.status, 404, line);
      assert.doesNotMatch(response.body, /canary/);
    }
  });
});

test("S68: HEAD over a socket has the headers of GET and no body", async (service) => {
  await withServer(service, async (exchange) => {
    for (const path of ["/", "/profile", "/nowhere", "/users"]) {
      const get = await exchange(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`);
      // If HEAD had a body, the next answer on the connection would begin with it.
      const head = await exchange(`HEAD ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      assert.deepEqual([head.status, head.body], [get.status, ""], path);
      assert.equal(head.headers.get("content-length"), get.headers.get("content-length"), path);
      assert.equal(get.headers.get("content-length"), String(get.body.length), path);
      assert.equal(head.headers.get("content-type"), get.headers.get("content-type"), path);
    }
  });
});

test("V29: a body that does not match its declared length or encoding is never read in part", async (service) => {
  const chunked = `${JSON_POST}Transfer-Encoding: chunked\r\n\r\n`;
  const big = "a".repeat(20_000);
  const cases: [number[], string, string, boolean?][] = [
    [[413], "a chunked body above 16 KiB", `${chunked}4e20\r\n${big}\r\n0\r\n\r\n`],
    [[413], "many chunks above 16 KiB", `${chunked}${`64\r\n${"a".repeat(100)}\r\n`.repeat(300)}0\r\n\r\n`],
    [[413], "Content-Length above 16 KiB", `${JSON_POST}Content-Length: 20000\r\n\r\n${big}`],
    [[413], "Content-Length without a body", `${JSON_POST}Content-Length: 99999999999\r\n\r\n`],
    [[400], "a body that is cut off", `${JSON_POST}Content-Length: 50\r\n\r\n${BODY}`, true],
    [[400, 0], "chunks that are cut off", `${chunked}2e\r\n${BODY}`, true],
    [[400, 0], "a chunk without a size", `${chunked}zz\r\n${BODY}\r\n0\r\n\r\n`],
    [[400, 0], "a chunk that is too large", `${chunked}ffffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`],
    [
      [400],
      "both lengths",
      `${JSON_POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2e\r\n${BODY}\r\n0\r\n\r\n`,
    ],
    [[400], "two lengths", `${JSON_POST}Content-Length: 46\r\nContent-Length: 2\r\n\r\n${BODY}`],
    [[400], "a negative length", `${JSON_POST}Content-Length: -1\r\n\r\n${BODY}`],
    [[400], "a length that is no number", `${JSON_POST}Content-Length: 4x\r\n\r\n${BODY}`],
    [[400], "a length that is too small", `${JSON_POST}Content-Length: 20\r\n\r\n${BODY}`],
    [[400], "another transfer coding", `${JSON_POST}Transfer-Encoding: gzip\r\n\r\n${BODY}`, true],
  ];
  await withServer(service, async (exchange) => {
    for (const [allowed, label, text, thenClose] of cases) {
      const { status } = await exchange(text, { thenClose });
      assert.ok(allowed.includes(status), `${label}: ${status}`);
      await assertAlive(exchange, label);
    }
    assert.deepEqual(await service.rows("SELECT id FROM users"), []);
    assert.equal((await exchange(`${chunked}2e\r\n${BODY}\r\n0\r\n\r\n`)).status, 200);
  });
  assert.deepEqual(faults(service), []);
});

test("S48, F16: huge, many or non-text headers answer 4xx", async (service) => {
  const get = `GET /profile HTTP/1.1\r\n${HOST}`;
  const cases: [number, string, string][] = [
    [403, "a cookie of 60 KB", `${get}Cookie: session_id=${"a".repeat(60_000)}\r\n\r\n`],
    [400, "a cookie of 80 KB", `${get}Cookie: session_id=${"a".repeat(80_000)}\r\n\r\n`],
    [403, "500 cookies", `${get}Cookie: ${"a=b; ".repeat(500)}x=y\r\n\r\n`],
    [403, "two cookie headers", `${get}Cookie: session_id=${"a".repeat(43)}\r\nCookie: session_id=x\r\n\r\n`],
    [403, "bytes that are no ASCII", `${get}Cookie: \xa0\xff\xfesession_id=x; session_id=\xff\r\n\r\n`],
    [400, "a NUL", `${get}Cookie: session_id=a\0b\r\n\r\n`],
    [400, "a bare carriage return", `${get}Cookie: a\rSet-Cookie: b=c\r\n\r\n`],
    [403, "garbage for a login", `${get}Authorization: \xff\xfe \r\n\r\n`],
    [400, "a path that is no ASCII", `GET /\xff\xfe HTTP/1.1\r\n${HOST}\r\n`],
    [400, "a path of 100 KB", `GET /${"a".repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`],
    [404, "a path with escapes that mean nothing", `GET /%ff%00%zz HTTP/1.1\r\n${HOST}\r\n`],
    [400, "no HTTP at all", "hello\r\n\r\n"],
  ];
  await withServer(service, async (exchange) => {
    for (const [expected, label, text] of cases) {
      const { status, headers } = await exchange(text);
      assert.equal(status, expected, label);
      assert.deepEqual(headers.getSetCookie(), [], label);
      await assertAlive(exchange, label);
    }
  });
  assert.deepEqual(faults(service), []);
});

test("DNS rebinding: over a socket too, a foreign Host header is refused", async (service) => {
  await withServer(service, async (exchange, origin) => {
    const get = (target: string, hosts: string[], version = "1.1") =>
      exchange(`GET ${target} HTTP/${version}\r\n${hosts.map((host) => `Host: ${host}\r\n`).join("")}\r\n`);
    assert.equal((await get("/", [])).status, 200);
    assert.equal((await get("/", [], "1.0")).status, 200);
    for (const host of ["evil.example", "a b", "[]", "\xe9", "", "localhost\xa0"]) {
      assert.equal((await get("/", [host])).status, 403, host);
    }
    assert.equal((await get("http://localhost/", ["evil.example"])).status, 403);
    for (const target of ["evil.example:80", "evil.example:99999"]) {
      assert.equal((await exchange(`CONNECT ${target} HTTP/1.1\r\n\r\n`)).status, 403, target);
    }
    for (const hosts of [["localhost", "evil.example"], ["evil.example", "localhost"]]) {
      assert.equal((await get("/", hosts)).status, 400);
    }
    for (const [authority, expected] of [["evil.example", 403], ["localhost:5000", 200]] as const) {
      assert.equal(await overHttp2(origin, authority), expected, `HTTP/2 for ${authority}`);
    }
  });
});

/** The status of `GET /` over HTTP/2 without TLS, where the host is in `:authority`. */
async function overHttp2(origin: string, authority: string): Promise<number> {
  const client = http2.connect(origin);
  try {
    return await new Promise((resolve, reject) => {
      client.on("error", reject);
      const stream = client.request({ ":path": "/", ":authority": authority });
      stream.on("response", (headers) => resolve(Number(headers[":status"])));
      stream.on("error", reject);
      stream.resume();
      stream.end();
    });
  } finally {
    client.close();
  }
}

Deno.test("a login whose client disconnects while it waits in the queue is never hashed", async () => {
  await using data = await dataFolder({ BCRYPT_COST: "12", WORKERS: "1", THROTTLE: "observe" });
  await using service = await startService(data.options);
  const form = { email: "a@b.cd", password: "secret" };
  const statuses = Array.from({ length: 12 }, () => statusOf(service.send("POST", "/sessions", form)));
  // The others are waiting when the first one is answered.
  await Promise.race(statuses);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(service.url).port) });
  await connection.write(new TextEncoder().encode(`${JSON_POST}Content-Length: ${BODY.length}\r\n\r\n${BODY}`));
  // It waits in the queue once the service answers a later request.
  await statusOf(service.send("GET", "/"));
  connection.close();
  const statusOfIt = () => /"route":"\/users","status":(\d+)/.exec(service.output.stdout)?.[1];
  let all = false;
  const done = Promise.all(statuses).finally(() => all = true);
  while (statusOfIt() === undefined && !all) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(!all, "it was dropped before its turn came");
  assert.equal(statusOfIt(), "499");
  assert.deepEqual(new Set(await done), new Set([401]));
  assert.equal(data.rows("SELECT id FROM users").length, 0);
});

test("C2: limitation: Deno refuses an upgrade with a body by itself, and nothing happens; without either all is well", async (service) => {
  const form = "email=bob@example.com&password=b4l0u";
  const post = (more: string) =>
    `POST /users HTTP/1.1\r\n${HOST}Content-Type: application/x-www-form-urlencoded\r\n${more}` +
    `Content-Length: ${form.length}\r\n\r\n${form}`;
  const ask = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
  await withServer(service, async (exchange) => {
    const refused = await exchange(post(ask));
    assert.deepEqual([refused.status, refused.body, refused.headers.get("x-request-id")], [400, "", null]);
    assert.deepEqual(service.logged, [], "the service has not heard of it");
    assert.deepEqual(await service.rows("SELECT id FROM users"), []);
    const answered = await exchange(`GET / HTTP/1.1\r\n${HOST}${ask}\r\n`);
    assert.deepEqual([answered.status, answered.body], [200, '{"message":"Bienvenue"}']);
    // What the README tells clients to do.
    assert.equal((await exchange(post(""))).status, 200);
  });
});
