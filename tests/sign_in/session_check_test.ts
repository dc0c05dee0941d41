/**
 * `GET /session`, which a proxy asks as gatekeeper: what the application behind it learns, and where browsers are
 * redirected.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseUnavailable } from "../../db/errors.ts";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "Anna.Smith@example.com", PASSWORD = "correct horse battery";
const HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async function logIn(service: Service, email = EMAIL): Promise<string> {
  await service.register(email, PASSWORD);
  return await service.logIn(email, PASSWORD);
}

/** Changes the user's name and returns the header made from it. */
async function remoteName(service: Service, session: string, name: string): Promise<string | null> {
  const changed = await service.request("PATCH", "/account", { json: { name }, session });
  assert.equal(changed.status, 200, await changed.text());
  return (await service.request("GET", "/session", { session })).headers.get("remote-name");
}

test("GET /session answers 200 with the user's id and address, for GET and HEAD", async (service) => {
  const session = await logIn(service);
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users");
  for (const method of ["GET", "HEAD"]) {
    const response = await service.request(method, "/session", { session });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("remote-user"), id);
    assert.equal(response.headers.get("remote-email"), EMAIL);
    assert.equal(response.headers.get("remote-name"), null, "nobody said what she is called");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(response.headers.getSetCookie(), []);
    assert.equal(await response.text(), method === "GET" ? "{}" : "");
  }
});

test("GET /session answers 401 without a session and names nobody, whatever the request", async (service) => {
  const ended = await logIn(service);
  assert.equal((await service.request("DELETE", "/sessions", { session: ended })).status, 302);
  const headers = { "remote-user": "root", "x-forwarded-uri": "/wiki", "x-original-uri": "/wiki" };
  for (const session of [undefined, ended, "", "x", "null", "A".repeat(43)]) {
    for (const path of ["/session", "/session?login=0", "/session?login=1", `/session?session_id=${ended}`]) {
      for (const accept of [HTML, "*/*", "application/json"]) {
        if (path.endsWith("login=1") && accept === HTML) continue;
        const response = await service.request("GET", path, { session, headers: { ...headers, accept } });
        assert.equal(response.status, 401, `${path} with ${session}`);
        assert.equal(response.headers.get("error-code"), "not_logged_in");
        assert.equal(response.headers.get("cache-control"), "no-store");
        assert.equal(response.headers.get("location"), null);
        for (const name of ["remote-user", "remote-email", "remote-name"]) {
          assert.equal(response.headers.get(name), null);
        }
        assert.deepEqual(await response.json(), { message: "not logged in" });
      }
    }
  }
});

test("S40: GET /session refuses a session right after its logout, on every instance", async (service) => {
  const session = await logIn(service);
  const other = await service.another();
  assert.equal((await other.request("GET", "/session", { session })).status, 200);
  assert.equal((await service.request("DELETE", "/sessions", { session })).status, 302);
  for (const one of [service, other]) assert.equal((await one.request("GET", "/session", { session })).status, 401);
});

test("S41: GET /session counts as a use and extends the session up to its absolute end", async (service) => {
  const session = await logIn(service);
  const day = 24 * 60 * 60_000;
  for (let days = 6; days < 30; days += 6) {
    service.clock.now += 6 * day;
    assert.equal((await service.request("GET", "/session", { session })).status, 200, `${days} days later`);
  }
  service.clock.now += 6 * day;
  assert.equal((await service.request("GET", "/session", { session })).status, 401);
});

test("GET /session reads only the cookie of its profile", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [mail] = await service.mails();
  assert.equal((await service.send("PUT", "/verify_email", { verification_token: mail.token }))[0], 200);
  const login = await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } });
  const session = sessionOf(login)!;
  const ask = async (cookie: string, path = "/session", authorization = "") =>
    (await service.request("GET", path, { headers: { cookie, authorization } })).status;
  assert.equal(await ask(`__Host-session_id=${session}`), 200);
  assert.equal(await ask(`session_id=${session}`), 401);
  assert.equal(await ask(`__Host-session_id=${session}; __Host-session_id=${session}`), 401);
  assert.equal(await ask("", `/session?__Host-session_id=${session}`), 401);
  assert.equal(await ask("", "/session", `Bearer ${session}`), 401);
}, PUBLIC_SETTINGS);

test("Remote-Name is printable ASCII that decodes to the user's name", async (service) => {
  const session = await logIn(service);
  const names: [string, string][] = [
    ["Anna Smith", "Anna Smith"],
    ["Smith, Anna (she)", "Smith, Anna (she)"],
    ["100% Anna", "100%25 Anna"],
    ["Zoë", "Zo%C3%AB"],
    ["安娜", "%E5%AE%89%E5%A8%9C"],
    ["\u{1f600}", "%F0%9F%98%80"],
    [" Anna ", "%20Anna%20"],
    ["a%0d%0aRemote-User: root", "a%250d%250aRemote-User: root"],
    ['"><script>', '"><script>'],
    ["\u00e4".repeat(100), "%C3%A4".repeat(100)],
  ];
  for (const [name, expected] of names) {
    const header = await remoteName(service, session, name);
    assert.equal(header, expected);
    assert.equal(decodeURIComponent(header!), name);
  }
  assert.equal(await remoteName(service, session, ""), null, "a name that was taken away");
});

test("control characters in a stored name cannot end the header line", async (service) => {
  const session = await logIn(service);
  await service.rows("UPDATE users SET name = $1", "Anna\r\nRemote-User: root\t\u0085");
  const response = await service.request("GET", "/session", { session });
  assert.equal(response.headers.get("remote-name"), "Anna%0D%0ARemote-User: root%09%C2%85");
  assert.notEqual(response.headers.get("remote-user"), "root");
});

test("Remote-Email has the domain in ASCII, also when it was typed in other letters", async (service) => {
  const session = await logIn(service, "Anna@bücher.example");
  const response = await service.request("GET", "/session", { session });
  assert.equal(response.headers.get("remote-email"), "Anna@xn--bcher-kva.example");
});

/** The headers of a proxy that name the requested page, and the return path that follows from them. */
const PAGES: [Record<string, string>, string | undefined][] = [
  [{}, undefined],
  [{ "x-forwarded-uri": "/wiki" }, "/wiki"],
  [{ "x-forwarded-uri": "/wiki?page=a%20b&next=//c" }, "/wiki?page=a%20b&next=//c"],
  [{ "x-original-uri": "/wiki" }, "/wiki"],
  [{ "x-forwarded-uri": "/caddy", "x-original-uri": "/nginx" }, "/caddy"],
  [{ "x-forwarded-uri": "/" }, "/"],
  ...[
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%0d%0a/..//evil.example",
    "/\tevil",
    "/a b",
    "/ü",
    "wiki",
    "",
    "@evil.example",
    "/" + "a".repeat(7_500),
  ].map((uri): [Record<string, string>, undefined] => [{ "x-forwarded-uri": uri }, undefined]),
];

test("S62, V04: with login=1 a browser is redirected to the login page, with a return path on this host only", async (service) => {
  for (const [headers, expected] of PAGES) {
    const response = await service.request("GET", "/session?login=1", { headers: { ...headers, accept: HTML } });
    const label = JSON.stringify(headers);
    assert.equal(response.status, 302, label);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const location = new URL(response.headers.get("location")!, "https://accounts.example.com");
    assert.equal(location.origin + location.pathname, "https://accounts.example.com/login", label);
    assert.deepEqual([...location.searchParams], expected === undefined ? [] : [["return_to", expected]], label);
  }
});

test("GET /session runs the same statements as GET /profile, and none for a malformed cookie", async (service) => {
  const session = await logIn(service);
  const cost = async (path: string, cookie: string | undefined): Promise<number> => {
    let count = 0;
    const { db } = service.auth;
    const { lookUp } = db;
    db.lookUp = (...call) => {
      count++;
      return lookUp.apply(db, call) as never;
    };
    await service.request("GET", path, { session: cookie });
    db.lookUp = lookUp;
    return count;
  };
  for (const path of ["/session", "/profile"]) {
    assert.deepEqual(
      [await cost(path, session), await cost(path, "A".repeat(43)), await cost(path, "A"), await cost(path, undefined)],
      [1, 1, 0, 0],
      path,
    );
  }
});

test("V46: GET /session answers 503 while the database is away, never 200 or a redirect", async (service) => {
  const session = await logIn(service);
  const { db } = service.auth;
  const { lookUp } = db;
  db.lookUp = () => Promise.reject(new DatabaseUnavailable("it is away", undefined));
  const response = await service.request("GET", "/session?login=1", { session, headers: { accept: HTML } });
  db.lookUp = lookUp;
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("remote-user"), null);
  assert.notEqual(response.headers.get("retry-after"), null);
});
