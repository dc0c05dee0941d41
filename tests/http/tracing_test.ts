/**
 * OpenTelemetry, switched on in Deno: a collector gets the patterns of routes and no URL, and a dead one delays only the
 * end of the process.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dataFolder, logIn, register, startService, statusOf } from "../kit/process/started_service.ts";

interface Span {
  name: string;
  kind: number;
  attributes: { key: string; value: { stringValue?: string } }[];
}

/**
 * Longer than any test. Deno 2.9.6 never ends when it exports metrics on time and exits at the same moment. It exports
 * them at the end too, whatever the interval.
 */
const ONLY_AT_THE_END = "3600000";

/** A collector on loopback that keeps everything it receives. */
function collect(): { url: string; texts: string[]; spans(): Span[]; stop(): Promise<void> } {
  const texts: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    texts.push(new URL(request.url).pathname + await request.text());
    return Response.json({});
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    texts,
    spans: () =>
      texts.filter((text) => text.startsWith("/v1/traces")).flatMap((text) =>
        JSON.parse(text.slice("/v1/traces".length)).resourceSpans
      ).flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans),
    stop: () => server.shutdown(),
  };
}

Deno.test("S71: spans contain the route's pattern, and neither query, path nor secret", async () => {
  const collector = collect();
  await using data = await dataFolder({
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
    OTEL_METRIC_EXPORT_INTERVAL: ONLY_AT_THE_END,
    WORKERS: "2",
  });
  try {
    const service = await startService(data.options);
    await register(service, "canary@example.com", "canary-password");
    const session = await logIn(service, "canary@example.com", "canary-password");
    await statusOf(service.send("GET", "/profile?token=canary-query", undefined, session));
    await statusOf(service.send("DELETE", "/sessions/canary-id?x=canary-query", undefined, session));
    await statusOf(service.send("GET", "/canary-nowhere?token=canary-query"));
    await statusOf(service.send("GET", "/users?token=canary-query"));
    assert.equal((await service.stop()).code, 0);
    const requests = collector.spans().filter(({ kind }) => kind === 2);
    assert.ok(requests.length >= 6);
    const names = requests.map(({ name }) => name);
    for (const name of ["POST /users", "POST /sessions", "GET /profile", "DELETE /sessions/:id", "GET"]) {
      assert.ok(names.includes(name), `${name}: ${names}`);
    }
    const profile = requests.find(({ name }) => name === "GET /profile")!;
    // All attributes as sent: when two have the same name, a collector may keep either.
    assert.deepEqual(profile.attributes.map(({ key, value }) => [key, value.stringValue]).sort(), [
      ["http.request.method", "GET"],
      ["http.response.status_code", "200"],
      ["http.route", "/profile"],
      ["url.scheme", "http"],
    ]);
    assert.ok(collector.texts.some((text) => text.startsWith("/v1/metrics")));
    for (const text of collector.texts) {
      for (const secret of ["canary", session]) {
        assert.ok(
          !text.includes(secret),
          `${secret} in ${text.slice(0, 100)}`,
        );
      }
    }
  } finally {
    await collector.stop();
  }
});

Deno.test("a collector that never answers delays the end of the process, after the database is closed", async () => {
  const asked = Promise.withResolvers<void>(), over = Promise.withResolvers<void>();
  const silent = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    asked.resolve();
    await over.promise;
    return new Response();
  });
  await using data = await dataFolder({
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${silent.addr.port}`,
    OTEL_METRIC_EXPORT_INTERVAL: ONLY_AT_THE_END,
    // The first export is the one at the end.
    OTEL_BSP_SCHEDULE_DELAY: ONLY_AT_THE_END,
    OTEL_BLRP_SCHEDULE_DELAY: ONLY_AT_THE_END,
    OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    WORKERS: "2",
  });
  try {
    await using service = await startService(data.options);
    await register(service, "guillaume@holberton.io", "b4l0u");
    service.signal("SIGTERM");
    await asked.promise;
    // From here on the process may be killed: its database is closed, and the write-ahead log is in the file.
    assert.deepEqual([...Deno.readDirSync(data.folder)].map(({ name }) => name), ["bienvenue.db"]);
    assert.deepEqual(data.rows("SELECT email FROM users").map(({ email }) => email), ["guillaume@holberton.io"]);
    assert.equal((await service.ended).code, 0);
  } finally {
    over.resolve();
    await silent.shutdown();
  }
});
