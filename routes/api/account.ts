/**
 * `/account`: shows, changes, exports and closes the user's own account, and lists its events.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { type Account, getAccount, updateAccount } from "../../auth/account/account.ts";
import { closeAccount } from "../../auth/account/close_account.ts";
import { type AccountExport, exportAccount, type ExportRow } from "../../auth/account/export_account.ts";
import type { Auth } from "../../auth/auth.ts";
import { type AccountEvent, listAccountEvents } from "../../auth/events.ts";
import { LOCALES } from "../../auth/languages.ts";
import { requireUser } from "../../auth/sign_in/current_user.ts";
import { passwordOrRecent } from "../../auth/sign_in/reauthentication.ts";
import { answers, userAction } from "../http/action.ts";
import { answer, answerInParts, isoTime, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { signedOut } from "../http/cookies.ts";
import { GUESS_ERRORS } from "../http/errors.ts";
import { passwordProofField, readQuery } from "../http/input.ts";

/** The query of `GET /account/events`: the page size, and the last event id of the previous page. */
export const EventsQuery = z.object({
  limit: z.string().regex(/^(?:[1-9]\d?|100)$/, "must be a number from 1 to 100").default("50"),
  cursor: z.string().regex(/^[0-9a-f-]{36}$/, "must be the next of the page before").optional(),
});

/** Changes the user's name or language. */
export const updateAccountAction = userAction({
  summary: "Changes name or language",
  text: "What is not given stays; an empty name takes it away.",
  input: z.object({
    // Empty removes the name. Mails greet by name, so control characters are refused. The joiners U+200C and U+200D are
    // allowed: names in Persian and Indic scripts need them.
    name: z.string("must be text").max(100, "is longer than 100 characters").regex(
      /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\u200c\u200d])*$/u,
      "must not hold control characters",
    ).optional(),
    locale: z.enum(LOCALES, `must be one of ${LOCALES.join(", ")}`).optional(),
  }),
  work: ({ auth, caller, user }, { name, locale }) =>
    updateAccount(auth, user, { name: name === "" ? null : name, locale }, caller),
  errors: ["no_session", "rate_limited"],
});

/** Closes the user's account. Needs the password, or a recent login when the account has none. */
export const closeAccountAction = userAction({
  summary: "Closes the account",
  text: "It can be reopened for 14 days by the link in the mail, and is then erased.",
  input: z.object({ password: passwordProofField }),
  work: ({ auth, caller, user }, { password }) => closeAccount(auth, user, passwordOrRecent(password), caller),
  fields: { wrong_password: "password", invalid_password: "password" },
  errors: [
    "no_session",
    "wrong_password",
    "login_required",
    ...GUESS_ERRORS,
  ],
});

/** Handles `GET`, `PATCH` and `DELETE /account`, `GET /account/events` and `GET /account/export`. */
export function account(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get("/", async (c) => {
    const user = await requireUser(auth, callerOf(auth, c));
    return answer(c, accountToJson(await getAccount(auth, user)));
  });

  app.patch("/", answers(auth, updateAccountAction, (c, changed) => answer(c, accountToJson(changed))));

  app.delete(
    "/",
    answers(
      auth,
      closeAccountAction,
      (c, { email, purgeAt }) =>
        signedOut(auth, answer(c, { email, message: "account closed", purge_at: isoTime(purgeAt) })),
    ),
  );

  app.get("/events", async (c) => {
    const user = await requireUser(auth, callerOf(auth, c));
    const { limit, cursor } = readQuery(c, EventsQuery);
    const events = await listAccountEvents(auth, user.id, Number(limit), cursor);
    return answer(c, {
      events: events.map(eventToJson),
      next: events.length < Number(limit) ? null : events.at(-1)!.id,
    });
  });

  app.get("/export", async (c) => {
    const caller = callerOf(auth, c);
    return answerExport(c, await exportAccount(auth, await requireUser(auth, caller), caller));
  });

  return app;
}

/** Answers with the export as a JSON file to download. */
export function answerExport(c: Context<RequestEnv>, exported: AccountExport): Response {
  return answerInParts(c, exportToText(exported), exported.close, {
    "content-disposition": 'attachment; filename="account.json"',
  });
}

async function* exportToText({ account, sessions, tokens, events }: AccountExport): AsyncGenerator<string> {
  const { updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at } = account;
  const times = rowToJson({ updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at });
  const head = {
    account: { ...accountToJson(account), ...times },
    sessions: sessions.map(rowToJson),
    tokens: tokens.map(rowToJson),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`;
  let between = "";
  for await (const page of events) {
    if (page.length === 0) continue;
    yield between + page.map((row) => JSON.stringify(rowToJson(row))).join(",");
    between = ",";
  }
  yield "]}";
}

function accountToJson(account: Account): Record<string, unknown> {
  return {
    id: account.id,
    email: account.email,
    email_verified_at: account.emailVerifiedAt === null ? null : isoTime(account.emailVerifiedAt),
    name: account.name,
    locale: account.locale,
    created_at: isoTime(account.createdAt),
  };
}

function rowToJson(row: ExportRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name.endsWith("_at") && typeof value === "number") return [name, isoTime(value)];
      return [name, name === "details" ? JSON.parse(String(value)) : value];
    }),
  );
}

function eventToJson(event: AccountEvent): Record<string, unknown> {
  return {
    id: event.id,
    type: event.type,
    created_at: isoTime(event.createdAt),
    ip: event.ip,
    user_agent: event.userAgent,
  };
}
