/**
 * `/healthz` and `/readyz`: the probes of a supervisor and a load balancer. Must not say more than yes or no.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { requireReadiness } from "../../auth/maintenance/readiness.ts";
import { answer, type RequestEnv } from "../http/answers.ts";

/** Handles `GET /healthz`: the process answers. Must not need the database, because a restart would not repair it. */
export function health(): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", (c) => answer(c, { status: "ok" }));
}

/** Handles `GET /readyz`: the service can answer requests. Throws `stopping`, `database_unavailable`. */
export function readiness(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", async (c) => {
    await requireReadiness(auth);
    return answer(c, { status: "ready" });
  });
}
