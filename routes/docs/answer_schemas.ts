/**
 * Schemas of the answers, for the API description and for tests that compare real answers with them. Must not be loaded
 * by a request.
 *
 * @module
 */
import * as z from "zod";

const email = z.string().describe("the address");
const time = z.iso.datetime().describe("ISO 8601, UTC");
const nullableTime = time.nullable();
const ip = z.string().nullable().describe("address of the client");
const user_agent = z.string().nullable().describe("what the client called itself");

/** An answer with an address and a fixed sentence. Programs may rely on every word of the sentence. */
export function done<const M extends string>(message: M) {
  return z.strictObject({ email: email, message: z.literal(message) });
}

/** The body of every refusal. The header `error-code` has the code. */
export const Refusal = z.strictObject({ message: z.string().describe("a sentence for people") });

/** The address of the user who is logged in. */
export const Profile = z.strictObject({ email });

/** A proven mailbox. */
export const Proven = done("email verified").extend({
  has_password: z.literal(false).optional().describe("only where the user is signed in and has to choose a password"),
});

/** The account as its owner sees it. */
export const AccountAnswer = z.strictObject({
  id: z.uuid(),
  email,
  email_verified_at: nullableTime.describe("when the mailbox was proven"),
  name: z.string().nullable(),
  locale: z.string().nullable().describe("language of mails and pages"),
  created_at: time,
});

/** The user's own sessions, newest first. */
export const SessionList = z.strictObject({
  sessions: z.array(z.strictObject({
    id: z.uuid().describe("names the session; gives no access"),
    created_at: time,
    last_seen_at: time.describe("give or take a few minutes"),
    expires_at: time.describe("when it ends unless it is used"),
    user_agent,
    ip,
    current: z.boolean().describe("whether it is the one that asks"),
  })),
});

/** A page of the user's own events, newest first. */
export const EventPage = z.strictObject({
  events: z.array(z.strictObject({ id: z.uuid(), type: z.string(), created_at: time, ip, user_agent })),
  next: z.uuid().nullable().describe("the cursor of the next page; null at the end"),
});

/** A database row, with its times in ISO 8601. */
const row = z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.record(z.string(), z.unknown())]));

/** All stored data of a user, without secrets. */
export const AccountExportAnswer = z.strictObject({
  account: AccountAnswer.extend({
    updated_at: time,
    signed_in_at: nullableTime.describe("when the last login was"),
    frozen_at: nullableTime.describe("since when it waits for a new password after an undo"),
    closed_at: nullableTime,
    purge_at: nullableTime.describe("when a closed account is erased"),
    disabled_at: nullableTime.describe("since when the operator keeps the user out"),
  }),
  sessions: z.array(row),
  tokens: z.array(row).describe("what waits for a link or code out of a mail"),
  events: z.array(row),
});

/** The mails that a local service without a mail server keeps, newest first. */
export const MailList = z.strictObject({
  mails: z.array(z.strictObject({
    to: z.string(),
    subject: z.string(),
    sent_at: time,
    text: z.string(),
    html: z.string(),
  })),
});
