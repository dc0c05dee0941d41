/**
 * What the app serves, as its documents list it. Must not know what a request does.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { createApp } from "../../routes/app.ts";

/** Two requests share the route of an id, because Hono's fast router takes no fixed word beside it. */
const BESIDE: Record<string, string> = { "DELETE /sessions/:id": "/sessions/others" };

/** Every request that a handler takes. Middleware is left out. */
export function servedRequests(auth: Auth): { method: string; path: string }[] {
  return createApp(auth).routes
    .filter(({ method, path }) => method !== "ALL" && path !== "/*")
    .flatMap(({ method, path }) => {
      const beside = BESIDE[`${method} ${path}`];
      return [{ method, path }, ...(beside === undefined ? [] : [{ method, path: beside }])];
    });
}
