/**
 * `/sessions`: logging in and out, and the list of one's sessions.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { AuthError } from "../../auth/errors.ts";
import { logIn } from "../../auth/sign_in/sign_in.ts";
import {
  destroySession,
  endOtherSessions,
  endSession,
  listSessions,
  requireUser,
  type SessionView,
} from "../../auth/sign_in/sessions.ts";
import { answer, isoTime, redirect, type RequestEnv, withCookies } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { clearSessionCookie, sessionCookie, setDeviceCookie, setSessionCookie } from "../http/cookies.ts";
import { emailField, passwordField, readInput } from "../http/input.ts";

/**
 * What a login takes.
 *
 * @internal
 */
export const Credentials = z.object({ email: emailField, password: passwordField });

/**
 * `POST`, `GET` and `DELETE /sessions`, `DELETE /sessions/others`, `DELETE /sessions/:id`.
 *
 * @internal
 */
export function sessions(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post("/", async (c) => {
    const { email, password } = await readInput(c, Credentials);
    const login = await logIn(auth, email, password, callerOf(auth, c));
    const response = answer(c, { email, message: "logged in" });
    return withCookies(response, setSessionCookie(auth, login), setDeviceCookie(auth, login.device));
  });

  app.get("/", async (c) => {
    const list = await listSessions(auth, callerOf(auth, c));
    return answer(c, { sessions: list.map(toJson) });
  });

  app.delete("/", async (c) => {
    if (!await destroySession(auth, sessionCookie(auth, c), callerOf(auth, c))) {
      throw new AuthError("no_session", "there is no session to end");
    }
    // Only storage: clearing all cookies would make this a strange device (S43).
    return withCookies(redirect(c, "/", { "clear-site-data": '"storage"' }), clearSessionCookie(auth));
  });

  app.delete("/others", async (c) => {
    const caller = callerOf(auth, c);
    const { email } = await requireUser(auth, caller);
    return answer(c, { email, message: "sessions ended", count: await endOtherSessions(auth, caller) });
  });

  app.delete("/:id", async (c) => {
    const caller = callerOf(auth, c);
    const { email } = await requireUser(auth, caller);
    await endSession(auth, c.req.param("id"), caller);
    return answer(c, { email, message: "session ended" });
  });

  return app;
}

function toJson(session: SessionView): Record<string, unknown> {
  return {
    id: session.id,
    created_at: isoTime(session.createdAt),
    last_seen_at: isoTime(session.lastSeenAt),
    expires_at: isoTime(session.expiresAt),
    user_agent: session.userAgent,
    ip: session.ip,
    current: session.current,
  };
}
