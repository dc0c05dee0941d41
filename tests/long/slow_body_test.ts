/**
 * Slow and endless bodies (F13): they are cut after a deadline, and nobody else waits for them. The deadline is the
 * service's own, but shorter.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BODY_DEADLINE } from "../../routes/http/body.ts";
import { withServer } from "../kit/process/raw_http.ts";
import { appWithBodyDeadline, test } from "../kit/service.ts";

const HEAD = "POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";

/** The answer to a connection that sends these bytes again and again until the service closes it. */
async function trickle(origin: string, head: string, bytes: string, pause = 20): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(origin).port) });
  const send = (text: string) => connection.write(new TextEncoder().encode(text)).catch(() => 0);
  await send(head);
  const timer = setInterval(() => send(bytes), pause);
  let received = "";
  let closed = false;
  const ended = (async () => {
    const buffer = new Uint8Array(4_096);
    try {
      for (let length = await connection.read(buffer); length !== null; length = await connection.read(buffer)) {
        received += new TextDecoder().decode(buffer.subarray(0, length));
      }
      closed = true;
    } catch (error) {
      closed = error instanceof Deno.errors.ConnectionReset;
    }
  })();
  // A connection that stays open fails the test instead of blocking it.
  const patience = setTimeout(() => connection.close(), 20_000);
  await ended;
  clearInterval(timer);
  clearTimeout(patience);
  assert.ok(closed, `the connection is still open after: ${received}`);
  connection.close();
  return received;
}

test("F13: a slow body answers 408, and its connection is closed", async (service) => {
  assert.equal(BODY_DEADLINE, 10_000);
  await withServer(service, async (_, origin) => {
    const received = await Promise.all([
      trickle(origin, `${HEAD}Content-Length: 9000\r\n\r\nemail=`, "x"),
      trickle(origin, `${HEAD}Transfer-Encoding: chunked\r\n\r\n6\r\nemail=\r\n`, "1\r\nx\r\n"),
    ]);
    for (const text of received) {
      assert.match(text, /^HTTP\/1\.1 408 /);
      assert.match(text, /\r\nerror-code: body_too_slow\r\n/);
      // Bytes that were sent later are not read as another request.
      assert.equal(text.match(/HTTP\/1\.1/g)!.length, 1);
    }
  }, appWithBodyDeadline(service.auth, 150).fetch);
  assert.deepEqual(service.logged.map((entry) => entry.status), [408, 408]);
  assert.deepEqual(await service.rows("SELECT id FROM users"), []);
});

test("F13: a body of one piece in half a second, to a program's path or a page's form, is cut too", async (service) => {
  const form = HEAD.replace("/users", "/login").replace("Host:", "Accept: text/html\r\nHost:");
  await withServer(service, async (_, origin) => {
    const [plain, page] = await Promise.all(
      [HEAD, form].map((head) => trickle(origin, `${head}Content-Length: 9000\r\n\r\nemail=`, "x", 500)),
    );
    for (const text of [plain, page]) {
      assert.match(text, /^HTTP\/1\.1 408 /);
      assert.match(text, /\r\nerror-code: body_too_slow\r\n/);
    }
    assert.match(page, /<!DOCTYPE html>/);
  }, appWithBodyDeadline(service.auth, 150).fetch);
});

test("F13: a hundred endless bodies delay no other request, and all are cut", async (service) => {
  await withServer(service, async (exchange, origin) => {
    const bodies = Array.from({ length: 100 }, () => trickle(origin, `${HEAD}Content-Length: 9000\r\n\r\nemail=`, "x"));
    for (let index = 0; index < 20; index++) {
      assert.equal((await exchange("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).status, 200);
    }
    for (const text of await Promise.all(bodies)) assert.match(text, /^HTTP\/1\.1 408 /);
  }, appWithBodyDeadline(service.auth, 1_000).fetch);
});

test("F13: a body that stops arriving answers 408", async (service) => {
  await withServer(service, async (exchange) => {
    for (const sent of ["", "email="]) {
      const { status, headers } = await exchange(`${HEAD}Content-Length: 9000\r\n\r\n${sent}`);
      assert.deepEqual([status, headers.get("error-code")], [408, "body_too_slow"]);
    }
  }, appWithBodyDeadline(service.auth, 150).fetch);
});

test("F13: a body that arrives in pieces within the time is read completely", async (service) => {
  await withServer(service, async (_, origin) => {
    const response = await fetch(`${origin}/users`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: ReadableStream.from((async function* () {
        for (const piece of ["email=bob@exam", "ple.com&pass", "word=b4l0u"]) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          yield new TextEncoder().encode(piece);
        }
      })()),
    });
    assert.deepEqual(await response.json(), { email: "bob@example.com", message: "user created" });
  });
});

test("F14: endless bodies are refused at the limit and use no more memory", async (service) => {
  await withServer(service, async (exchange) => {
    const huge = `${HEAD}Transfer-Encoding: chunked\r\n\r\n` + `10000\r\n${"a".repeat(65_536)}\r\n`.repeat(64);
    const declared = `${HEAD}Content-Length: 1073741824\r\n\r\n${"a".repeat(65_536)}`;
    const fields = `${HEAD}Content-Length: 400000\r\n\r\n${"a=b&".repeat(100_000)}`;
    const attack = async () => {
      // A connection that is cut while it sends may lose the answer.
      for (const text of [huge, declared, fields]) {
        assert.ok([413, 0].includes((await exchange(text)).status));
        assert.equal((await exchange("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 200);
      }
    };
    for (let round = 0; round < 3; round++) await attack();
    const before = Deno.memoryUsage();
    for (let round = 0; round < 5; round++) await attack();
    const after = Deno.memoryUsage();
    // Far more was sent than may be kept; the test's own sender is in the same process.
    assert.ok(after.external - before.external < 20 * 2 ** 20, `${after.external - before.external} bytes outside`);
  });
  assert.ok(service.logged.every((entry) => entry.status === 200 || entry.status === 413));
});
