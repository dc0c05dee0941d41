/**
 * `/`: shows that the service runs. `/logout/done`: where a log-out ends in public. Must not need the database.
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

/**
 * Handles `GET` and `DELETE /logout/done`, as {@linkcode home}. Behind a proxy `/` belongs to another application, and
 * its refusal would look like a failed logout.
 */
export function loggedOut(): Hono<RequestEnv> {
  return home();
}
