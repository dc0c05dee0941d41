/**
 * The descriptions of all endpoints for programs. Must not be loaded by a request.
 *
 * @module
 */
import * as z from "zod";
import { closeAccountAction, EventsQuery, updateAccountAction } from "../api/account.ts";
import { changeEmailAction, requestEmailChangeAction } from "../api/change_email.ts";
import { changePasswordAction } from "../api/password.ts";
import { reopenAccountAction } from "../api/reopen.ts";
import { requestResetAction, ResetPassword, resetPasswordAction } from "../api/reset_password.ts";
import { endOtherSessionsAction, endSessionAction, logOutAction, signInAction } from "../api/sessions.ts";
import { undoChangeAction } from "../api/undo.ts";
import { registerAction } from "../api/users.ts";
import { resendVerificationAction, verifyEmailAction } from "../api/verify_email.ts";
import * as answers from "./answer_schemas.ts";
import { described, describedWithoutBody, endpoint } from "./endpoint.ts";

const { done } = answers;

const email = "guillaume@holberton.io", password = "correct horse battery", token = "q8…the-token-from-the-link…w1";
const NEW_SESSION = "a new `session_id` cookie";

/** All endpoints, in the order of the page `/docs`. */
export const ENDPOINTS = [
  endpoint({
    method: "GET",
    path: "/",
    summary: "Says that the service is there",
    output: z.strictObject({ message: z.literal("Bienvenue") }),
    errors: [],
  }),
  endpoint({
    method: "DELETE",
    path: "/",
    summary: "As GET, for clients that keep the method when they follow the redirect after a logout",
    output: z.strictObject({ message: z.literal("Bienvenue") }),
    errors: [],
  }),
  endpoint({
    method: "POST",
    path: "/users",
    ...described(registerAction),
    example: { email, password },
    output: done("user created"),
  }),
  endpoint({
    method: "POST",
    path: "/verify_email",
    ...described(resendVerificationAction),
    example: { email },
    output: done("verification mail sent"),
  }),
  endpoint({
    method: "PUT",
    path: "/verify_email",
    ...described(verifyEmailAction),
    example: { verification_token: token },
    session: "read",
    output: answers.Proven,
    answer: { sets: `${NEW_SESSION} where one was logged in, and after a sign-in a \`device_id\` cookie` },
  }),
  endpoint({
    method: "POST",
    path: "/sessions",
    ...described(signInAction),
    example: { email, password },
    output: done("logged in"),
    answer: { sets: `${NEW_SESSION} and a \`device_id\` cookie` },
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions",
    ...describedWithoutBody(logOutAction),
    session: true,
    answer: { status: 302, sets: "an empty `session_id` cookie; `Location: /`, in public `/logout/done`" },
  }),
  endpoint({
    method: "GET",
    path: "/logout/done",
    summary: "Where a logout ends in the public profile",
    output: z.strictObject({ message: z.literal("Bienvenue") }),
    errors: [],
  }),
  endpoint({
    method: "DELETE",
    path: "/logout/done",
    summary: "As GET, for clients that keep the method when they follow the redirect after a logout",
    output: z.strictObject({ message: z.literal("Bienvenue") }),
    errors: [],
  }),
  endpoint({
    method: "GET",
    path: "/sessions",
    summary: "Lists one's sessions",
    session: true,
    output: answers.SessionList,
    errors: ["no_session"],
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions/others",
    ...describedWithoutBody(endOtherSessionsAction),
    output: done("sessions ended").extend({ count: z.int() }),
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions/:id",
    ...describedWithoutBody(endSessionAction),
    output: done("session ended"),
  }),
  endpoint({
    method: "GET",
    path: "/profile",
    summary: "Says who is logged in",
    text: "The check that an application makes with every request of its own.",
    session: true,
    output: answers.Profile,
    errors: ["no_session"],
  }),
  endpoint({
    method: "GET",
    path: "/session",
    session: "read",
    summary: "Says to a reverse proxy who is logged in",
    text:
      "For nginx auth_request, Caddy forward_auth and Traefik: 200 with Remote-User, Remote-Email and, where there is " +
      "one, Remote-Name, or 401. With ?login=1 a browser is sent to the login page instead.",
    output: z.strictObject({}),
    answer: { sets: "`remote-user`, `remote-email`, `remote-name`" },
    errors: ["not_logged_in"],
  }),
  endpoint({
    method: "POST",
    path: "/reset_password",
    ...described(requestResetAction),
    example: { email },
    output: z.union([
      z.strictObject({ email: z.string(), reset_token: z.string().describe("local profile only") }),
      done("reset mail sent"),
    ]),
  }),
  endpoint({
    method: "PUT",
    path: "/reset_password",
    ...described(resetPasswordAction),
    input: ResetPassword,
    example: { email, reset_token: token, new_password: password },
    output: done("Password updated"),
  }),
  endpoint({
    method: "PUT",
    path: "/password",
    ...described(changePasswordAction),
    example: { current_password: password, new_password: "battery staple horse" },
    output: done("Password updated"),
    answer: { sets: NEW_SESSION },
  }),
  endpoint({
    method: "POST",
    path: "/change_email",
    ...described(requestEmailChangeAction),
    example: { new_email: "guillaume@example.com", password },
    output: done("verification mail sent"),
  }),
  endpoint({
    method: "PUT",
    path: "/change_email",
    ...described(changeEmailAction),
    example: { change_token: token },
    output: done("email changed"),
    answer: { sets: `${NEW_SESSION} where one was logged in` },
  }),
  endpoint({
    method: "GET",
    path: "/account",
    summary: "Shows one's account",
    session: true,
    output: answers.AccountAnswer,
    errors: ["no_session"],
  }),
  endpoint({
    method: "PATCH",
    path: "/account",
    ...described(updateAccountAction),
    example: { name: "Guillaume", locale: "fr" },
    output: answers.AccountAnswer,
  }),
  endpoint({
    method: "DELETE",
    path: "/account",
    ...described(closeAccountAction),
    example: { password },
    output: done("account closed").extend({ purge_at: z.iso.datetime().describe("when it is erased") }),
    answer: { sets: "an empty `session_id` cookie" },
  }),
  endpoint({
    method: "GET",
    path: "/account/events",
    summary: "Lists what happened to one's account",
    session: true,
    query: EventsQuery,
    output: answers.EventPage,
    errors: ["no_session"],
  }),
  endpoint({
    method: "GET",
    path: "/account/export",
    summary: "Gives all that is stored of one's account",
    text: "Asks for a login of the last ten minutes.",
    session: true,
    output: answers.AccountExportAnswer,
    answer: { sets: "`Content-Disposition: attachment`" },
    errors: ["no_session", "login_required", "rate_limited"],
  }),
  endpoint({
    method: "POST",
    path: "/undo",
    ...described(undoChangeAction),
    example: { undo_token: token, password },
    output: done("change undone"),
  }),
  endpoint({
    method: "POST",
    path: "/reopen",
    ...described(reopenAccountAction),
    example: { reopen_token: token },
    output: done("account reopened"),
  }),
  endpoint({
    method: "GET",
    path: "/healthz",
    summary: "Says that the process is alive",
    output: z.strictObject({ status: z.literal("ok") }),
    errors: [],
  }),
  endpoint({
    method: "GET",
    path: "/readyz",
    summary: "Says whether requests will be answered",
    text: "No as soon as the process is told to stop, and while its database is away.",
    output: z.strictObject({ status: z.literal("ready") }),
    errors: ["stopping"],
  }),
  endpoint({
    method: "GET",
    path: "/openapi.json",
    summary: "This description, for programs (OpenAPI 3.1)",
    output: z.looseObject({ openapi: z.literal("3.1.0") }),
    errors: [],
  }),
  endpoint({
    method: "GET",
    path: "/dev/mailbox",
    summary: "Shows the mails that would have been sent",
    text: "Only while no MAIL_URL is set.",
    profile: "local",
    output: answers.MailList,
    errors: [],
  }),
];
