/**
 * `/change_email`: asking for another address, and proving it.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { changeEmail, requestEmailChange } from "../../auth/account/change_email.ts";
import { requireUser } from "../../auth/sign_in/sessions.ts";
import { answer, type RequestEnv, withCookies } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { setSessionCookie } from "../http/cookies.ts";
import { RequestError } from "../http/errors.ts";
import { codeField, emailField, provenField, readInput, tokenField } from "../http/input.ts";

/**
 * What asking for another address takes.
 *
 * @internal
 */
export const RequestEmailChange = z.object({ new_email: emailField, password: provenField });
/**
 * What proves the new mailbox: the token, or the code from where one is logged in.
 *
 * @internal
 */
export const ConfirmEmailChange = z.object({ change_token: tokenField.optional(), code: codeField.optional() });

/**
 * `POST /change_email` and `PUT /change_email`.
 *
 * @internal
 */
export function emailChange(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post("/", async (c) => {
    const caller = callerOf(auth, c);
    await requireUser(auth, caller);
    const { new_email, password } = await readInput(c, RequestEmailChange);
    await requestEmailChange(auth, new_email, password, caller);
    return answer(c, { email: new_email, message: "verification mail sent" });
  });

  app.put("/", async (c) => {
    const { change_token, code } = await readInput(c, ConfirmEmailChange);
    if (change_token === undefined && code === undefined) {
      throw new RequestError("invalid_field", "change_token is missing");
    }
    const proof = change_token === undefined ? { code: code! } : { token: change_token };
    const { email, session } = await changeEmail(auth, proof, callerOf(auth, c));
    const response = answer(c, { email, message: "email changed" });
    return session ? withCookies(response, setSessionCookie(auth, session)) : response;
  });

  return app;
}
