/**
 * `/sessions`: logs in and out, and lists the user's sessions.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { AuthError } from "../../auth/errors.ts";
import { byPassword } from "../../auth/sign_in/by_password.ts";
import { requireUser } from "../../auth/sign_in/current_user.ts";
import {
  destroySession,
  endOtherSessions,
  endSession,
  listSessions,
  type SessionView,
} from "../../auth/sign_in/sessions.ts";
import type { SignIn } from "../../auth/sign_in/sign_in.ts";
import { action, answers, userAction } from "../http/action.ts";
import { answer, isoTime, redirect, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { signedIn, type SignedInCookies, signedOut } from "../http/cookies.ts";
import { GUESS_ERRORS } from "../http/errors.ts";
import { emailField, passwordField } from "../http/input.ts";

/** Logs in by address and password. */
export const signInAction = action({
  summary: "Logs in",
  text:
    "Wrong, unknown, unproven and closed are one answer. The device cookie lets this device in while strangers are " +
    "slowed down.",
  input: z.object({ email: emailField, password: passwordField }),
  work: async ({ auth, caller }, { email, password }) => complete(await byPassword(auth, email, password, caller)),
  fields: { wrong_credentials: "password", invalid_password: "password" },
  errors: [
    "wrong_credentials",
    "second_factor_required",
    "invalid_password",
    ...GUESS_ERRORS,
  ],
});

/** Logs out. Returns whether there was a session. */
export const logOutAction = action({
  summary: "Logs out",
  input: z.object({}),
  work: ({ auth, caller }) => destroySession(auth, caller.session, caller),
  errors: ["no_session"],
});

/** Ends one of the user's sessions, by its public id. */
export const endSessionAction = userAction({
  summary: "Ends one of one's sessions",
  input: z.object({ id: z.string() }),
  work: ({ auth, caller, user }, { id }) => endSession(auth, user, id, caller),
  errors: ["no_session", "unknown_session"],
});

/** Ends all of the user's sessions but this one. Returns how many. */
export const endOtherSessionsAction = userAction({
  summary: "Ends all of one's sessions but this one",
  input: z.object({}),
  work: ({ auth, caller, user }) => endOtherSessions(auth, user, caller),
  errors: ["no_session"],
});

/** Handles `POST`, `GET` and `DELETE /sessions`, `DELETE /sessions/others` and `DELETE /sessions/:id`. */
export function sessions(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post(
    "/",
    answers(
      auth,
      signInAction,
      (c, login, { email }) => signedIn(auth, answer(c, { email, message: "logged in" }), login),
    ),
  );

  app.get("/", async (c) => {
    const user = await requireUser(auth, callerOf(auth, c));
    return answer(c, { sessions: (await listSessions(auth, user)).map(toJson) });
  });

  app.delete(
    "/",
    answers(auth, logOutAction, (c, wasLive) => {
      if (!wasLive) throw new AuthError("no_session", "there is no session to end");
      return signedOut(auth, redirect(c, auth.config.profile === "local" ? "/" : "/logout/done"));
    }, () => ({})),
  );

  const endOthers = answers(
    auth,
    endOtherSessionsAction,
    (c, count, _, { user }) => answer(c, { email: user.email, message: "sessions ended", count }),
    () => ({}),
  );
  const endOne = answers(
    auth,
    endSessionAction,
    (c, _result, _input, { user }) => answer(c, { email: user.email, message: "session ended" }),
    (c) => ({ id: c.req.param("id") ?? "" }),
  );
  // One route: Hono's RegExpRouter cannot hold `/others` beside it. Hono would take its slower router for all requests.
  app.delete("/:id", (c) => c.req.param("id") === "others" ? endOthers(c) : endOne(c));

  return app;
}

/** Returns a complete login. Throws `second_factor_required`, because programs take any 200 for a successful login. */
function complete(result: SignIn): SignedInCookies {
  if (result.state === "signed_in") return result;
  throw new AuthError("second_factor_required", "a second factor is required");
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
