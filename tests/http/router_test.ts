/**
 * Hono's router. One regular expression finds a route, unless one pair of paths is beyond it: then Hono takes a slower
 * router for all of them, and says nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const ORIGINS = { TRUSTED_ORIGINS: "https://app.example.com" };
const SERVICES: Record<string, Record<string, string>> = {
  local: {},
  "local, with trusted origins": ORIGINS,
  "local, with mail and without the mailbox": { MAIL_URL: "smtp://localhost:25", MAIL_FROM: "a@example.com" },
  public: PUBLIC_SETTINGS,
  "public, with trusted origins": { ...PUBLIC_SETTINGS, ...ORIGINS },
};

for (const [name, settings] of Object.entries(SERVICES)) {
  test(`one regular expression finds the route of a request: ${name}`, async ({ auth }) => {
    const app = createApp(auth);
    await app.request("/healthz", { headers: { host: "localhost" } });
    assert.equal(app.router.name, "SmartRouter + RegExpRouter");
  }, settings);
}

/** What the log says of this request: its route, status and error code. */
async function logged(service: Service, method: string, path: string, session?: string): Promise<unknown[]> {
  service.logged.length = 0;
  await service.request(method, path, { session });
  const { route, status, error_code } = service.logged.at(-1)!;
  return [route, status, error_code];
}

test("the two requests of one route: others and an id, however they are written", async (service) => {
  const email = "bob@example.com";
  await service.register(email, "b4l0u");
  const mine = await service.logIn(email, "b4l0u");
  const end = async (path: string) => {
    const other = await service.logIn(email, "b4l0u");
    const line = await logged(service, "DELETE", path, mine);
    return [...line, (await service.send("GET", "/profile", undefined, other))[0]];
  };
  for (const path of ["/sessions/others", "/sessions/others/", "/sessions/oth%65rs", "/sessions/others?id=1"]) {
    assert.deepEqual(await end(path), ["/sessions/:id", 200, undefined, 403], path);
  }
  for (const path of ["/sessions/Others", "/sessions/others%20", "/sessions/oth%2565rs", "/sessions/x"]) {
    assert.deepEqual(await end(path), ["/sessions/:id", 404, "unknown_session", 200], path);
  }
  for (const path of ["/sessions/others/x", "/sessions/x/others", "/sessions//others"]) {
    assert.deepEqual(await end(path), [null, 404, "not_found", 200], path);
  }
  assert.deepEqual(await logged(service, "GET", "/sessions/others", mine), [null, 405, "method_not_allowed"]);
});
