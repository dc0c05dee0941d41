/**
 * Delivery status of a mail, read from the events table. Must not give the recipient or the content.
 *
 * @module
 */
import type { EventRow } from "../../db/events.ts";
import type { MailKind, MailRequest, NoMail } from "../mail_kinds.ts";

/** Delivery status of a mail. Times are in milliseconds since 1970. */
export interface MailStatus {
  /** `none` when nothing is known of the mail. */
  state: "waiting" | "sent" | "refused" | "given_up" | "none";
  kind?: MailKind;
  /** When it was requested (waiting), or when it reached this state. */
  at?: number;
  /** Number of tries so far (waiting). */
  tries?: number;
  /** When the service gives it up (waiting), or until when this address gets no mail (none). */
  until?: number;
}

const OUTCOMES: Record<string, MailStatus["state"]> = {
  mail_sent: "sent",
  mail_refused: "refused",
  mail_given_up: "given_up",
};

/** The newest status in a list of events, newest first: of mails of these kinds, or of any kind. */
export function latestMail(events: EventRow[], kinds: readonly MailKind[] | undefined): MailStatus | undefined {
  for (const event of events) {
    const news = statusOf(event);
    if (news && (kinds === undefined || kinds.includes(news.kind!))) return news;
  }
  return undefined;
}

function statusOf(event: EventRow): MailStatus | undefined {
  if (event.mail !== null) {
    const { kind } = JSON.parse(event.mail) as MailRequest | NoMail;
    if (kind === "none") return undefined;
    return {
      state: "waiting",
      kind,
      at: event.created_at,
      tries: event.mail_tries,
      until: event.mail_until ?? undefined,
    };
  }
  const state = OUTCOMES[event.type];
  return state && { state, kind: JSON.parse(event.details).mail, at: event.created_at };
}
