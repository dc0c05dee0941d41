/**
 * What became of a mail, out of the events that tell it. Must not say to whom it went or what was in it.
 *
 * @module
 */
import type { EventRow } from "../../db/events.ts";
import type { MailKind } from "../mail_kinds.ts";

/** What became of a mail; times are milliseconds since 1970. */
export interface MailStatus {
  /** Where it stands; `none` when nothing of it is known. */
  state: "waiting" | "sent" | "refused" | "given_up" | "none";
  /** Which mail. */
  kind?: MailKind;
  /** When it was asked for (waiting), or when that came about. */
  at?: number;
  /** How often it was tried (waiting). */
  tries?: number;
  /** When it is given up (waiting), or until when none goes to this address (none). */
  until?: number;
}

const OUTCOMES: Record<string, MailStatus["state"]> = {
  mail_sent: "sent",
  mail_refused: "refused",
  mail_given_up: "given_up",
};

/** The newest news among events that come newest first, about mails of these kinds, or of any. */
export function latestMail(events: EventRow[], kinds: readonly MailKind[] | undefined): MailStatus | undefined {
  for (const event of events) {
    const news = statusOf(event);
    if (news && (kinds === undefined || kinds.includes(news.kind!))) return news;
  }
  return undefined;
}

function statusOf(event: EventRow): MailStatus | undefined {
  if (event.mail !== null) {
    return {
      state: "waiting",
      kind: JSON.parse(event.mail).kind,
      at: event.created_at,
      tries: event.mail_tries,
      until: event.mail_until ?? undefined,
    };
  }
  const state = OUTCOMES[event.type];
  return state && { state, kind: JSON.parse(event.details).mail, at: event.created_at };
}
