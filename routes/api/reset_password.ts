/**
 * `/reset_password`: asking for a reset, and setting the new password.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { getResetPasswordToken, requestPasswordReset, updatePassword } from "../../auth/account/reset_password.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { codeField, emailField, mailProof, passwordField, readInput, tokenField } from "../http/input.ts";

/**
 * What asking for a reset takes.
 *
 * @internal
 */
export const RequestReset = z.object({ email: emailField });
/**
 * What a reset takes: the address, the token or the code, and the new password.
 *
 * @internal
 */
export const ResetPassword = z.object({
  email: emailField,
  reset_token: tokenField.optional(),
  code: codeField.optional(),
  new_password: passwordField,
});

/**
 * `POST /reset_password` and `PUT /reset_password`.
 *
 * @internal
 */
export function resetPassword(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post("/", async (c) => {
    const { email } = await readInput(c, RequestReset);
    const caller = callerOf(auth, c);
    if (auth.config.profile === "local") {
      return answer(c, { email, reset_token: await getResetPasswordToken(auth, email, caller) });
    }
    await requestPasswordReset(auth, email, caller);
    return answer(c, { email, message: "reset mail sent" });
  });

  app.put("/", async (c) => {
    const { email, reset_token, code, new_password } = await readInput(c, ResetPassword);
    const proof = mailProof("reset_token", reset_token, email, code);
    await updatePassword(auth, proof, new_password, { email, caller: callerOf(auth, c) });
    return answer(c, { email, message: "Password updated" });
  });

  return app;
}
