/**
 * The table `events`: its row and all its queries. Must not decide what is recorded.
 *
 * @module
 */
import type { DB } from "./db.ts";
import type { Value } from "./engines/driver.ts";
import { ESCAPE, likeLiteral } from "./like.ts";

/** An event as stored. Times are milliseconds since 1970. */
export type EventRow = {
  /** UUID v7: the order of ids is the order of time. */
  id: string;
  type: string;
  user_id: string | null;
  created_at: number;
  ip: string | null;
  user_agent: string | null;
  /** JSON, without secrets. */
  details: string;
  /** JSON of the mail to send; see `auth/mail/outbox.ts`. */
  mail: string | null;
  /** When to send it, or when the lease of the worker that sends it ends. Null when there is nothing to send. */
  mail_at: number | null;
  /** When sending is given up. */
  mail_until: number | null;
  /** How often sending began. */
  mail_tries: number;
};

/** Adds an event. */
export async function addEvent(db: DB, event: EventRow): Promise<void> {
  await db.run(
    `INSERT INTO events (id, type, user_id, created_at, ip, user_agent, details, mail, mail_at, mail_until, mail_tries)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`,
    event.id,
    event.type,
    event.user_id,
    event.created_at,
    event.ip,
    event.user_agent,
    event.details,
    event.mail,
    event.mail_at,
    event.mail_until,
  );
}

/** A cursor behind all events: greater than every event id, since those are UUIDs. */
export const AFTER_ALL = "g";

/** A user's events before the cursor, newest first. Leaves out the type `without`. */
export function listEvents(
  db: DB,
  userId: string,
  before: string,
  limit: number,
  without: string = "",
): Promise<EventRow[]> {
  return db.all<EventRow>(
    "SELECT * FROM events WHERE user_id = $1 AND id < $2 AND type <> $3 ORDER BY id DESC LIMIT $4",
    userId,
    before,
    without,
    limit,
  );
}

/** Whether this user has an event of this type. */
export async function hasEvent(db: DB, userId: string, type: string): Promise<boolean> {
  const sql = "SELECT id FROM events WHERE user_id = $1 AND type = $2 LIMIT 1";
  return await db.get<Pick<EventRow, "id">>(sql, userId, type) !== undefined;
}

/** How often the mails of a list were tried before: from `least` to `most` times. */
export interface MailTries {
  least: number;
  most: number;
}

/** Ids of events whose mail is due, and since when it is due. */
export function listDueMails(
  db: DB,
  now: number,
  { least, most }: MailTries,
  limit: number,
): Promise<Pick<EventRow, "id" | "mail_at">[]> {
  const sql =
    "SELECT id, mail_at FROM events WHERE mail_at <= $1 AND mail_tries >= $2 AND mail_tries <= $3 ORDER BY mail_at LIMIT $4";
  return db.all(sql, now, least, most, limit);
}

/** As {@linkcode listDueMails}, but first those that are given up first: people wait for these. */
export function listUrgentMails(
  db: DB,
  now: number,
  { least, most }: MailTries,
  limit: number,
): Promise<Pick<EventRow, "id" | "mail_at">[]> {
  const sql = `SELECT id, mail_at FROM events WHERE mail_at <= $1 AND mail_tries >= $2 AND mail_tries <= $3
     ORDER BY mail_until, mail_at LIMIT $4`;
  return db.all(sql, now, least, most, limit);
}

/** Creation times of up to `limit` events whose mail waits, due or not. Leaves out mails with the text `without`. */
export async function listWaitingMails(db: DB, without: string, limit: number): Promise<number[]> {
  const sql = "SELECT created_at FROM events WHERE mail_at > 0 AND mail <> $1 ORDER BY mail_at LIMIT $2";
  return (await db.all<Pick<EventRow, "created_at">>(sql, without, limit)).map((row) => row.created_at);
}

/** Claims a due mail until the lease ends. Of several instances one gets the row, the others undefined. */
export function claimMail(db: DB, id: string, dueAt: number, leaseUntil: number): Promise<EventRow | undefined> {
  return db.get<EventRow>(
    "UPDATE events SET mail_at = $1, mail_tries = mail_tries + 1 WHERE id = $2 AND mail_at = $3 RETURNING *",
    leaseUntil,
    id,
    dueAt,
  );
}

/** Ends a claim for good: sent, refused or given up. Deletes the address too. False when the lease had ended. */
export async function finishMail(db: DB, id: string, leaseUntil: number): Promise<boolean> {
  const sql = "UPDATE events SET mail_at = NULL, mail = NULL WHERE id = $1 AND mail_at = $2";
  return await db.run(sql, id, leaseUntil) > 0;
}

/** Ends a claim and sets the time of the next try. */
export async function postponeMail(db: DB, id: string, leaseUntil: number, nextAt: number): Promise<void> {
  await db.run("UPDATE events SET mail_at = $1 WHERE id = $2 AND mail_at = $3", nextAt, id, leaseUntil);
}

/** Sets the user of an event that was written before the user existed. */
export async function giveEvent(db: DB, id: string, userId: string): Promise<void> {
  await db.run("UPDATE events SET user_id = $1 WHERE id = $2 AND user_id IS NULL", userId, id);
}

/** As {@linkcode giveEvent}, for the events by which registrations of this address were asked for. */
export async function giveRegistrationEvents(db: DB, emailKey: string, userId: string): Promise<void> {
  await db.run(
    `UPDATE events SET user_id = $1
     WHERE id IN (SELECT subject FROM tokens WHERE purpose IN ($2, $3) AND email_key = $4) AND user_id IS NULL`,
    userId,
    "register",
    "verify",
    emailKey,
  );
}

/** Deletes personal data from a user's events. The rows stay, for counting and for the operator. */
export function eraseEventsOf(db: DB, userId: string): Promise<number> {
  return db.run(
    `UPDATE events SET ip = NULL, user_agent = NULL, details = $1, mail = NULL, mail_at = NULL, mail_until = NULL
     WHERE user_id = $2`,
    "{}",
    userId,
  );
}

/**
 * Deletes up to `limit` events from before a time, and gives their number. An event whose mail waits stays until the
 * mail must have been given up.
 */
export function sweepEvents(db: DB, before: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM events WHERE id IN (
       SELECT id FROM events WHERE created_at <= $1 AND (mail_at IS NULL OR mail_until <= $1)
       ORDER BY created_at LIMIT $2)`,
    before,
    limit,
  );
}

/** Which events are asked for; what is absent does not matter. */
export interface EventFilter {
  /** Whose. */
  userId?: string;
  /** What happened. */
  type?: string;
  /** Not before this time, in milliseconds since 1970. */
  since?: number;
  /** Behind the one with this id. */
  after?: string;
}

/** Events that fit, oldest first. */
export function listEventsFrom(db: DB, filter: EventFilter, limit: number): Promise<EventRow[]> {
  const { where, values } = conditions(filter);
  const sql = `SELECT * FROM events WHERE ${where} ORDER BY id LIMIT $1`;
  return db.all<EventRow>(sql, limit, ...values);
}

/** The newest events that fit, newest first. */
export function listEventsBack(db: DB, filter: EventFilter, limit: number): Promise<EventRow[]> {
  const { where, values } = conditions(filter);
  const sql = `SELECT * FROM events WHERE ${where} ORDER BY id DESC LIMIT $1`;
  return db.all<EventRow>(sql, limit, ...values);
}

/** What is known of the mail about a token that belongs to nobody yet: the request while it waits, or its outcome. */
export function listMailEvents(db: DB, subject: string, since: number): Promise<EventRow[]> {
  return db.all<EventRow>(
    `SELECT * FROM events WHERE created_at >= $1 AND (mail LIKE $2 ESCAPE $3 OR details LIKE $2 ESCAPE $3)
     ORDER BY id DESC LIMIT 20`,
    since,
    `%"subject":"${likeLiteral(subject)}"%`,
    ESCAPE,
  );
}

/** Mails that are due since before this time, the oldest first. Leaves out mails with the text `without`. */
export function listLateMails(db: DB, before: number, without: string, limit: number): Promise<EventRow[]> {
  const sql = "SELECT * FROM events WHERE mail_at <= $1 AND mail <> $2 ORDER BY mail_at LIMIT $3";
  return db.all<EventRow>(sql, before, without, limit);
}

/** The texts are this file's own; only the values come from outside (S14). $1 is the limit. */
function conditions({ userId, type, since, after }: EventFilter): { where: string; values: Value[] } {
  const given = ([["id >", after], ["user_id =", userId], ["type =", type], ["created_at >=", since]] as const)
    .filter(([, value]) => value !== undefined);
  const where = ["id IS NOT NULL", ...given.map(([text], index) => `${text} $${index + 2}`)].join(" AND ");
  return { where, values: given.map(([, value]) => value!) };
}
