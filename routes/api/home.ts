/**
 * `/`: shows that the service runs. Must not need the database.
 *
 * @module
 */
import { Hono } from "hono";
import { answer, type RequestEnv } from "../http/answers.ts";

/**
 * Handles `GET /`. Also `DELETE /`, because some clients keep the method when they follow the redirect after a logout.
 */
export function home(): Hono<RequestEnv> {
  return new Hono<RequestEnv>().on(["GET", "DELETE"], "/", (c) => answer(c, { message: "Bienvenue" }));
}
