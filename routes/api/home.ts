/**
 * `/`: says that the service is there. Must not need the database.
 *
 * @module
 */
import { Hono } from "hono";
import { answer, type RequestEnv } from "../http/answers.ts";

/**
 * `GET /`, and `DELETE /` for clients that keep the method when they follow the redirect after a logout.
 *
 * @internal
 */
export function home(): Hono<RequestEnv> {
  return new Hono<RequestEnv>().on(["GET", "DELETE"], "/", (c) => answer(c, { message: "Bienvenue" }));
}
