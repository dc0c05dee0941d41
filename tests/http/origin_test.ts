/**
 * Other sites and other host names: requests that they make a browser send change nothing, and programs that are no
 * browsers keep working.
 *
 * @module
 */
import assert from "node:assert/strict";
import { UNSAFE_METHODS } from "../../routes/http/origin.ts";
import { servedRequests } from "../kit/served_requests.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";
const FOREIGN_ORIGINS = [
  "null",
  "",
  "https://evil.example",
  "http://evil.example",
  "http://localhost.evil.example:5000",
  "http://evil.example:5000",
  "http://localhost:5001",
  "http://localhost",
  "https://localhost:5000",
  "http://localhost:5000.evil.example",
  "http://localhost:5000@evil.example",
  "http://evil.example#http://localhost:5000",
  "http://127.0.0.1.nip.example:5000",
  "http://127.0.0.2:5000",
  "http://[::2]:5000",
  "http://localhost:5000/",
  "http://localhost:5000, http://evil.example",
  "localhost:5000",
  "file://",
  "chrome-extension://abc",
];
const OWN_ORIGINS = ["http://localhost:5000", "http://127.0.0.1:5000", "http://0.0.0.0:5000", "http://[::1]:5000"];
/** Known ways around checks of the content type (hono CVE-2024-43787, CVE-2024-48913). */
const TYPES = [
  "application/x-www-form-urlencoded",
  "APPLICATION/X-WWW-FORM-URLENCODED",
  "application/json",
  "multipart/form-data; boundary=X",
  "text/plain",
  "text/plain;a=",
  "",
  undefined,
];
const UNSAFE: [string, string][] = [
  ["POST", "/users"],
  ["POST", "/sessions"],
  ["DELETE", "/sessions"],
  ["POST", "/reset_password"],
  ["PUT", "/reset_password"],
  ["DELETE", "/"],
  ["PATCH", "/profile"],
  ["POST", "/nowhere"],
];

interface Case {
  method: string;
  path: string;
  origin?: string;
  site?: string;
  type?: string;
  session?: string;
  host?: string;
}

function call(service: Service, given: Case): Promise<Response> {
  const headers: Record<string, string> = { host: given.host ?? "localhost:5000" };
  if (given.origin !== undefined) headers.origin = given.origin;
  if (given.site !== undefined) headers["sec-fetch-site"] = given.site;
  if (given.type !== undefined) headers["content-type"] = given.type;
  const body = new TextEncoder().encode(`email=${EMAIL}&password=${PASSWORD}`);
  const bodiless = given.method === "GET" || given.method === "HEAD" || given.type === undefined;
  return service.request(given.method, given.path, {
    headers,
    ...(!bodiless && { body }),
    ...(given.session !== undefined && { session: given.session }),
  });
}

async function assertRefused(service: Service, given: Case): Promise<void> {
  const response = await call(service, given);
  const code = response.headers.get("error-code");
  assert.deepEqual([response.status, code], [403, "origin_refused"], JSON.stringify(given));
}

async function assertPasses(service: Service, given: Case): Promise<void> {
  const response = await call(service, given);
  assert.notEqual(response.headers.get("error-code"), "origin_refused", JSON.stringify(given));
}

test("S65, V28: a request that another site makes a browser send is refused, whatever its type and path", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const foreign = [
    ...FOREIGN_ORIGINS.map((origin) => ({ origin })),
    ...["cross-site", "same-site", "", "SAME-ORIGIN", "garbage"].map((site) => ({ site })),
    { site: "cross-site", origin: "http://localhost:5000" },
    { site: "same-site", origin: "null" },
  ];
  for (const sender of foreign) {
    for (const [method, path] of UNSAFE) {
      for (const given of [{}, { session }]) await assertRefused(service, { method, path, ...sender, ...given });
    }
  }
  for (const type of TYPES) {
    for (const sender of [{ origin: "https://evil.example" }, { origin: "null" }, { site: "cross-site" }]) {
      await assertRefused(service, { method: "POST", path: "/sessions", type, ...sender });
    }
  }
  assert.equal(
    (await service.send("GET", "/profile", undefined, session))[0],
    200,
    "the session was ended from outside",
  );
});

test("S65: another site cannot log its visitor in or register anybody", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const type = TYPES[0];
  const login = await call(service, { method: "POST", path: "/sessions", type, origin: "https://evil.example" });
  assert.deepEqual(login.headers.getSetCookie(), []);
  assert.deepEqual(await service.rows("SELECT id FROM sessions"), []);
});

test("S65: requests without these headers and requests of our own pages are accepted", async (service) => {
  const own = [
    {},
    ...OWN_ORIGINS.map((origin) => ({ origin })),
    { site: "same-origin" },
    { site: "none" },
    { site: "same-origin", origin: "http://localhost:5000" },
  ];
  for (const sender of own) {
    for (const [method, path] of UNSAFE) await assertPasses(service, { method, path, ...sender });
  }
  await assertPasses(service, { method: "DELETE", path: "/", host: "localhost", origin: "http://127.0.0.1" });
  await assertRefused(service, { method: "DELETE", path: "/", host: "localhost", origin: "http://127.0.0.1:5000" });
});

test("S65: safe methods are accepted from everywhere and change nothing", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const before = await service.rows("SELECT * FROM sessions");
  for (const path of ["/", "/users", "/sessions", "/profile", "/reset_password"]) {
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      await assertPasses(service, { method, path, session, origin: "https://evil.example", site: "cross-site" });
    }
  }
  assert.deepEqual(await service.rows("SELECT * FROM sessions"), before);
});

test("S67: no answer lets another origin read it", async (service) => {
  for (const origin of ["https://evil.example", "null", "http://localhost:5000"]) {
    for (const method of ["GET", "OPTIONS", "DELETE"]) {
      const response = await service.request(method, "/profile", {
        headers: { host: "localhost:5000", origin, "access-control-request-method": "PUT" },
      });
      const names = [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
      assert.deepEqual(names, [], `${method} from ${origin}`);
    }
  }
});

const OTHER_HOSTS = [
  "evil.example",
  "evil.example:5000",
  "localhost.evil.example",
  "localhost:5000.evil.example",
  "localhost.",
  "localhost@evil.example",
  "evil.example#localhost",
  "127.0.0.1.evil.example",
  "127.0.0.2",
  "127.1",
  "2130706433",
  "192.168.0.1:5000",
  "[::2]:5000",
  "[::ffff:127.0.0.1]",
  "::1",
  "localhost:",
  "localhost:x",
  "localhost:500000",
  "localhost, evil.example",
  "localhost/",
  "",
];

test("DNS rebinding: a foreign host name is refused on every path and method", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  for (const host of OTHER_HOSTS) {
    for (const [method, path] of [...UNSAFE, ["GET", "/"], ["GET", "/profile"], ["HEAD", "/nowhere"]]) {
      const response = await call(service, { method, path, host, session, site: "same-origin" });
      const code = response.headers.get("error-code");
      assert.deepEqual([response.status, code], [403, "host_refused"], `${method} ${path} for ${host}`);
    }
  }
  // In DNS rebinding the attacker's page is same-origin with its own name; forwarding headers must not replace that
  // name by ours.
  for (const name of ["x-forwarded-host", "forwarded", "x-host", "x-original-host"]) {
    const headers = { host: "evil.example:5000", [name]: name === "forwarded" ? "host=localhost" : "localhost" };
    assert.equal((await service.request("GET", "/profile", { headers, session })).status, 403, name);
  }
});

test("every name of this machine is accepted, with and without a port, and so is no name", async ({ request }) => {
  for (const name of ["localhost", "LocalHost", "127.0.0.1", "0.0.0.0", "[::1]"]) {
    for (const host of [name, `${name}:5000`, `${name}:1`]) {
      assert.equal((await request("GET", "/", { headers: { host } })).status, 200, host);
    }
  }
  assert.equal((await request("GET", "/")).status, 200);
});

for (const settings of [{}, PUBLIC_SETTINGS]) {
  const profile = "PUBLIC_URL" in settings ? "public" : "local";
  test(`S65: every route reads, or refuses a request of another site, in the ${profile} profile`, async (service) => {
    const routes = servedRequests(service.auth);
    const methods = new Set(routes.map(({ method }) => method));
    assert.deepEqual([...methods].filter((method) => method !== "GET").sort(), UNSAFE_METHODS.toSorted());
    for (const { method, path } of routes.filter(({ method }) => method !== "GET")) {
      const headers = { origin: "https://evil.example" };
      const response = await service.request(method, path.replace(":id", "1"), { headers });
      const code = response.headers.get("error-code");
      assert.deepEqual([response.status, code], [403, "origin_refused"], `${method} ${path}`);
    }
  }, settings);
}
