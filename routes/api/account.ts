/**
 * `/account`: what a user sees, says and takes along of the own account, and leaving.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import {
  type Account,
  type AccountExport,
  exportAccount,
  type ExportRow,
  getAccount,
  updateAccount,
} from "../../auth/account/account.ts";
import type { Auth } from "../../auth/auth.ts";
import { closeAccount } from "../../auth/account/close_account.ts";
import { type AccountEvent, listAccountEvents } from "../../auth/events.ts";
import { LOCALES } from "../../auth/languages.ts";
import { requireUser } from "../../auth/sign_in/sessions.ts";
import { answer, isoTime, type RequestEnv, withCookies } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { clearSessionCookie } from "../http/cookies.ts";
import { provenField, readInput, readQuery } from "../http/input.ts";

/**
 * What somebody may change of the own account.
 *
 * @internal
 */
export const UpdateAccount = z.object({
  // Empty takes the name away. Control characters have no place in a mail's greeting; the joiners U+200C and U+200D do,
  // since names in Persian and Indic scripts are spelled with them.
  name: z.string("must be text").max(100, "is longer than 100 characters").regex(
    /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\u200c\u200d])*$/u,
    "must not hold control characters",
  ).optional(),
  locale: z.enum(LOCALES, `must be one of ${LOCALES.join(", ")}`).optional(),
});
/**
 * Which page of the events is wanted.
 *
 * @internal
 */
export const EventsQuery = z.object({
  limit: z.string().regex(/^(?:[1-9]\d?|100)$/, "must be a number from 1 to 100").default("50"),
  cursor: z.string().regex(/^[0-9a-f-]{36}$/, "must be the next of the page before").optional(),
});
/**
 * What closing an account takes.
 *
 * @internal
 */
export const CloseAccount = z.object({ password: provenField });

/**
 * `GET`, `PATCH` and `DELETE /account`, `GET /account/events`, `GET /account/export`.
 *
 * @internal
 */
export function account(auth: Auth): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get("/", async (c) => answer(c, accountToJson(await getAccount(auth, callerOf(auth, c)))));

  app.patch("/", async (c) => {
    const caller = callerOf(auth, c);
    await requireUser(auth, caller);
    const { name, locale } = await readInput(c, UpdateAccount);
    return answer(c, accountToJson(await updateAccount(auth, { name: name === "" ? null : name, locale }, caller)));
  });

  app.delete("/", async (c) => {
    const caller = callerOf(auth, c);
    await requireUser(auth, caller);
    const { password } = await readInput(c, CloseAccount);
    const { email, purgeAt } = await closeAccount(auth, password, caller);
    const response = answer(c, { email, message: "account closed", purge_at: isoTime(purgeAt) });
    return withCookies(response, clearSessionCookie(auth));
  });

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
    return answerExport(c, await exportAccount(auth, callerOf(auth, c)));
  });

  return app;
}

/**
 * The export as a file to keep.
 *
 * @internal
 */
export function answerExport(c: Context<RequestEnv>, { account, sessions, tokens, events }: AccountExport): Response {
  const lists = { sessions: sessions.map(rowToJson), tokens: tokens.map(rowToJson), events: events.map(rowToJson) };
  const { updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at } = account;
  const times = rowToJson({ updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at });
  return answer(c, { account: { ...accountToJson(account), ...times }, ...lists }, 200, {
    "content-disposition": 'attachment; filename="account.json"',
  });
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
