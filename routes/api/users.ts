/**
 * `/users`: registers a user.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { registerUser } from "../../auth/account/register.ts";
import type { Auth } from "../../auth/auth.ts";
import { action, answers } from "../http/action.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { HASH_ERRORS } from "../http/errors.ts";
import { emailField, passwordField } from "../http/input.ts";

/** Registers a user. Returns undefined when the mailbox must be verified first. */
export const registerAction = action({
  summary: "Registers somebody",
  text:
    "Locally the account is there at once. In the public profile the answer is always the same and a mail goes out: " +
    "the account is made when its link is used, and the owner of a taken address is told.",
  input: z.object({ email: emailField, password: passwordField }),
  work: ({ auth, caller }, { email, password }) => registerUser(auth, email, password, caller),
  fields: { email_taken: "email", invalid_email: "email", invalid_password: "password", weak_password: "password" },
  errors: [
    "invalid_email",
    "weak_password",
    "rate_limited",
    "sign_up_closed",
    "invalid_password",
    ...HASH_ERRORS,
  ],
  localErrors: ["email_taken"],
});

/** Handles `POST /users`. */
export function users(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post(
    "/",
    answers(auth, registerAction, (c, _, { email }) => answer(c, { email, message: "user created" })),
  );
}
