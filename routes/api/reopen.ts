/**
 * `/reopen`: reopens a closed account, by the token of its mail.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { reopenAccount } from "../../auth/account/close_account.ts";
import type { Auth } from "../../auth/auth.ts";
import { action, answers } from "../http/action.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { tokenField } from "../http/input.ts";

/** Reopens a closed account, and returns its address. */
export const reopenAccountAction = action({
  summary: "Reopens a closed account",
  input: z.object({ reopen_token: tokenField }),
  work: ({ auth, caller }, { reopen_token }) => reopenAccount(auth, reopen_token, caller),
  errors: ["invalid_token"],
});

/** Handles `POST /reopen`. */
export function reopen(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post(
    "/",
    answers(auth, reopenAccountAction, (c, email) => answer(c, { email, message: "account reopened" })),
  );
}
