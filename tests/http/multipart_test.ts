/**
 * Multipart bodies as attackers and broken programs send them: every fault is a 400, and accepted values arrive as they
 * were sent.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMultipart } from "../../routes/http/multipart.ts";
import "../kit/seed.ts";
import { type Service, test } from "../kit/service.ts";
import { measureGrowth } from "../kit/work_growth.ts";

const TYPE = "multipart/form-data; boundary=X";
const DISPOSITION = 'Content-Disposition: form-data; name="email"';

function part(name: string, value: string, ...headers: string[]): string {
  return [`--X`, `Content-Disposition: form-data; name="${name}"`, ...headers, "", value, ""].join("\r\n");
}

/** A part with these header lines. */
function partOf(headers: string[], value = "bob@example.com"): string {
  return ["--X", ...headers, "", value, ""].join("\r\n");
}

const END = "--X--\r\n";
const EMAIL = part("email", "bob@example.com");
const BOTH = EMAIL + part("password", "b4l0u");

const MALFORMED: [string, string, string?][] = [
  ["no boundary", BOTH + END, "multipart/form-data"],
  ["empty boundary", BOTH + END, "multipart/form-data; boundary="],
  ["another boundary", BOTH + END, "multipart/form-data; boundary=Y"],
  ["two boundaries", BOTH + END, `${TYPE}; boundary=Y`],
  ["a boundary that is too long", BOTH + END, `multipart/form-data; boundary=${"X".repeat(71)}`],
  ["no closing delimiter", BOTH],
  ["cut off in a value", BOTH.slice(0, -4)],
  ["cut off in a header", EMAIL + "--X\r\nContent-Dispo"],
  ["cut off in the last delimiter", BOTH + "--X-"],
  ["no parts and no end", "hello"],
  ["text before the parts", "hello\r\n" + BOTH + END],
  ["parts after the end", EMAIL + END + part("password", "b4l0u") + END],
  ["bare line feeds", (BOTH + END).replaceAll("\r\n", "\n")],
  ["bare carriage returns", (BOTH + END).replaceAll("\r\n", "\r")],
  ["a line that is no header", partOf([DISPOSITION, "garbage"]) + END],
  ["a folded header", partOf(["Content-Disposition: form-data;", ' name="email"']) + END],
  ["no disposition", partOf(["Content-Type: text/plain"]) + END],
  ["no headers", partOf([]) + END],
  ["no name", partOf(["Content-Disposition: form-data"]) + END],
  ["an attachment", partOf(['Content-Disposition: attachment; name="email"']) + END],
  ["two dispositions", partOf([DISPOSITION, DISPOSITION.replace("email", "password")]) + END],
  ["two names", partOf([DISPOSITION + '; name="password"']) + END],
  ["an encoded name", partOf(["Content-Disposition: form-data; name*=UTF-8''email"]) + END],
  ["a name with a backslash", partOf(['Content-Disposition: form-data; name="em\\ail"']) + END],
  ["an open quote", partOf(['Content-Disposition: form-data; name="email']) + END],
  ["a disposition with more behind it", partOf([DISPOSITION + " x"]) + END],
  ["a file named as a field", BOTH + partOf([DISPOSITION.replace("email", "password") + '; filename="p"']) + END],
  ["a file with an empty name", EMAIL + partOf(['Content-Disposition: form-data; name="password"; filename=""']) + END],
  ["a file with an encoded name", partOf([DISPOSITION + "; filename*=UTF-8''p"]) + END],
  ["a field twice", EMAIL + BOTH + END],
  ["a nested multipart", part("email", "--Y\r\n\r\nx\r\n--Y--", "Content-Type: multipart/mixed; boundary=Y") + END],
  ["a part of another type", part("email", "bob@example.com", "Content-Type: application/json") + END],
  ["a part in base64", part("email", "Ym9iQGV4YW1wbGUuY29t", "Content-Transfer-Encoding: base64") + END],
  ["a part in UTF-16", part("email", "bob@example.com", "Content-Type: text/plain; charset=utf-16") + END],
  [
    "umlauts said to be Latin 1",
    part("email", "bäb@example.com", "Content-Type: text/plain; charset=iso-8859-1") + END,
  ],
  ["a delimiter with something behind it", BOTH.replace("--X\r\n", "--Xtra\r\n") + END],
  ["a boundary as the start of a line of a value", EMAIL + part("password", "a\r\n--Xtra\r\nb") + END],
  ["a header of a thousand blanks", partOf([DISPOSITION + " ".repeat(1_000) + ";"]) + END],
  ["a NUL in a value", EMAIL + part("password", "b4l\0u") + END],
];

function post(service: Service, path: string, body: BodyInit, type = TYPE): Promise<Response> {
  return service.request("POST", path, { body, headers: { "content-type": type } });
}

test("F15: every malformed multipart body answers 400 and makes no user", async (service) => {
  for (const [name, body, type] of MALFORMED) {
    const response = await post(service, "/users", body, type);
    assert.equal(response.status, 400, name);
    assert.equal(response.headers.get("error-code"), "invalid_body", name);
    const { message } = await response.json();
    assert.ok(!message.includes("b4l0u"), `${name}: the message repeats a password`);
  }
  assert.deepEqual(await service.rows("SELECT id FROM users"), []);
});

Deno.test("F15: reading a part's headers takes time proportional to their length, also with blanks", () => {
  for (
    const line of [
      `${DISPOSITION}BLANKS;x`,
      `${DISPOSITION}\r\nX:BLANKSx`,
      `${DISPOSITION}\r\nContent-Type: text/plainBLANKSx`,
    ]
  ) {
    const growth = measureGrowth((size) => {
      const body = partOf(line.replace("BLANKS", " ".repeat(size)).split("\r\n")) + END;
      assert.throws(() => parseMultipart(body, TYPE), { code: "invalid_body" });
    });
    assert.ok(growth < 200, `32 times the blanks took ${growth.toFixed()} times as long`);
  }
});

test("F15: a file instead of a text is refused by the field's name", async (service) => {
  const body = EMAIL + partOf(['Content-Disposition: form-data; name="password"; filename="p.txt"']) + END;
  assert.deepEqual(await (await post(service, "/users", body)).json(), {
    message: "password must be text, not a file",
  });
});

test("F15: as many parts as a body may hold are read, and more answer 413", async (service) => {
  const parts = (count: number) => Array.from({ length: count }, (_, index) => part(`f${index}`, "")).join("") + END;
  assert.equal((await post(service, "/users", parts(200))).status, 400);
  assert.equal((await post(service, "/users", parts(10_000))).status, 413);
});

test("multipart bodies as curl, browsers and mail libraries write them are accepted", async (service) => {
  const bodies: [string, string?][] = [
    [BOTH + END],
    [BOTH + "--X--"],
    [BOTH + END, 'multipart/form-data; boundary="X"'],
    [BOTH + END, "Multipart/Form-Data; charset=UTF-8; Boundary=X"],
    [EMAIL + part("password", "b4l0u", "Content-Type: text/plain; charset=UTF-8", "Content-Length: 5") + END],
    [EMAIL + part("password", "b4l0u", "Content-Type: text/plain; charset=ISO-8859-1") + END],
    [EMAIL + part("password", "b4l0u", "content-transfer-encoding: 8BIT") + END],
    [EMAIL + partOf(["content-disposition: FORM-DATA; NAME=password"], "b4l0u") + END],
  ];
  await service.register("bob@example.com", "b4l0u");
  for (const [body, type] of bodies) {
    const response = await post(service, "/sessions", body, type);
    assert.equal(response.status, 200, `${type} ${body} ${await response.text()}`);
  }
});

test("F16: a byte order mark, line break or space in a password is part of it, in every kind of body", async (service) => {
  for (const [index, password] of ["\ufeffsecret", " secret ", "sec\r\nret", "secret\r\n"].entries()) {
    const email = `bob${index}@example.com`;
    assert.equal((await post(service, "/users", part("email", email) + part("password", password) + END)).status, 200);
    assert.equal((await service.request("POST", "/sessions", { json: { email, password } })).status, 200);
    assert.equal((await service.send("POST", "/sessions", { email, password }))[0], 200);
    const bare = password.replaceAll("\ufeff", "").trim();
    const other = bare === password ? "" : bare;
    if (other !== "") assert.equal((await service.send("POST", "/sessions", { email, password: other }))[0], 401);
  }
});

Deno.test("multipart fields written by the platform are read unchanged", async () => {
  const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !/[\r\n"\\]/.test(name));
  const values = fc.string({ unit: "grapheme" });
  await fc.assert(fc.asyncProperty(fc.dictionary(names, values), async (fields) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    const response = new Response(form);
    const read = parseMultipart(
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.bytes()),
      response.headers.get("content-type")!,
    );
    assert.deepEqual(read, Object.entries(fields).map(([name, value]) => [name, value.replace(/\r?\n|\r/g, "\r\n")]));
  }));
});
