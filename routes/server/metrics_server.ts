/**
 * A separate listener for metrics: those who may use the service must not see them. Must not answer anything else.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { ConfigError } from "../../auth/config.ts";
import type { RequestCounts } from "../../auth/runtime/metrics.ts";
import { HEADERS } from "../http/answers.ts";
import { isLocalHost } from "../http/origin.ts";
import { metricsText } from "./metrics.ts";

/** A running listener for metrics. */
export interface MetricsServer {
  url: string;
  stop(): Promise<void>;
}

/** Listens at the address in METRICS_PORT. Throws a ConfigError when it cannot. */
export function startMetricsServer(auth: Auth, counts: RequestCounts, listener: string): MetricsServer {
  const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(listener)!;
  const loopback = isLocalHost(listener) && hostname !== "0.0.0.0";
  const answer = async (request: Request): Promise<Response> => {
    // On loopback a web page could reach it by the attacker's host name (DNS rebinding). On other addresses the
    // operator chooses the names.
    if (loopback && !isLocalHost(request.headers.get("host") ?? "")) return refusal(403);
    if (URL.parse(request.url)?.pathname !== "/metrics") return refusal(404);
    if (request.method !== "GET") return refusal(405, { allow: "GET" });
    return new Response(await metricsText(auth, counts), {
      headers: { ...HEADERS, "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  };
  try {
    const server = Deno.serve(
      { hostname, port: Number(port), onListen: () => {}, onError: () => refusal(500) },
      answer,
    );
    const shown = server.addr.hostname.includes(":") ? `[${server.addr.hostname}]` : server.addr.hostname;
    return { url: `http://${shown}:${server.addr.port}/metrics`, stop: () => server.shutdown() };
  } catch (error) {
    throw new ConfigError([`METRICS_PORT: cannot listen on ${listener}: ${(error as Error).message}`]);
  }
}

function refusal(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { ...HEADERS, ...headers } });
}
