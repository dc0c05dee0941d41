/**
 * Pages of other origins: only those in TRUSTED_ORIGINS may call the service with the user's cookies.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "correct horse 9";
const APP = "https://app.example.com", DEV = "http://localhost:3000";
const SETTINGS = { TRUSTED_ORIGINS: `${APP}, ${DEV}` };

function shared(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("access-control-")));
}

const READABLE = (origin: string): Record<string, string> => ({
  "access-control-allow-origin": origin,
  "access-control-allow-credentials": "true",
  "access-control-expose-headers": "error-code, retry-after, x-request-id",
});

async function assertTrusted(service: Service, origin: string): Promise<void> {
  const headers = { origin, "sec-fetch-site": "same-site" };
  const login = await service.request("POST", "/sessions", { headers, form: { email: EMAIL, password: PASSWORD } });
  assert.equal(login.status, 200, origin);
  const session = sessionOf(login);
  const answers: [number, Response][] = [
    [200, login],
    [200, await service.request("GET", "/profile", { headers, session })],
    [403, await service.request("GET", "/profile", { headers })],
    [404, await service.request("GET", "/nowhere", { headers })],
    [405, await service.request("GET", "/users", { headers })],
    [400, await service.request("POST", "/users", { headers })],
    [302, await service.request("DELETE", "/sessions", { headers, session })],
  ];
  for (const [status, response] of answers) {
    assert.equal(response.status, status, origin);
    assert.deepEqual(shared(response), READABLE(origin), `${status} to ${origin}`);
    assert.equal(response.headers.get("vary"), "origin");
    assert.equal(response.headers.get("cross-origin-resource-policy"), "same-origin");
  }
}

test("S67: a trusted origin may send requests and read answers, with cookies, also refusals", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const origin of [APP, DEV]) await assertTrusted(service, origin);
  // A browser without Sec-Fetch-Site sends only Origin.
  const old = await service.request("POST", "/sessions", {
    headers: { origin: APP },
    form: { email: EMAIL, password: PASSWORD },
  });
  assert.equal(old.status, 200);
}, SETTINGS);

test("S67: a preflight of a trusted origin answers 204 and names what may be sent, on every path", async (service) => {
  for (const path of ["/", "/sessions", "/profile", "/password", "/nowhere"]) {
    const headers = {
      origin: APP,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "content-type",
    };
    const response = await service.request("OPTIONS", path, { headers });
    assert.deepEqual([response.status, await response.text()], [204, ""], path);
    assert.deepEqual(shared(response), {
      ...READABLE(APP),
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "content-type, x-request-id",
      "access-control-max-age": "600",
    });
    assert.equal(response.headers.get("vary"), "origin");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
  }
  const plain = await service.request("OPTIONS", "/profile", { headers: { origin: APP } });
  assert.equal(plain.status, 405, "an OPTIONS that asks for nothing");
}, SETTINGS);

const OTHERS = [
  "https://evil.example",
  "null",
  "",
  "*",
  "http://app.example.com",
  "https://app.example.com/",
  "https://app.example.com:443",
  "https://app.example.com:8443",
  "https://APP.example.com",
  "https://app.example.com.evil.example",
  "https://evil-app.example.com",
  "https://x.app.example.com",
  "https://app.example.com@evil.example",
  "https://app.example.com, https://evil.example",
  "http://localhost:3001",
  "http://127.0.0.1:3000",
];

test("S67, S65: every other origin is refused and never repeated in an answer", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  for (const origin of OTHERS) {
    for (const site of ["cross-site", "same-site", undefined]) {
      const headers = { origin, ...(site !== undefined && { "sec-fetch-site": site }) };
      const responses = [
        await service.request("DELETE", "/sessions", { headers, session }),
        await service.request("GET", "/profile", { headers, session }),
        await service.request("OPTIONS", "/profile", {
          headers: { ...headers, "access-control-request-method": "PUT" },
        }),
      ];
      assert.deepEqual(responses.map((response) => response.status), [403, 200, 405], `${site} ${origin}`);
      for (const response of responses) {
        assert.deepEqual(shared(response), {}, `${site} ${origin}`);
        assert.equal(response.headers.get("vary"), "origin");
      }
    }
  }
  const [profile] = await service.send("GET", "/profile", undefined, session);
  assert.equal(profile, 200, "nobody ended the session");
}, SETTINGS);

test("S67: a request without Origin is refused unless it comes from the same origin", async (service) => {
  for (const site of ["cross-site", "same-site", "", "none, same-origin"]) {
    const response = await service.request("POST", "/sessions", { headers: { "sec-fetch-site": site } });
    assert.equal(response.headers.get("error-code"), "origin_refused", site);
  }
}, SETTINGS);

test(
  "S67: in public the trusted and the own origins may send requests, localhost may not",
  async (service) => {
    const answered = async (origin: string) =>
      (await service.request("POST", "/sessions", { headers: { origin } })).status;
    assert.equal(await answered("https://accounts.example.com"), 400);
    assert.equal(await answered(APP), 400);
    for (const origin of ["http://localhost:5000", "http://accounts.example.com", "https://example.com"]) {
      assert.equal(await answered(origin), 403, origin);
    }
  },
  { ...PUBLIC_SETTINGS, ...SETTINGS },
);

test("S67: without trusted origins no answer has CORS headers, and a preflight answers 405", async (service) => {
  const own = { origin: "http://localhost:5000", host: "localhost:5000" };
  for (const headers of [{}, { origin: APP }, own] as Record<string, string>[]) {
    for (const method of ["GET", "OPTIONS"]) {
      const more = { "access-control-request-method": "PUT", ...headers };
      const response = await service.request(method, "/", { headers: more });
      assert.equal(response.status, method === "GET" ? 200 : 405);
      assert.deepEqual([shared(response), response.headers.get("vary")], [{}, null]);
    }
  }
});
