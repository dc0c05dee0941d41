/**
 * From bytes to fields: input that two programs could read differently is refused, no input causes a fault, and
 * accepted values are the ones that were sent.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Hono } from "hono";
import { MOST_BODY, readFields } from "../../routes/http/body.ts";
import "../kit/seed.ts";
import { type RequestOptions, type Service, test } from "../kit/service.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const FIELDS = { email: "bob@example.com", password: "s3cret" };

function post(service: Service, path: string, body: BodyInit | undefined, type?: string): Promise<Response> {
  return service.request("POST", path, { body, headers: type === undefined ? {} : { "content-type": type } });
}

function bytes(...parts: (string | number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => typeof part === "string" ? [...new TextEncoder().encode(part)] : part));
}

/** Asserts a 400 that blames the body, repeats no part of it, and makes no user. */
async function assertRefused(service: Service, body: BodyInit, type: string, label: string): Promise<void> {
  const response = await post(service, "/users", body, type);
  assert.equal(response.status, 400, label);
  assert.ok(["invalid_body", "invalid_field"].includes(response.headers.get("error-code")!), label);
  const { message } = await response.json();
  assert.ok(!/s3cret|bob@/.test(message), `${label}: ${message}`);
  assert.deepEqual(await service.rows("SELECT id FROM users"), [], label);
}

test("S15: a field that is given twice, or is no text, answers 400", async (service) => {
  const twice = [
    "email=bob@example.com&email=eve@example.com&password=s3cret",
    "email=bob@example.com&password=s3cret&password=s3cret",
    "email=bob@example.com&password=s3cret&%65mail=eve@example.com",
    "email=bob@example.com&password=s3cret&x&x",
    "email=bob@example.com&password[]=s3cret",
    "email=bob@example.com&password[0]=s3cret",
    "email[x]=bob@example.com&password=s3cret",
  ];
  for (const body of twice) await assertRefused(service, body, FORM, body);
  const odd = [
    '{"email":"bob@example.com","email":"eve@example.com","password":"s3cret"}',
    '{"email":"bob@example.com","password":"s3cret","\\u0065mail":"eve@example.com"}',
    '{"email":"bob@example.com","email":"eve@example.com","password":"s3cret","more":{"a":1}}',
    '{"email":"bob@example.com","email":"eve@example.com","password":"s3cret","more":["}",{"email":1}]}',
    '{"email":["bob@example.com"],"password":"s3cret"}',
    '{"email":{"$ne":""},"password":"s3cret"}',
    '{"email":"bob@example.com","password":1}',
    '{"email":"bob@example.com","password":true}',
    '{"email":"bob@example.com","password":null}',
    '{"email":"bob@example.com","password":["s3cret"]}',
    '{"email":"bob@example.com","password":{"length":6}}',
    '{"__proto__":{"email":"bob@example.com","password":"s3cret"}}',
    '{"constructor":{"prototype":{"email":"bob@example.com","password":"s3cret"}}}',
    '["email","bob@example.com","password","s3cret"]',
    '"email=bob@example.com&password=s3cret"',
    "null",
    "1",
    "{",
    '{"email":"bob@example.com","password":"s3cret",}',
    "{'email':'bob@example.com','password':'s3cret'}",
    "NaN",
  ];
  for (const body of odd) await assertRefused(service, body, JSON_TYPE, body);
});

test("S15: a parameter of a query that is given twice answers 400", async (service) => {
  await service.register("bob@example.com", "s3cret");
  const session = await service.logIn("bob@example.com", "s3cret");
  for (const query of ["limit=1&limit=2", "limit=1&%6cimit=1", "limit=1&x=1&x=2"]) {
    const response = await service.request("GET", `/account/events?${query}`, { session });
    assert.equal(response.headers.get("error-code"), "invalid_field", query);
  }
});

test("S15: a key repeated inside a nested value, which nothing reads, is no duplicate", async (service) => {
  const body = '{"more":{"email":1,"email":2,"}":"{\\"email\\":"},"email":"bob@example.com","password":"s3cret"}';
  assert.equal((await post(service, "/users", body, JSON_TYPE)).status, 200);
});

test("V66, F16: invalid UTF-8, lone surrogates and NUL in any field answer 400, in every kind of body", async (service) => {
  const bad: [string, number[]][] = [
    ["a lone byte", [0xff]],
    ["another lone byte", [0xfe]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong NUL", [0xc0, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
    ["a NUL", [0]],
  ];
  for (const [label, fault] of bad) {
    const escaped = fault.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    for (const piece of [fault, escaped]) {
      await assertRefused(service, bytes("email=bob@example.com&password=s3cret", piece), FORM, `password: ${label}`);
      await assertRefused(service, bytes("email=b", piece, "ob@example.com&password=s3cret"), FORM, `email: ${label}`);
      await assertRefused(
        service,
        bytes("email=bob@example.com&password=s3cret&", piece, "=1"),
        FORM,
        `name: ${label}`,
      );
    }
    const json = bytes('{"email":"bob@example.com","password":"s3cret', fault, '"}');
    await assertRefused(service, json, JSON_TYPE, `JSON: ${label}`);
    const part = (name: string) => `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
    const multipart = bytes(part("email"), "bob@example.com\r\n", part("password"), "s3cret", fault, "\r\n--X--\r\n");
    await assertRefused(service, multipart, "multipart/form-data; boundary=X", `multipart: ${label}`);
  }
  for (const escape of ["\\ud800", "\\udc00\\ud800", "\\u0000"]) {
    const json = `{"email":"bob@example.com","password":"s3cret${escape}"}`;
    await assertRefused(service, json, JSON_TYPE, `JSON escape ${escape}`);
    await assertRefused(service, `{"email":"bob@example.com","password":"s3cret","${escape}":1}`, JSON_TYPE, escape);
  }
});

test("F16: byte order marks and ten thousand combining marks are refused or kept, never dropped", async (service) => {
  await assertRefused(service, '\ufeff{"email":"bob@example.com","password":"s3cret"}', JSON_TYPE, "JSON with BOM");
  await assertRefused(service, "\ufeffemail=bob@example.com&password=s3cret", FORM, "form with BOM");
  const marks = "e" + "\u0301".repeat(7_000);
  await assertRefused(service, JSON.stringify({ email: "bob@example.com", password: marks }), JSON_TYPE, "password");
  await assertRefused(
    service,
    JSON.stringify({ email: `${marks}@example.com`, password: "s3cret" }),
    JSON_TYPE,
    "email",
  );
});

test("a body of another type, charset or encoding answers 415", async (service) => {
  const body = "email=bob@example.com&password=s3cret";
  const types = [
    "text/plain",
    "text/plain;a=application/x-www-form-urlencoded",
    "application/xml",
    "application/jsonp",
    "application/json, application/x-www-form-urlencoded",
    "constructor",
    "__proto__",
    `${FORM}; charset=iso-8859-1`,
    `${FORM}; charset=utf-8; charset=utf-16`,
    `${FORM}; charset =utf-16`,
    `${JSON_TYPE}; charset=utf-16`,
  ];
  for (const type of types) assert.equal((await post(service, "/users", body, type)).status, 415, type);
  assert.equal((await post(service, "/users", bytes(body))).status, 415, "a body without a type");
  const headers = { "content-type": FORM, "content-encoding": "gzip" };
  assert.equal((await service.request("POST", "/users", { body, headers })).status, 415, "gzip");
  for (const type of [`${FORM.toUpperCase()}; Charset="UTF-8"`, `${FORM};`, `${FORM} ;charset=utf8`]) {
    assert.notEqual((await post(service, "/sessions", body, type)).status, 415, type);
  }
});

test("S72: a body of 16 KiB is read, and one byte more answers 413 whatever Content-Length says", async (service) => {
  const body = (length: number) => "email=bob@example.com&password=s3cret&x=".padEnd(length, "x");
  assert.equal(MOST_BODY, 16 * 1024);
  assert.equal((await post(service, "/users", body(MOST_BODY), FORM)).status, 200);
  for (const length of [undefined, "0", "10", String(MOST_BODY + 1)]) {
    const headers: Record<string, string> = { "content-type": FORM };
    if (length !== undefined) headers["content-length"] = length;
    const response = await service.request("POST", "/users", { body: body(MOST_BODY + 1), headers });
    assert.equal(response.status, 413, String(length));
    assert.equal(response.headers.get("error-code"), "body_too_large");
  }
});

test("V29: a body that breaks off is refused, even if what arrived is valid", async (service) => {
  for (const [text, type] of [["email=bob@example.com&password=s3cret", FORM], [JSON.stringify(FIELDS), JSON_TYPE]]) {
    let pulls = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        if (pulls++ === 0) controller.enqueue(bytes(text));
        else controller.error(new Error("the connection was lost"));
      },
    }, { highWaterMark: 0 });
    await assertRefused(service, body, type, type);
  }
});

test("V40: a field longer than its limit answers 400 and is named", async (service) => {
  const long = "x".repeat(5_000);
  const fields = { email: "bob@example.com", reset_token: "x", new_password: "s3cret" };
  for (const name of Object.keys(fields)) {
    const response = await service.request("PUT", "/reset_password", { json: { ...fields, [name]: long } });
    assert.equal(response.status, 400);
    assert.match((await response.json()).message, new RegExp(`^${name} is longer than \\d+ characters$`));
  }
});

test("property: no body of any type causes a fault", async (service) => {
  const types = fc.constantFrom(FORM, JSON_TYPE, "multipart/form-data; boundary=X", "text/plain", "x", ";");
  const pieces = fc.constantFrom("email", "=", "&", "%", "%00", "%ff", '"', "{", "}", ":", "[", "\\u", "\\ud800", "--X")
    .map((text) => [...new TextEncoder().encode(text)]);
  const lines = fc.constantFrom("\r\n", "--X--", 'Content-Disposition: form-data; name="email"', "\r\n\r\n", "\0")
    .map((text) => [...new TextEncoder().encode(text)]);
  const chaos = fc.array(fc.oneof(pieces, lines, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 })));
  await fc.assert(
    fc.asyncProperty(chaos, types, fc.constantFrom("/reset_password", "/sessions"), async (parts, type, path) => {
      const { status } = await post(service, path, bytes(...parts), type);
      assert.ok([400, 401, 403, 415].includes(status), String(status));
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(service.logged.filter((entry) => entry.level !== undefined), []);
});

test("property: no JSON value instead of fields causes a fault", async (service) => {
  const body = fc.oneof(fc.jsonValue(), fc.record({ email: fc.jsonValue(), password: fc.jsonValue() }));
  await fc.assert(
    fc.asyncProperty(body, async (json) => {
      const { status } = await service.request("POST", "/sessions", { json });
      assert.ok([400, 401].includes(status), String(status));
    }),
    { numRuns: 150 },
  );
});

Deno.test("property: urlencoded and JSON fields are read as they were written", async () => {
  const app = new Hono().post("/", async (c) => c.json([...await readFields(c.req)]));
  const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
  await fc.assert(fc.asyncProperty(fc.uniqueArray(text), fc.array(text), async (names, values) => {
    const fields = names.map((name, index) => [name, values[index] ?? ""]);
    // JSON.parse moves keys that are whole numbers to the front.
    const sorted = (pairs: string[][]) => pairs.toSorted(([a], [b]) => a < b ? -1 : 1);
    for (const options of [{ form: new URLSearchParams(fields).toString() }, { json: Object.fromEntries(fields) }]) {
      const [body, type] = options.form !== undefined
        ? [options.form, FORM]
        : [JSON.stringify(options.json), JSON_TYPE];
      const response = await app.request("/", { method: "POST", body, headers: { "content-type": type } });
      assert.deepEqual(sorted(await response.json()), sorted(fields));
    }
  }));
});

test("S13: unknown fields of an endpoint are ignored", async (service) => {
  // All columns, and names that other systems use for privileges.
  const columns = Object.fromEntries((await service.auth.db.columns("users")).map((name) => [name, "1"]));
  assert.ok(Object.keys(columns).length > 10);
  const fields = { ...columns, role: "admin", is_admin: "1", email: "bob@example.com", password: "b4l0u" };
  const plain = { email: "ada@example.com", password: "b4l0u" };
  const bodies: RequestOptions[] = [{ form: plain }, { form: fields }, {
    json: { ...fields, email: "eve@example.com", id: [1] },
  }];
  for (const options of bodies) assert.equal((await service.request("POST", "/users", options)).status, 200);
  const [expected, ...rows] = await service.rows("SELECT * FROM users ORDER BY email");
  for (const [index, email] of ["bob@example.com", "eve@example.com"].entries()) {
    const { id, hashed_password } = rows[index];
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.match(String(hashed_password), /^\$2b\$/);
    assert.deepEqual({ ...rows[index] }, { ...expected, id, email, email_key: email, hashed_password });
  }
});
