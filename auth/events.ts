/**
 * Events: the audit log, and the source of the mails. Each event is written in the transaction of the change that it
 * reports. Must not get a secret.
 *
 * @module
 */
import type { DB } from "../db/db.ts";
import { addEvent, AFTER_ALL, listEvents } from "../db/events.ts";
import type { Auth } from "./auth.ts";
import { type Caller, callerColumns } from "./caller.ts";
import { giveUpAfter, type MailRequest, type NoMail } from "./mail_kinds.ts";
import { newId } from "./secrets.ts";

/** Every type of event that is recorded. */
export const EVENT_TYPES = [
  "account_closed",
  "account_disabled",
  "account_enabled",
  "account_purged",
  "account_reopened",
  "account_updated",
  "change_undone",
  "email_change_announced",
  "email_change_requested",
  "email_changed",
  "email_verified",
  "logged_in",
  "logged_out",
  "login_failed",
  "mail_given_up",
  "mail_refused",
  "mail_sent",
  "password_changed",
  "password_compromised",
  "password_reset",
  "password_reset_requested",
  "registered",
  "registration_requested",
  "second_factor_asked",
  "session_ended",
  "sessions_ended",
  "throttled",
  "users_imported",
  "verification_requested",
] as const;

/** One of {@linkcode EVENT_TYPES}. */
export type EventType = typeof EVENT_TYPES[number];

/** An event to record. */
export interface NewEvent {
  type: EventType;
  /** Set when something else refers to the event. */
  id?: string;
  userId?: string | null;
  caller?: Caller;
  /** Must not hold secrets. Must not hold addresses either: the row outlives the account. */
  details?: Record<string, string | number>;
  /** The mail to send because of this event, or what stands for one. */
  mail?: MailRequest | NoMail;
}

/** An event as its owner sees it. */
export interface AccountEvent {
  id: string;
  type: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  ip: string | null;
  userAgent: string | null;
}

/** Stores an event, logs it after the commit, and wakes the mail outbox if the event has a mail. */
export async function recordEvent(auth: Auth, db: DB, event: NewEvent): Promise<void> {
  const now = auth.clock();
  db.onKept(() => logEvent(auth, event));
  await addEvent(db, {
    id: event.id ?? newId(now),
    type: event.type,
    user_id: event.userId ?? null,
    created_at: now,
    ...callerColumns(event.caller ?? {}),
    details: JSON.stringify(event.details ?? {}),
    mail: event.mail ? JSON.stringify(event.mail) : null,
    mail_at: event.mail ? now : null,
    mail_until: event.mail ? now + giveUpAfter(event.mail) : null,
    mail_tries: 0,
  });
  if (event.mail) auth.mails.wake();
}

/**
 * Writes an event to the log only (ASVS 16.3): what happened, which account, which IP address, which request. Must not
 * log the e-mail address or the `User-Agent`.
 */
export function logEvent(auth: Pick<Auth, "log">, event: NewEvent): void {
  auth.log.write({
    ...event.details,
    time: new Date().toISOString(),
    event: event.type,
    user_id: event.userId ?? null,
    ip: event.caller?.ip ?? null,
    request_id: event.caller?.requestId,
  });
}

/** A user's own events, newest first. `before` is the last id of the previous page; type `without` is left out. */
export async function listAccountEvents(
  auth: Auth,
  userId: string,
  limit: number,
  before: string = AFTER_ALL,
  without?: EventType,
): Promise<AccountEvent[]> {
  const rows = await listEvents(auth.db, userId, before, limit, without);
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    createdAt: row.created_at,
    ip: row.ip,
    userAgent: row.user_agent,
  }));
}
