/**
 * `/healthz` and `/readyz`: what a supervisor and a load balancer ask. Must not say more than yes or no.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { requireReadiness } from "../../auth/maintenance/readiness.ts";
import { answer, type RequestEnv } from "../http/answers.ts";

/**
 * `GET /healthz`: the process answers. Must not need the database: a restart would not bring it back.
 *
 * @internal
 */
export function health(): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", (c) => answer(c, { status: "ok" }));
}

/**
 * `GET /readyz`: requests will be answered.
 *
 * @internal
 */
export function readiness(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", async (c) => {
    await requireReadiness(auth);
    return answer(c, { status: "ready" });
  });
}
