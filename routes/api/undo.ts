/**
 * `/undo`: undoes a change, by the token of its mail.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { undoChange } from "../../auth/account/undo_change.ts";
import type { Auth } from "../../auth/auth.ts";
import { action, answers } from "../http/action.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { HASH_ERRORS } from "../http/errors.ts";
import { passwordProofField, tokenField } from "../http/input.ts";

/** Undoes a change that the owner of the account did not make. */
export const undoChangeAction = action({
  summary: "Takes a change back that its owner did not make",
  text:
    "By the link in the mail that told of it. The account is frozen and its mailbox gets a reset; an earlier address " +
    "comes back only with a password that was valid before.",
  input: z.object({ undo_token: tokenField, password: passwordProofField }),
  work: ({ auth, caller }, { undo_token, password }) => undoChange(auth, undo_token, password, caller),
  fields: { invalid_password: "password", too_many_attempts: "password", wrong_password: "password" },
  errors: [
    "invalid_token",
    "wrong_password",
    "too_many_attempts",
    "email_taken",
    "invalid_password",
    ...HASH_ERRORS,
  ],
});

/** Handles `POST /undo`. */
export function undo(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post(
    "/",
    answers(auth, undoChangeAction, (c, { email }) => answer(c, { email, message: "change undone" })),
  );
}
