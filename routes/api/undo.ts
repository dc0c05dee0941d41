/**
 * `/undo` and `/reopen`: taking a change back, by the link out of its mail.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { reopenAccount } from "../../auth/account/close_account.ts";
import { undoChange } from "../../auth/account/undo_change.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { provenField, readInput, tokenField } from "../http/input.ts";

/**
 * What undoing a change takes.
 *
 * @internal
 */
export const UndoChange = z.object({ undo_token: tokenField, password: provenField });
/**
 * What reopening an account takes.
 *
 * @internal
 */
export const ReopenAccount = z.object({ reopen_token: tokenField });

/**
 * `POST /undo`.
 *
 * @internal
 */
export function undo(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post("/", async (c) => {
    const { undo_token, password } = await readInput(c, UndoChange);
    const { email } = await undoChange(auth, undo_token, password, callerOf(auth, c));
    return answer(c, { email, message: "change undone" });
  });
}

/**
 * `POST /reopen`.
 *
 * @internal
 */
export function reopen(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post("/", async (c) => {
    const { reopen_token } = await readInput(c, ReopenAccount);
    return answer(c, {
      email: await reopenAccount(auth, reopen_token, callerOf(auth, c)),
      message: "account reopened",
    });
  });
}
