/**
 * The metrics for Prometheus: what they count, that they are the sum over all workers, and who can read them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { HashQueue } from "../../auth/runtime/hash_queue.ts";
import { Metrics, newMetricsMemory, RequestCounts } from "../../auth/runtime/metrics.ts";
import { createApp } from "../../routes/app.ts";
import { ERROR_CODES } from "../../routes/http/errors.ts";
import { metricsText } from "../../routes/server/metrics.ts";
import { readMetrics } from "../kit/metrics_text.ts";
import { dataFolder, logIn, register, startInVain, startService, statusOf } from "../kit/process/started_service.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "canary-address@example.com", PASSWORD = "canary-password";

/** The metrics of a service in this process, by name and labels. */
async function figures({ auth }: Service): Promise<Map<string, number>> {
  const counts = new RequestCounts(auth.metrics, ERROR_CODES);
  createApp(auth, counts);
  return readMetrics(await metricsText(auth, counts));
}

test("requests are counted by route, method and status, with their duration", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  for (let count = 0; count < 3; count++) await service.send("GET", "/profile", undefined, session);
  await service.send("GET", "/profile");
  await service.request("HEAD", "/profile");
  await service.request("DELETE", "/sessions/01970000-0000-7000-8000-000000000000", { session });
  await service.send("GET", "/nowhere");
  await service.request("PROPFIND", "/users");
  const seen = await figures(service);
  const requests = (labels: string) => seen.get(`bienvenue_http_requests_total{${labels}}`);
  assert.equal(requests('method="GET",route="/profile",status="200"'), 3);
  assert.equal(requests('method="GET",route="/profile",status="403"'), 1);
  assert.equal(requests('method="HEAD",route="/profile",status="403"'), 1);
  assert.equal(requests('method="DELETE",route="/sessions/:id",status="404"'), 1);
  assert.equal(requests('method="GET",route="none",status="404"'), 1);
  assert.equal(requests('method="other",route="none",status="405"'), 1);
  const times = "bienvenue_http_request_duration_seconds";
  assert.equal(seen.get(`${times}_count{method="GET",route="/profile"}`), 4);
  assert.equal(seen.get(`${times}_bucket{method="GET",route="/profile",le="+Inf"}`), 4);
  assert.ok(seen.get(`${times}_sum{method="GET",route="/profile"}`)! > 0);
  assert.equal(seen.get('bienvenue_refusals_total{code="no_session"}'), 2);
  assert.equal(seen.get('bienvenue_refusals_total{code="unknown_session"}'), 1);
});

test("sessions, hashes, throttled guesses and database calls are counted", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const before = await figures(service);
  await service.send("GET", "/profile", undefined, session);
  await service.send("GET", "/profile", undefined, "e".repeat(43));
  await service.send("GET", "/profile", undefined, "garbage");
  await service.send("GET", "/profile");
  for (let count = 0; count < 12; count++) await service.send("POST", "/sessions", { email: EMAIL, password: "x" });
  const seen = await figures(service);
  const grown = (name: string) => seen.get(name)! - before.get(name)!;
  assert.equal(grown('bienvenue_sessions_checked_total{result="valid"}'), 1);
  assert.equal(grown('bienvenue_sessions_checked_total{result="invalid"}'), 2, "no cookie is no check");
  const hashes = grown('bienvenue_hashes_total{result="done"}'), throttled = grown("bienvenue_throttled_total");
  assert.ok(throttled > 0);
  assert.equal(throttled, grown('bienvenue_refusals_total{code="throttled"}'));
  assert.equal(hashes + throttled, 12);
  assert.equal(seen.get('bienvenue_hashes{state="running"}'), 0);
  assert.ok(grown("bienvenue_database_duration_seconds_count") >= 2);
  assert.equal(grown("bienvenue_database_errors_total"), 0);
  assert.ok(seen.get("process_resident_memory_bytes")! > 1e6);
});

test("a full hash queue is counted as refused", async (service) => {
  const hold = Promise.withResolvers<string>();
  const hashQueue = new HashQueue({ most: 1, bcrypt: () => hold.promise, metrics: service.auth.metrics });
  const all = Array.from({ length: 131 }, () => hashQueue.hash("x", "$2b$04$BienvenueBienvenueBieu").catch(() => {}));
  const seen = await figures({ ...service, auth: { ...service.auth, hashQueue } });
  assert.equal(seen.get('bienvenue_hashes{state="running"}'), 1);
  assert.equal(seen.get('bienvenue_hashes{state="waiting"}'), 128);
  assert.equal(seen.get('bienvenue_hashes_total{result="refused"}'), 2);
  hold.resolve("$2b$04$" + "x".repeat(53));
  await Promise.all(all);
  // The queue's own timers end with its last turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
});

test("waiting mails are counted with the age of the oldest, and not once they are sent", async (service) => {
  await service.send("POST", "/users", { email: EMAIL, password: PASSWORD });
  await service.send("POST", "/users", { email: `b-${EMAIL}`, password: PASSWORD });
  service.clock.now += 90_000;
  const seen = await figures(service);
  assert.equal(seen.get("bienvenue_mails_waiting"), 2);
  assert.equal(seen.get("bienvenue_mails_oldest_seconds"), 90);
  await service.mails();
  assert.equal((await figures(service)).get("bienvenue_mails_waiting"), 0);
}, PUBLIC_SETTINGS);

test("without the database all metrics except the mails are available", async (service) => {
  await service.rows("ALTER TABLE events RENAME TO events_away");
  try {
    const seen = await figures(service);
    assert.equal(seen.has("bienvenue_mails_waiting"), false);
    assert.ok(seen.has("bienvenue_database_errors_total"));
  } finally {
    await service.rows("ALTER TABLE events_away RENAME TO events");
  }
});

test("the metrics contain nothing about a user", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  await service.request("GET", `/profile/canary-path?canary-query`, { session, headers: { "user-agent": "canary" } });
  const counts = new RequestCounts(service.auth.metrics, ERROR_CODES);
  createApp(service.auth, counts);
  const text = await metricsText(service.auth, counts);
  const [{ id }] = await service.rows("SELECT id FROM users");
  for (const secret of ["canary", session, String(id), "127.0.0.1"]) assert.ok(!text.includes(secret), secret);
});

Deno.test("each worker has its own counters, and each worker can add up all", () => {
  const memory = newMetricsMemory(3);
  const workers = [0, 1, 2].map((index) => new Metrics(memory, index));
  workers.forEach((metrics, index) => {
    for (let count = 0; count <= index; count++) metrics.add(7);
    metrics.time(100, 3);
  });
  for (const metrics of workers) assert.deepEqual([metrics.sum(7), metrics.sum(103), metrics.sum(100)], [6, 3, 0]);
});

Deno.test("GET /metrics is served on its own port only, and adds up both workers", async () => {
  await using data = await dataFolder({ WORKERS: "2", METRICS_PORT: "0" });
  await using service = await startService(data.options);
  const metrics = /^ {2}metrics: {2}(http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(service.output.stderr)![1];
  assert.equal(await statusOf(service.send("GET", "/metrics")), 404, "the listener for strangers has none");
  await register(service, EMAIL, PASSWORD);
  const session = await logIn(service, EMAIL, PASSWORD);
  // A new connection each time, so that both workers get some.
  const { port } = new URL(service.url);
  for (let count = 0; count < 60; count++) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const request =
      `GET /profile HTTP/1.1\r\nHost: localhost\r\nCookie: session_id=${session}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    while (await connection.read(new Uint8Array(4096)) !== null);
  }
  const answer = await fetch(metrics);
  assert.match(answer.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const seen = readMetrics(await answer.text());
  assert.equal(seen.get('bienvenue_http_requests_total{method="GET",route="/profile",status="200"}'), 60);
  assert.equal(seen.get('bienvenue_sessions_checked_total{result="valid"}'), 60);
  assert.equal(seen.get("bienvenue_workers"), 2);
  assert.ok(seen.get("bienvenue_event_loop_delay_seconds_count")! > 0);
  // This port answers nothing else, and refuses other host names.
  assert.equal(await statusOf(fetch(new URL("/profile", metrics))), 404);
  assert.equal(await statusOf(fetch(metrics, { method: "POST" })), 405);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(metrics).port) });
  await connection.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  const start = new Uint8Array(12);
  await connection.read(start);
  assert.equal(new TextDecoder().decode(start), "HTTP/1.1 403");
});

Deno.test("a METRICS_PORT in use, or equal to PORT, ends the start with a message", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String((other.addr as Deno.NetAddr).port);
  await using data = await dataFolder({ METRICS_PORT: port });
  assert.match((await startInVain(data.options)).stderr, /METRICS_PORT: cannot listen on 127\.0\.0\.1:\d+/);
  const same = await startInVain({ ...data.options, env: { ...data.options.env, PORT: port } });
  assert.match(same.stderr, /METRICS_PORT: must not be PORT/);
});
