/**
 * The descriptions of all endpoints for programs. Must not be loaded by a request.
 *
 * @module
 */
import * as z from "zod";
import { CloseAccount, EventsQuery, UpdateAccount } from "../api/account.ts";
import * as answers from "./answer_schemas.ts";
import { ConfirmEmailChange, RequestEmailChange } from "../api/change_email.ts";
import { endpoint } from "./endpoint.ts";
import { ChangePassword } from "../api/password.ts";
import { RequestReset, ResetPassword } from "../api/reset_password.ts";
import { Credentials } from "../api/sessions.ts";
import { ReopenAccount, UndoChange } from "../api/undo.ts";
import { RegisterUser } from "../api/users.ts";
import { ResendVerification, VerifyEmail } from "../api/verify_email.ts";

const { done } = answers;

const email = "guillaume@holberton.io", password = "correct horse battery", token = "q8…the-token-from-the-link…w1";
/** Codes of a request that hashes a password. */
const HASH = ["overloaded", "hashing_unavailable", "client_gone"] as const;
/** Codes of a request in which a password proves who the user is. */
const GUESS = [...HASH, "throttled"] as const;
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
    summary: "Registers somebody",
    text:
      "Locally the account is there at once. In the public profile the answer is always the same and a mail goes out: " +
      "the account is made when its link is used, and the owner of a taken address is told.",
    input: RegisterUser,
    example: { email, password },
    output: done("user created"),
    errors: [
      "invalid_email",
      "weak_password",
      "rate_limited",
      "sign_up_closed",
      "invalid_password",
      ...HASH,
    ],
    localErrors: ["email_taken"],
  }),
  endpoint({
    method: "POST",
    path: "/verify_email",
    summary: "Sends the verification mail again",
    text: "The answer is the same for every address.",
    input: ResendVerification,
    example: { email },
    output: done("verification mail sent"),
    errors: ["invalid_email", "rate_limited"],
  }),
  endpoint({
    method: "PUT",
    path: "/verify_email",
    summary: "Proves a mailbox",
    text: "By the token of the mail's link, or by its code together with the address.",
    input: VerifyEmail,
    example: { verification_token: token },
    output: done("email verified"),
    errors: ["invalid_token", "too_many_attempts"],
  }),
  endpoint({
    method: "POST",
    path: "/sessions",
    summary: "Logs in",
    text:
      "Wrong, unknown, unproven and closed are one answer. The device cookie lets this device in while strangers are " +
      "slowed down.",
    input: Credentials,
    example: { email, password },
    output: done("logged in"),
    answer: { sets: `${NEW_SESSION} and a \`device_id\` cookie` },
    errors: ["wrong_credentials", "invalid_password", ...GUESS],
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions",
    summary: "Logs out",
    session: true,
    answer: { status: 302, sets: "an empty `session_id` cookie; `Location: /`" },
    errors: ["no_session"],
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
    summary: "Ends all of one's sessions but this one",
    session: true,
    output: done("sessions ended").extend({ count: z.int() }),
    errors: ["no_session"],
  }),
  endpoint({
    method: "DELETE",
    path: "/sessions/:id",
    summary: "Ends one of one's sessions",
    session: true,
    output: done("session ended"),
    errors: ["no_session", "unknown_session"],
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
    summary: "Asks for a new password",
    text:
      "Locally the token is handed out. In the public profile the answer is the same for every address and the token " +
      "travels by mail.",
    input: RequestReset,
    example: { email },
    output: z.union([
      z.strictObject({ email: z.string(), reset_token: z.string().describe("local profile only") }),
      done("reset mail sent"),
    ]),
    errors: ["invalid_email", "rate_limited"],
    localErrors: ["unknown_email"],
  }),
  endpoint({
    method: "PUT",
    path: "/reset_password",
    summary: "Sets the new password",
    text: "By the token, or by the code of the mail. All sessions of the user end, and nobody is logged in.",
    input: ResetPassword,
    example: { email, reset_token: token, new_password: password },
    output: done("Password updated"),
    errors: ["invalid_token", "too_many_attempts", "weak_password", "invalid_password", ...HASH],
  }),
  endpoint({
    method: "PUT",
    path: "/password",
    summary: "Changes the password",
    text: "All other sessions end.",
    session: true,
    input: ChangePassword,
    example: { current_password: password, new_password: "battery staple horse" },
    output: done("Password updated"),
    answer: { sets: NEW_SESSION },
    errors: ["no_session", "wrong_password", "weak_password", "invalid_password", ...GUESS],
  }),
  endpoint({
    method: "POST",
    path: "/change_email",
    summary: "Asks for another address",
    text: "The new mailbox gets the proof, the old one is told.",
    session: true,
    input: RequestEmailChange,
    example: { new_email: "guillaume@example.com", password },
    output: done("verification mail sent"),
    errors: ["no_session", "wrong_password", "invalid_email", "rate_limited", ...GUESS],
  }),
  endpoint({
    method: "PUT",
    path: "/change_email",
    summary: "Proves the new address, which is in force from then on",
    text: "By the token of the mail's link, or by its code from where one is logged in.",
    session: "read",
    input: ConfirmEmailChange,
    example: { change_token: token },
    output: done("email changed"),
    answer: { sets: `${NEW_SESSION} where one was logged in` },
    errors: ["invalid_token", "too_many_attempts", "no_session"],
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
    summary: "Changes name or language",
    text: "What is not given stays; an empty name takes it away.",
    session: true,
    input: UpdateAccount,
    example: { name: "Guillaume", locale: "fr" },
    output: answers.AccountAnswer,
    errors: ["no_session"],
  }),
  endpoint({
    method: "DELETE",
    path: "/account",
    summary: "Closes the account",
    text: "It can be reopened for 14 days by the link in the mail, and is then erased.",
    session: true,
    input: CloseAccount,
    example: { password },
    output: done("account closed").extend({ purge_at: z.iso.datetime().describe("when it is erased") }),
    answer: { sets: "an empty `session_id` cookie" },
    errors: ["no_session", "wrong_password", ...GUESS],
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
    errors: ["no_session", "login_required"],
  }),
  endpoint({
    method: "POST",
    path: "/undo",
    summary: "Takes a change back that its owner did not make",
    text:
      "By the link in the mail that told of it. The account is frozen and its mailbox gets a reset; an earlier address " +
      "comes back only with a password that was valid before.",
    input: UndoChange,
    example: { undo_token: token, password },
    output: done("change undone"),
    errors: ["invalid_token", "wrong_password", "too_many_attempts", "email_taken", "invalid_password", ...HASH],
  }),
  endpoint({
    method: "POST",
    path: "/reopen",
    summary: "Reopens a closed account",
    input: ReopenAccount,
    example: { reopen_token: token },
    output: done("account reopened"),
    errors: ["invalid_token"],
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
