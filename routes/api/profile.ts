/**
 * `/profile`: returns who is logged in. Applications call it very often, to check the session.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { getUserFromSessionId, noSession } from "../../auth/sign_in/current_user.ts";
import { answer, type Exchange, type RequestEnv } from "../http/answers.ts";
import { sessionCookie } from "../http/cookies.ts";

/** One for all: to make an error, with its stack, costs as much as the look-up. */
const NO_SESSION = noSession();

/** Answers `GET /profile`, with the router or in front of it. Throws `no_session`. */
export function checkProfile(auth: Auth): (c: Exchange) => Promise<Response> {
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
