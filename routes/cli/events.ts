/**
 * The command `events`: shows, filters and follows the audit log.
 *
 * @module
 */
import {
  eventFollower,
  type EventQuery,
  type EventView,
  listAllEvents,
  listNewestEvents,
} from "../../auth/admin/event_lists.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { EVENT_TYPES } from "../../auth/events.ts";
import { type Command, type Given, Misuse, type Outside, withAuth } from "./command.ts";
import { json, moment, plain } from "./output.ts";

/** How many events are shown without `--since`. */
const LAST = 100;
/** How often `--follow` looks for new events, in milliseconds. */
const LOOK_EVERY = 1_000;
const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Shows the audit log. */
export const EVENTS: Command = {
  summary: "what happened: the audit log, filtered and followed",
  help:
    `Shows what happened, oldest first: logins and failures, resets, changes, mails and what became of them, and what
operators did. Without --since the last ${LAST}. Events are kept as long as EVENT_RETENTION says.`,
  words: [],
  options: {
    follow: { help: "go on with what happens from now on, until Ctrl-C" },
    user: { value: "email|id", help: "only about this user" },
    type: { value: "type", help: "only these, such as login_failed" },
    since: { value: "time", help: "from then on: 30m, 12h, 7d, or a time such as 2026-01-31T08:00Z" },
    json: { help: "a line of JSON an event" },
  },
  run,
};

async function run(given: Given, outside: Outside): Promise<void> {
  const type = given.text("type");
  if (type !== undefined && !(EVENT_TYPES as readonly string[]).includes(type)) {
    throw new Misuse(`--type is none of ${EVENT_TYPES.join(", ")}`);
  }
  const since = sinceOf(given.text("since"), (outside.clock ?? Date.now)());
  const show = (event: EventView): void => outside.print(given.flag("json") ? json(event) : lineOf(event));
  await withAuth(outside, async (auth) => {
    const user = given.text("user");
    const query: EventQuery = {
      type,
      since,
      userId: user === undefined ? undefined : (await findUser(auth, user)).id,
    };
    let seen: EventView[] = [];
    if (since === undefined) {
      seen = await listNewestEvents(auth, query, LAST);
      seen.forEach(show);
    } else {
      for await (const event of listAllEvents(auth, query)) {
        show(event);
        // `--follow` must not show these twice.
        seen = [...seen.slice(-LAST), event];
      }
    }
    if (seen.length === 0) outside.note("No event fits so far.");
    if (given.flag("follow")) await follow(eventFollower(auth, query, seen), show, outside.signal);
  });
}

async function follow(next: () => Promise<EventView[]>, show: (event: EventView) => void, signal?: AbortSignal) {
  while (!signal?.aborted) {
    (await next()).forEach(show);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  }
}

function sinceOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const time = count === undefined ? Date.parse(text) : now - Number(count) * UNITS[unit];
  if (Number.isNaN(time)) {
    throw new Misuse("--since is neither a span such as 12h nor a time such as 2026-01-31T08:00Z");
  }
  return time;
}

/** A line for each event, not a table: with `--follow` the widths of columns are not known in advance. */
function lineOf({ createdAt, type, email, userId, ip, userAgent, details }: EventView): string {
  const more = Object.entries(details).map(([name, value]) => `${name}=${value}`).join(" ");
  const parts = [moment(createdAt), type.padEnd(24), email ?? userId ?? "-", ip ?? "-", more, userAgent ?? ""];
  return plain(parts.join("  ").trimEnd());
}
