/**
 * The methods that each path supports, and the answers to the others.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ENDPOINTS } from "../../routes/docs/endpoints.ts";
import { test } from "../kit/service.ts";

/** Pages for people, which are not described to programs. */
const PAGES: Record<string, string[]> = {
  "/docs": ["GET"],
  "/undo": ["GET"],
  "/reopen": ["GET"],
  "/login": ["GET", "POST"],
  "/logout": ["POST"],
  "/undo/confirm": ["GET", "POST"],
  "/account/profile": ["GET", "POST"],
};
/** Every described path and every page; a path that answers GET also answers HEAD. */
const ROUTES: Record<string, string[]> = {};
for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
  const asked = method === "HEAD" ? "GET" : method;
  const described = ENDPOINTS.filter((each) => each.method === asked).map(({ path }) => path.replace(":id", "01a2"));
  const read = Object.keys(PAGES).filter((path) => PAGES[path].includes(asked));
  for (const path of new Set([...described, ...read])) (ROUTES[path] ??= []).push(method);
}
/** The Fetch standard forbids TRACE and CONNECT; sockets_test.ts sends them. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "Post", "X"];

test("S68: an unsupported method answers 405 with Allow, on every path, with and without a trailing slash", async ({ request }) => {
  for (const [path, allowed] of Object.entries(ROUTES)) {
    for (const method of METHODS) {
      for (const variant of path === "/" ? [path] : [path, `${path}/`]) {
        const response = await request(method, variant);
        // The Fetch standard makes these two upper-case itself.
        const known = allowed.includes(["get", "Post"].includes(method) ? method.toUpperCase() : method);
        assert.equal(response.status !== 405, known, `${method} ${variant}`);
        if (known) {
          assert.notEqual(response.status, 404, `${method} ${variant}`);
          assert.equal(response.headers.get("allow"), null, `${method} ${variant}`);
          continue;
        }
        assert.equal(response.headers.get("allow"), allowed.join(", "), `${method} ${variant}`);
        assert.equal(response.headers.get("error-code"), "method_not_allowed");
      }
    }
  }
});

test("S68: an unknown path answers 404 to every method", async ({ request }) => {
  for (const method of METHODS) {
    for (const path of ["/nowhere", "/users/1", "/profile.json", "/admin", "/index.html", "/.git/config"]) {
      const response = await request(method, path);
      assert.deepEqual([response.status, response.headers.get("allow")], [404, null], `${method} ${path}`);
    }
  }
});

test("S68: HEAD answers like GET, with the same headers and no body", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const session = await service.logIn("bob@example.com", "b4l0u");
  const cases: [string, string | undefined][] = [
    ["/", undefined],
    ["/profile", undefined],
    ["/profile", session],
    ["/nowhere", undefined],
    ["/users", undefined],
  ];
  for (const [path, cookie] of cases) {
    const get = await service.request("GET", path, { session: cookie });
    const head = await service.request("HEAD", path, { session: cookie });
    const body = await get.bytes();
    assert.equal(head.status, get.status, path);
    assert.equal(await head.text(), "", path);
    const headers = Object.fromEntries(get.headers);
    assert.deepEqual(Object.fromEntries(head.headers), {
      ...headers,
      "x-request-id": head.headers.get("x-request-id"),
      "content-length": String(body.length),
    }, path);
  }
});

test("V02, V36: no other spelling of a path bypasses the checks of its handler", async ({ request, rows }) => {
  const spellings = [
    "//users",
    "/users//",
    "/USERS",
    "/Users",
    "/users;x=1",
    "/users.json",
    "/users%2f",
    "/users%00",
    "/users%20",
    "/x%2f..%2fusers",
    "/%2fusers",
  ];
  for (const path of spellings) {
    const response = await request("POST", path, { form: { email: "bob@example.com", password: "b4l0u" } });
    assert.equal(response.status, 404, path);
  }
  // By RFC 3986 and the URL standard these are spellings of the same path, and they meet the same checks.
  for (const path of ["/users\\", "/./users", "/x/../users", "/%75sers", "/users?x=1", "/users#x"]) {
    const headers = { origin: "https://evil.example" };
    const response = await request("POST", path, { form: { email: "bob@example.com", password: "b4l0u" }, headers });
    assert.equal(response.status, 403, path);
  }
  assert.deepEqual(await rows("SELECT id FROM users"), []);
});

test("F16: no path causes a fault", async ({ request, logged }) => {
  const paths = [
    "/%",
    "/%zz",
    "/%ff",
    "/%00",
    "/%c0%af",
    "/%ed%a0%80",
    "/" + "%2e".repeat(500),
    "/" + "a/".repeat(2_000),
    "/\ufeff",
    "/e" + encodeURIComponent("\u0301".repeat(1_000)),
    "/:path",
    "/*",
    "/__proto__",
    "/constructor",
    "/profile?" + "a=b&".repeat(2_000),
    "/profile?%zz=%ff",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const { status } = await request(method, path);
      assert.ok([403, 404, 405].includes(status), `${method} ${path.slice(0, 40)}: ${status}`);
    }
  }
  assert.deepEqual(logged.filter((entry) => entry.level !== undefined), []);
});
