/**
 * The line of a request is put together by hand. It must have the bytes that JSON gives, whatever a field holds.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createLog, escapeControls, type RequestLine } from "../../auth/runtime/log.ts";
import "../kit/seed.ts";

/** What the log gives its sink for one line. */
async function written(line: RequestLine): Promise<string> {
  let text = "";
  const log = createLog((piece) => text += piece);
  log.writeRequest(line);
  await log.flush();
  return text;
}

const byJson = (line: RequestLine): string => escapeControls(JSON.stringify(line)) + "\n";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  // Single units too: halves of surrogate pairs, controls, quotes.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom(...'"\\/\0\b\t\n\v\f\r\x1b\x7f\x80\x9b\x9f\xa0\u2028\u2029\ud800~ !#[]')).map((all) =>
    all.join("")
  ),
  fc.constantFrom("/profile", "/sessions/:id", "GET", "no_session", "203.0.113.7", "2001:db8::1", crypto.randomUUID()),
);

Deno.test("S23: the line of a request has the bytes of JSON with its controls escaped, whatever its fields hold", async () => {
  const fields = {
    time: text,
    request_id: text,
    method: text,
    route: fc.option(text),
    status: fc.integer(),
    ms: fc.double({ noNaN: true, noDefaultInfinity: true }),
  };
  const line = fc.record({ ...fields, error_code: text, ip: text }, {
    requiredKeys: Object.keys(fields) as (keyof typeof fields)[],
  });
  await fc.assert(
    fc.asyncProperty(line, async (line) => assert.equal(await written(line), byJson(line))),
    { numRuns: 2_000 },
  );
});

Deno.test("the line of a request has the fields in the order that operators know, and leaves out what is undefined", async () => {
  const line = {
    time: "2026-01-01T00:00:00.000Z",
    request_id: "r",
    method: "GET",
    route: null,
    status: 200,
    ms: 0.125,
  };
  const good =
    '{"time":"2026-01-01T00:00:00.000Z","request_id":"r","method":"GET","route":null,"status":200,"ms":0.125}\n';
  assert.equal(await written(line), good);
  assert.equal(await written({ ...line, error_code: undefined, ip: undefined }), good);
  const refused = { ...line, route: "/sessions/:id", status: 403, error_code: "no_session" };
  assert.match(
    await written(refused),
    /"route":"\/sessions\/:id","status":403,"ms":0\.125,"error_code":"no_session"\}\n$/,
  );
  assert.match(await written({ ...refused, ip: "::1" }), /,"error_code":"no_session","ip":"::1"\}\n$/);
});

Deno.test("the log counts lines of requests and others alike, and keeps their order", async () => {
  let text = "";
  const log = createLog((piece) => text += piece);
  log.write({ event: "first" });
  log.writeRequest({ time: "t", request_id: "second", method: "GET", route: "/", status: 200, ms: 1 });
  log.write({ event: "third" });
  await log.flush();
  assert.deepEqual(text.trimEnd().split("\n").map((line) => JSON.parse(line).event ?? JSON.parse(line).request_id), [
    "first",
    "second",
    "third",
  ]);
});

Deno.test("workers that share the output write at most 4,096 bytes at once, one worker alone 64 KiB", async () => {
  for (const [alone, most] of [[false, 4_096], [true, 65_536]] as const) {
    const written: string[] = [];
    const log = createLog((piece) => written.push(piece), () => {}, { alone });
    const entry = { time: "t", text: "x".repeat(80) };
    for (let line = 0; line < 1_000; line++) log.write(entry);
    await log.flush();
    assert.ok(written.every((piece) => piece.length <= most && piece.endsWith("\n")), `${most}`);
    const lines = written.join("").split("\n");
    assert.equal(lines.length, 1_001, "no line is lost");
    assert.equal(written.length, Math.ceil(1_000 / Math.floor(most / (lines[0].length + 1))), "no piece is short");
  }
});
