/**
 * `/profile`: returns who is logged in. Applications call it very often, to check the session.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { getUserFromSessionId, noSession } from "../../auth/sign_in/current_user.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { sessionCookie } from "../http/cookies.ts";
import type { Check } from "../http/session_checks.ts";

/** Shared, and never changed: to make an error, with its stack, costs as much as the lookup. */
const NO_SESSION = noSession();

/** Makes the handler of `GET /profile`, for the router and for session_checks.ts. It throws `no_session` (403). */
export function checkProfile(auth: Auth): Check {
  return async (c) => {
    const user = await getUserFromSessionId(auth, sessionCookie(auth, c));
    if (!user) throw NO_SESSION;
    return answer(c, { email: user.email });
  };
}

/** Handles `GET /profile`. */
export function profile(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().get("/", checkProfile(auth));
}
