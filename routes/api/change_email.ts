/**
 * `/change_email`: requests another address, and confirms it by the token or the code of a mail.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { changeEmail, requestEmailChange } from "../../auth/account/change_email.ts";
import type { Auth } from "../../auth/auth.ts";
import { noSession } from "../../auth/sign_in/current_user.ts";
import { passwordOrRecent } from "../../auth/sign_in/reauthentication.ts";
import { answers, anyUserAction, userAction } from "../http/action.ts";
import { answer, type RequestEnv, withCookies } from "../http/answers.ts";
import { setSessionCookie } from "../http/cookies.ts";
import { GUESS_ERRORS, RequestError } from "../http/errors.ts";
import { codeField, emailField, passwordProofField, tokenField } from "../http/input.ts";

/** Requests another address. The new mailbox gets the token and the code, the old one a notice. */
export const requestEmailChangeAction = userAction({
  summary: "Asks for another address",
  text: "The new mailbox gets the proof, the old one is told.",
  input: z.object({ new_email: emailField, password: passwordProofField }),
  work: ({ auth, caller, user }, { new_email, password }) =>
    requestEmailChange(auth, user, new_email, passwordOrRecent(password), caller),
  fields: { invalid_email: "new_email", wrong_password: "password", invalid_password: "password" },
  errors: [
    "no_session",
    "wrong_password",
    "login_required",
    "invalid_email",
    "rate_limited",
    ...GUESS_ERRORS,
  ],
});

/** Confirms the new address: by the token, or by the code together with the user's session. */
export const changeEmailAction = anyUserAction({
  summary: "Proves the new address, which is in force from then on",
  text:
    "By the token of the mail's link, or by its code from where one is logged in. A link is refused, and stays valid, " +
    "where somebody else is logged in; and where nobody is, while another account or registration waits for the address.",
  input: z.object({ change_token: tokenField.optional(), code: codeField.optional() }),
  work: async ({ auth, caller, user: findUser }, { change_token, code }) => {
    if (change_token !== undefined) {
      return await changeEmail(auth, { token: change_token, user: await findUser() }, caller);
    }
    if (code === undefined) throw new RequestError("invalid_field", "change_token is missing");
    const user = await findUser();
    if (!user) throw noSession();
    return await changeEmail(auth, { code, user }, caller);
  },
  fields: { invalid_token: "code", too_many_attempts: "code" },
  errors: ["invalid_token", "too_many_attempts", "no_session"],
});

/** Handles `POST /change_email` and `PUT /change_email`. */
export function emailChange(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.post(
    "/",
    answers(
      auth,
      requestEmailChangeAction,
      (c, _, { new_email }) => answer(c, { email: new_email, message: "verification mail sent" }),
    ),
  );

  app.put(
    "/",
    answers(auth, changeEmailAction, (c, { email, session }) => {
      const response = answer(c, { email, message: "email changed" });
      return session ? withCookies(response, setSessionCookie(auth, session)) : response;
    }),
  );

  return app;
}
