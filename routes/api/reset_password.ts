/**
 * `/reset_password`: requests a password reset, and sets the new password.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { getResetPasswordToken, requestPasswordReset, updatePassword } from "../../auth/account/reset_password.ts";
import type { Auth } from "../../auth/auth.ts";
import { action, answers } from "../http/action.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { HASH_ERRORS } from "../http/errors.ts";
import { codeField, emailField, mailProof, passwordField, readInput, tokenField } from "../http/input.ts";

/** Requests a reset. Returns the token in the local profile, and undefined when it is sent by mail. */
export const requestResetAction = action({
  summary: "Asks for a new password",
  text:
    "Locally the token is handed out. In the public profile the answer is the same for every address and the token " +
    "travels by mail.",
  input: z.object({ email: emailField }),
  work: async ({ auth, caller }, { email }): Promise<string | undefined> => {
    if (auth.config.profile === "local") return await getResetPasswordToken(auth, email, caller);
    await requestPasswordReset(auth, email, caller);
  },
  fields: { invalid_email: "email", unknown_email: "email" },
  errors: ["invalid_email", "rate_limited"],
  localErrors: ["unknown_email"],
});

/** Sets the new password. Without an address the token alone identifies the user, as in the link of a mail. */
export const resetPasswordAction = action({
  summary: "Sets the new password",
  text: "By the token, or by the code of the mail. All sessions of the user end, and nobody is logged in.",
  input: z.object({
    email: emailField.optional(),
    reset_token: tokenField.optional(),
    code: codeField.optional(),
    new_password: passwordField,
  }),
  work: ({ auth, caller }, { email, reset_token, code, new_password }) =>
    updatePassword(auth, mailProof("reset_token", reset_token, email, code), new_password, { email, caller }),
  fields: {
    weak_password: "new_password",
    invalid_password: "new_password",
    invalid_token: "code",
    too_many_attempts: "code",
  },
  errors: [
    "invalid_token",
    "too_many_attempts",
    "weak_password",
    "invalid_password",
    ...HASH_ERRORS,
  ],
});

/** The input for programs. They must name the address, and another user's token is refused (S31). */
export const ResetPassword = resetPasswordAction.input.extend({ email: emailField });

/** Handles `POST /reset_password` and `PUT /reset_password`. */
export function resetPasswordRoutes(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post(
    "/",
    answers(
      auth,
      requestResetAction,
      (c, reset_token, { email }) =>
        answer(c, reset_token === undefined ? { email, message: "reset mail sent" } : { email, reset_token }),
    ),
  );

  app.put(
    "/",
    answers(
      auth,
      resetPasswordAction,
      (c, _, { email }) => answer(c, { email, message: "Password updated" }),
      (c) => readInput(c, ResetPassword),
    ),
  );

  return app;
}
