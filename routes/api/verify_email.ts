/**
 * `/verify_email`: sends the verification mail again, and verifies the mailbox.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { requestVerification, verifyEmail } from "../../auth/account/verify_email.ts";
import type { Auth } from "../../auth/auth.ts";
import { action, answers } from "../http/action.ts";
import { answer, type RequestEnv, withCookies } from "../http/answers.ts";
import { setSessionCookie, signedIn, type SignedInCookies } from "../http/cookies.ts";
import { codeField, emailField, mailProof, tokenField } from "../http/input.ts";

/** Sends the verification mail again. */
export const resendVerificationAction = action({
  summary: "Sends the verification mail again",
  text: "The answer is the same for every address.",
  input: z.object({ email: emailField }),
  work: ({ auth, caller }, { email }) => requestVerification(auth, email, caller),
  fields: { invalid_email: "email" },
  errors: ["invalid_email", "rate_limited"],
});

/** Verifies a mailbox, by the token or by the address and the code. */
export const verifyEmailAction = action({
  summary: "Proves a mailbox",
  text:
    "By the token of the mail's link, or by its code together with the address. All sessions of the account end; the " +
    "caller's own stays, with a new id. When several registrations waited for the address, the account has no " +
    "password: the answer says `has_password: false` and signs in, and for ten minutes `PUT /password` takes the " +
    "first password without an old one.",
  input: z.object({
    verification_token: tokenField.optional(),
    email: emailField.optional(),
    code: codeField.optional(),
  }),
  work: ({ auth, caller }, { verification_token, email, code }) =>
    verifyEmail(auth, mailProof("verification_token", verification_token, email, code), caller),
  fields: { invalid_token: "code", too_many_attempts: "code" },
  errors: ["invalid_token", "too_many_attempts"],
});

/** Handles `POST /verify_email` and `PUT /verify_email`. */
export function verification(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post(
    "/",
    answers(
      auth,
      resendVerificationAction,
      (c, _, { email }) => answer(c, { email, message: "verification mail sent" }),
    ),
  );

  app.put(
    "/",
    answers(auth, verifyEmailAction, (c, proven) => {
      const { email, hasPassword } = proven;
      const told = { email, message: "email verified", ...(!hasPassword && { has_password: false }) };
      return proofSession(auth, answer(c, told), proven);
    }),
  );

  return app;
}

/** Adds the cookies of a proof: those of a sign-in, that of a session with a new id, or none. */
export function proofSession(auth: Auth, response: Response, { session, device }: Partial<SignedInCookies>): Response {
  if (session === undefined) return response;
  if (device !== undefined) return signedIn(auth, response, { session, device });
  return withCookies(response, setSessionCookie(auth, session));
}
