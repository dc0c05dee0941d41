/**
 * The session cookie as attackers send it: exactly one cookie of exactly that name counts, and nothing else is a
 * session.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readCookie, setSessionCookie } from "../../routes/http/cookies.ts";
import "../kit/seed.ts";
import { type Service, sessionOf, test, testConfig } from "../kit/service.ts";
import { measureGrowth } from "../kit/work_growth.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";

async function sessionOfBob(service: Service): Promise<string> {
  await service.register(EMAIL, PASSWORD);
  return await service.logIn(EMAIL, PASSWORD);
}

async function profile(service: Service, cookie: string): Promise<number> {
  return (await service.request("GET", "/profile", { headers: { cookie } })).status;
}

test("V69: an empty or null-like cookie is no session, even when users without a session exist", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const value of ["", "None", "null", "undefined", "NULL", "nil", "0", "false", '""', "%00", " "]) {
    assert.equal(await profile(service, `session_id=${value}`), 403, value);
    const logout = await service.request("DELETE", "/sessions", { headers: { cookie: `session_id=${value}` } });
    assert.equal(logout.status, 403, value);
  }
  assert.equal(await profile(service, "session_id"), 403);
  assert.equal((await service.send("GET", "/profile"))[0], 403);
});

test("V33: a cookie with a name similar to ours is another cookie", async (service) => {
  const session = await sessionOfBob(service);
  for (const before of ["\u00a0", "\u0085", "\x0b", "\u00ad", "_", "x", "$", "__Host-"]) {
    const planted = `${before}session_id=${"e".repeat(43)}`;
    assert.equal(await profile(service, `${planted}; session_id=${session}`), 200, JSON.stringify(before));
    assert.equal(await profile(service, `session_id=${session}; ${planted}`), 200, JSON.stringify(before));
    assert.equal(await profile(service, `${before}session_id=${session}`), 403, JSON.stringify(before));
  }
  for (const name of ["Session_id", "SESSION_ID", "session_id\u00a0", "session%5Fid", '"session_id"']) {
    assert.equal(await profile(service, `${name}=${session}`), 403, name);
  }
  assert.equal(await profile(service, `a=1;  \tsession_id=${session} \t; b=2`), 200);
});

test("V33: two session cookies count as none, in any order", async (service) => {
  const session = await sessionOfBob(service);
  for (const other of ["x", "", session, "e".repeat(43)]) {
    assert.equal(await profile(service, `session_id=${session}; session_id=${other}`), 403);
    assert.equal(await profile(service, `session_id=${other}; a=b; session_id=${session}`), 403);
  }
});

test("S48: huge, many or malformed cookies answer 403, and a valid one among them still works", async (service) => {
  const session = await sessionOfBob(service);
  const many = Array.from({ length: 500 }, (_, index) => `c${index}=${index}`).join("; ");
  const malformed = [
    "=",
    ";",
    ";;;;",
    "=;=",
    "session_id",
    "a",
    "%zz=%zz",
    "session_id=%zz",
    "x={",
    'x="',
    "\xff\xfe=\xff",
    "a=".padEnd(60_000, "b"),
    "".padEnd(60_000, ";"),
    "".padEnd(60_000, "session_id "),
    many,
  ];
  for (const cookie of malformed) {
    assert.equal(await profile(service, cookie), 403, cookie.slice(0, 40));
    // A second cookie of the name, even without a value, makes both invalid.
    if (/session_id=/.test(cookie)) continue;
    assert.equal(await profile(service, `${cookie}; session_id=${session}`), 200, cookie.slice(0, 40));
  }
  assert.equal(await profile(service, `session_id=${"a".repeat(60_000)}`), 403);
});

test("S48: every cookie that is set is far smaller than the browsers' limit", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const login = await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } });
  for (const cookie of login.headers.getSetCookie()) assert.ok(cookie.length < 4096 / 8, cookie);
});

test("a session id that is changed, cut or lengthened by one character is refused", async (service) => {
  const session = await sessionOfBob(service);
  const other = session[20] === "a" ? "b" : "a";
  const variants = [
    session.slice(0, -1),
    session.slice(1),
    `${session}A`,
    `A${session}`,
    `${session}=`,
    session.slice(0, 20) + other + session.slice(21),
    `""${session}""`,
    `"${session}`,
    encodeURIComponent(session) + "%20",
    `${session},${session}`,
    session.toLowerCase() === session ? session.toUpperCase() : session.toLowerCase(),
  ];
  for (const variant of variants) assert.equal(await profile(service, `session_id=${variant}`), 403, variant);
  assert.equal(await profile(service, `session_id=${session}`), 200);
});

test("S44: a session id is read from the cookie only, never from query, form or other headers", async (service) => {
  const session = await sessionOfBob(service);
  const { request } = service;
  assert.equal((await request("GET", `/profile?session_id=${session}`)).status, 403);
  for (const path of ["/sessions", `/sessions?session_id=${session}`]) {
    assert.equal((await request("DELETE", path, { form: { session_id: session } })).status, 403);
    assert.equal((await request("DELETE", path, { json: { session_id: session } })).status, 403);
  }
  const names = ["authorization", "session_id", "x-session-id", "set-cookie", "cookie2", "proxy-authorization"];
  for (const name of names) {
    for (const value of [session, `Bearer ${session}`, `session_id=${session}`, "Basic !!!", ""]) {
      assert.equal((await request("GET", "/profile", { headers: { [name]: value } })).status, 403, `${name}: ${value}`);
    }
  }
  assert.equal(await profile(service, `session_id=${session}`), 200);
});

test("S39: a session id chosen by the client is never taken over", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const chosen = "A".repeat(43);
  const login = await service.request("POST", "/sessions", {
    form: { email: EMAIL, password: PASSWORD, session_id: chosen },
    session: chosen,
  });
  assert.equal(login.status, 200);
  assert.notEqual(sessionOf(login), chosen);
  assert.equal(await profile(service, `session_id=${chosen}`), 403);
});

test("property: no Cookie header causes a fault or opens a profile", async (service) => {
  await sessionOfBob(service);
  const piece = fc.constantFrom("session_id", "=", ";", " ", "\t", "\u00a0", "%00", '"', ",", "None", "e".repeat(43));
  const noise = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(piece, noise)).map((parts) => parts.join("")), async (cookie) => {
      assert.equal(await profile(service, cookie), 403);
    }),
    { numRuns: 200 },
  );
  assert.deepEqual(service.logged.filter((entry) => entry.level !== undefined), []);
});

Deno.test("S48: reading a Cookie header takes time proportional to its length, also with blanks", () => {
  for (const blank of [" ", "\t"]) {
    const blanks = (size: number) => blank.repeat(size);
    for (const header of [(n: number) => `a${blanks(n)}=1`, (n: number) => `session_id=a${blanks(n)}b;${blanks(n)}`]) {
      const growth = measureGrowth((size) => readCookie(header(size), "session_id"));
      assert.ok(growth < 200, `32 times the blanks took ${growth.toFixed()} times as long`);
    }
  }
});

/** RFC 6265 4.1.1: the allowed characters of a cookie's name and value. */
const tokens = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
const values = fc.stringMatching(/^[!#-+\--:<-[\]-~]*$/);

Deno.test("property: a cookie is found by its name among others, but not when it occurs twice", () => {
  fc.assert(fc.property(fc.uniqueArray(tokens, { minLength: 1 }), fc.array(values), (names, texts) => {
    const pairs = names.map((name, index) => [name, texts[index] ?? ""]);
    const header = pairs.map(([name, value]) => `${name}=${value}`).join("; ");
    for (const [name, value] of pairs) {
      assert.equal(readCookie(header, name), value);
      assert.equal(readCookie(`${header}; ${name}=${value}`, name), undefined);
    }
  }));
});

const local = { config: testConfig({}), clock: () => 0 };

Deno.test("property: a session cookie is read as it was set", () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{43}$/), fc.nat(), (sessionId, maxAge) => {
    const [pair] = setSessionCookie(local, { sessionId, maxAge: maxAge % 34_560_000_000 }).split(";");
    assert.equal(readCookie(pair, "session_id"), sessionId);
  }));
});

Deno.test("F12: no cookie has a negative lifetime", () => {
  assert.match(setSessionCookie(local, { sessionId: "x", maxAge: -5_000 }), /Max-Age=0;/);
});
