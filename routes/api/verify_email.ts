/**
 * `/verify_email`: the verification mail again, and the proof out of it.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { requestVerification, verifyEmail } from "../../auth/account/verify_email.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { codeField, emailField, mailProof, readInput, tokenField } from "../http/input.ts";

/**
 * What asking for the verification mail takes.
 *
 * @internal
 */
export const ResendVerification = z.object({ email: emailField });
/**
 * What proves a mailbox: the token, or the address and the code.
 *
 * @internal
 */
export const VerifyEmail = z.object({
  verification_token: tokenField.optional(),
  email: emailField.optional(),
  code: codeField.optional(),
});

/**
 * `POST /verify_email` and `PUT /verify_email`.
 *
 * @internal
 */
export function verification(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post("/", async (c) => {
    const { email } = await readInput(c, ResendVerification);
    await requestVerification(auth, email, callerOf(auth, c));
    return answer(c, { email, message: "verification mail sent" });
  });

  app.put("/", async (c) => {
    const { verification_token, email, code } = await readInput(c, VerifyEmail);
    const proof = mailProof("verification_token", verification_token, email, code);
    const proven = await verifyEmail(auth, proof, callerOf(auth, c));
    return answer(c, { email: proven.email, message: "email verified" });
  });

  return app;
}
