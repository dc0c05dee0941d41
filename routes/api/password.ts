/**
 * `/password`: changes the password of a signed-in user.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { changePassword } from "../../auth/account/change_password.ts";
import type { Auth } from "../../auth/auth.ts";
import { passwordOrRecent } from "../../auth/sign_in/reauthentication.ts";
import { answers, userAction } from "../http/action.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { signedIn } from "../http/cookies.ts";
import { GUESS_ERRORS } from "../http/errors.ts";
import { passwordField, passwordProofField } from "../http/input.ts";

/** Changes the password. Returns the session, which has a new id, and the device cookie. */
export const changePasswordAction = userAction({
  summary: "Changes the password",
  text: "All other sessions end. Of the devices that the account knows, only this one stays known.",
  input: z.object({ current_password: passwordProofField, new_password: passwordField }),
  work: ({ auth, caller, user }, { current_password, new_password }) =>
    changePassword(auth, user, passwordOrRecent(current_password), new_password, caller),
  fields: { wrong_password: "current_password", invalid_password: "new_password", weak_password: "new_password" },
  errors: [
    "no_session",
    "wrong_password",
    "login_required",
    "weak_password",
    "invalid_password",
    "rate_limited",
    ...GUESS_ERRORS,
  ],
});

/** Handles `PUT /password`. */
export function password(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().put(
    "/",
    answers(
      auth,
      changePasswordAction,
      (c, changed, _, { user }) =>
        signedIn(auth, answer(c, { email: user.email, message: "Password updated" }), changed),
    ),
  );
}
