/**
 * `/password`: a new password for who knows the old one.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { changePassword } from "../../auth/account/change_password.ts";
import { requireUser } from "../../auth/sign_in/sessions.ts";
import { answer, type RequestEnv, withCookies } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { setSessionCookie } from "../http/cookies.ts";
import { passwordField, provenField, readInput } from "../http/input.ts";

/**
 * What changing a password takes.
 *
 * @internal
 */
export const ChangePassword = z.object({ current_password: provenField, new_password: passwordField });

/**
 * `PUT /password`.
 *
 * @internal
 */
export function password(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().put("/", async (c) => {
    const caller = callerOf(auth, c);
    const { email } = await requireUser(auth, caller);
    const { current_password, new_password } = await readInput(c, ChangePassword);
    const session = await changePassword(auth, current_password, new_password, caller);
    return withCookies(answer(c, { email, message: "Password updated" }), setSessionCookie(auth, session));
  });
}
