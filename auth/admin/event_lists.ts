/**
 * The audit log for the operator. Must not show more of a mail than its kind.
 *
 * @module
 */
import { type EventFilter, type EventRow, listEventsBack, listEventsFrom } from "../../db/events.ts";
import { findEmails } from "../../db/users.ts";
import type { Auth } from "../auth.ts";

/** Rows per query. */
const PAGE = 500;
/**
 * How far back a follower reads again, in milliseconds. Ids are made before their transaction ends, and by clocks of
 * several machines.
 */
const OVERLAP = 15_000;

/** An event as the operator sees it. Times are milliseconds since 1970. */
export interface EventView {
  id: string;
  createdAt: number;
  type: string;
  userId: string | null;
  /** The account's current address; null when the account is gone. */
  email: string | null;
  ip: string | null;
  userAgent: string | null;
  details: Record<string, string | number>;
}

/** A filter of events. An absent field matches every event. */
export type EventQuery = Omit<EventFilter, "after">;

/** The newest matching events, oldest first. */
export async function listNewestEvents(auth: Auth, query: EventQuery, limit: number): Promise<EventView[]> {
  return await viewsOf(auth, (await listEventsBack(auth.db, query, limit)).reverse());
}

/** All matching events, oldest first, read page by page. */
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
 * Returns a function that gives the events since its last call, each once. It also finds late commits whose transaction
 * took less than `OVERLAP`.
 */
export function eventFollower(auth: Auth, query: EventQuery, seen: EventView[]): () => Promise<EventView[]> {
  // The times of events count, because this machine's clock may differ from the service's.
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
