/**
 * OpenTelemetry, switched on in Deno: a collector gets the patterns of routes and no URL.
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
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
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
