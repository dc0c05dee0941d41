/**
 * The answers to a supervisor and a load balancer, also while the database is away or the service stops.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openAuth } from "../../auth/open.ts";
import { createApp } from "../../routes/app.ts";
import { dataFolder, startService, statusOf } from "../kit/process/started_service.ts";
import { test, testConfig } from "../kit/service.ts";

test("GET /healthz and GET /readyz answer 200 when nothing is wrong", async ({ send }) => {
  assert.deepEqual(await send("GET", "/healthz"), [200, { status: "ok" }]);
  assert.deepEqual(await send("GET", "/readyz"), [200, { status: "ready" }]);
});

test("/readyz answers 200 when a newer instance has migrated the schema, so versions can be replaced one by one", async (service) => {
  await service.rows("INSERT INTO migrations (name, applied_at) VALUES ('9999_later', 1)");
  assert.equal((await service.send("GET", "/readyz"))[0], 200);
});

test("with an older schema /readyz answers 503 and /healthz answers 200", async ({ send, rows }) => {
  const [{ name }] = await rows("DELETE FROM migrations WHERE name LIKE '0008%' RETURNING name");
  const [{ name: newest }] = await rows("SELECT name FROM migrations ORDER BY name DESC LIMIT 1");
  await rows("DELETE FROM migrations WHERE name > '0001_users' RETURNING name");
  assert.ok(String(name) > "0001_users" && String(newest) > "0001_users");
  assert.equal((await send("GET", "/readyz"))[0], 503);
  assert.deepEqual(await send("GET", "/healthz"), [200, { status: "ok" }]);
});

Deno.test("without its database /healthz answers 200 and /readyz an error", async () => {
  const log = { write: () => {}, writeRequest: () => {}, flush: () => {} };
  const auth = await openAuth(testConfig({}), { folder: "/tmp", log });
  const app = createApp(auth);
  await auth.db.close();
  // Drivers report a closed database differently, but the answer must never be a success.
  const ready = await app.request("/readyz");
  assert.ok(ready.status >= 500, String(ready.status));
  assert.equal((await app.request("/healthz")).status, 200);
});

test("F18: once told to stop, /readyz answers 503 with its own code, and other endpoints still work", async (service) => {
  service.auth.stopping = true;
  const response = await service.request("GET", "/readyz");
  assert.deepEqual([response.status, response.headers.get("error-code")], [503, "stopping"]);
  assert.notEqual(response.headers.get("retry-after"), null);
  await response.body?.cancel();
  assert.equal((await service.send("GET", "/healthz"))[0], 200);
  await service.register("guillaume@holberton.io", "b4l0u");
});

Deno.test("F18: a public service that is told to stop first fails /readyz, still serves, then exits with 0", async () => {
  await using data = await dataFolder({
    PUBLIC_URL: "http://localhost:5000",
    HOST: "127.0.0.1",
    MAIL_URL: "smtp://127.0.0.1:9",
    MAIL_FROM: "a@b.cd",
    WORKERS: "2",
  });
  await using service = await startService(data.options);
  assert.equal(await statusOf(service.send("GET", "/readyz")), 200);
  service.signal("SIGTERM");
  // A connection may reach either worker; both must answer 503 before a connection is refused.
  let refusals = 0;
  for (let asked = 0; refusals < 4; asked++) {
    assert.ok(asked < 1_000, "nobody said no");
    refusals += await statusOf(service.send("GET", "/readyz")) === 503 ? 1 : 0;
  }
  assert.equal(await statusOf(service.send("GET", "/")), 200);
  assert.equal((await service.ended).code, 0);
  await assert.rejects(service.send("GET", "/readyz"), TypeError);
});
