/**
 * The audit log as the operator reads it: what happened, to whom, from where. Must not show what a mail was about beyond
 * its kind.
 *
 * @module
 */
import { type EventFilter, type EventRow, listEventsBack, listEventsFrom } from "../../db/events.ts";
import { findEmails } from "../../db/users.ts";
import type { Auth } from "../auth.ts";

/** Rows that are read at once. */
const PAGE = 500;
/** How far back each look of a follower goes, in milliseconds: ids are made before their transaction ends, and on more than one machine. */
const OVERLAP = 15_000;

/** An event as the operator sees it. */
export interface EventView {
  /** UUID v7. */
  id: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** What happened. */
  type: string;
  /** Whose account it concerns. */
  userId: string | null;
  /** The address of that account now; null when there is none any more. */
  email: string | null;
  /** From where. */
  ip: string | null;
  /** By what. */
  userAgent: string | null;
  /** More, without secrets. */
  details: Record<string, string | number>;
}

/** Which events; what is absent does not matter. */
export type EventQuery = Omit<EventFilter, "after">;

/** The newest events that fit, oldest first. */
export async function listNewestEvents(auth: Auth, query: EventQuery, limit: number): Promise<EventView[]> {
  return await viewsOf(auth, (await listEventsBack(auth.db, query, limit)).reverse());
}

/** All events that fit, oldest first, page by page. */
export async function* listAllEvents(auth: Auth, query: EventQuery): AsyncGenerator<EventView> {
  let after: string | undefined;
  for (;;) {
    const page = await listEventsFrom(auth.db, { ...query, after }, PAGE);
    yield* await viewsOf(auth, page);
    if (page.length < PAGE) return;
    after = page[page.length - 1].id;
  }
}

/**
 * Gives, each time it is called, what happened since the time before, once each. What a transaction wrote late is not
 * missed, as long as it took less than the overlap.
 */
export function eventFollower(auth: Auth, query: EventQuery, seen: EventView[]): () => Promise<EventView[]> {
  // By the events' own times, since this machine's clock may be another one's.
  let newest = seen.at(-1)?.createdAt ?? auth.clock();
  const oldest = seen.length === 0 ? newest : seen[0].createdAt + 1;
  let known = new Map(seen.map((event) => [event.id, event.createdAt]));
  return async () => {
    const from = Math.max(newest - OVERLAP, oldest, query.since ?? 0);
    const fresh: EventView[] = [];
    for await (const event of listAllEvents(auth, { ...query, since: from })) {
      if (!known.has(event.id)) fresh.push(event);
      known.set(event.id, event.createdAt);
      newest = Math.max(newest, event.createdAt);
    }
    known = new Map([...known].filter(([, createdAt]) => createdAt >= from));
    return fresh;
  };
}

async function viewsOf(auth: Auth, rows: EventRow[]): Promise<EventView[]> {
  const ids = new Set(rows.map((row) => row.user_id).filter((id) => id !== null));
  const emails = await findEmails(auth.db, [...ids]);
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    type: row.type,
    userId: row.user_id,
    email: emails.get(row.user_id ?? "") ?? null,
    ip: row.ip,
    userAgent: row.user_agent,
    details: JSON.parse(row.details),
  }));
}
