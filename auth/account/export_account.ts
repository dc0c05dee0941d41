/**
 * The export of a user's data, page by page. Must not hold the event loop or the memory for the whole of it, and must
 * not show a secret.
 *
 * @module
 */
import { DatabaseUnavailable } from "../../db/errors.ts";
import { AFTER_ALL, type EventRow, listEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { listTokensOf } from "../../db/tokens.ts";
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { LIMITS } from "../limits/limits.ts";
import { countWithin, forgetCount, refusalOf } from "../limits/rate_limits.ts";
import { nextTurn } from "../runtime/event_loop.ts";
import { noSession, requireRow, requireUser, type SignedIn } from "../sign_in/current_user.ts";
import { requireRecent } from "../sign_in/reauthentication.ts";
import { type Account, accountOf } from "./account.ts";

/** An export holds at most this many events and tokens. */
const MOST_EVENTS = 10_000;
const MOST_TOKENS = 1_000;
/** Events that one query reads, and that are turned into text before others have their turn. */
const PAGE = 100;

/** Columns that only the export shows. */
type MoreTimes = Pick<
  UserRow,
  "updated_at" | "signed_in_at" | "frozen_at" | "closed_at" | "purge_at" | "disabled_at"
>;

/** A row without its secrets. Columns whose name ends in `_at` are milliseconds since 1970. */
export type ExportRow = Record<string, string | number | null>;

/**
 * All stored data of a user, without secrets: live sessions, unused tokens, events. A login that waits for its second
 * factor is left out: it ends after ten minutes.
 */
export interface AccountExport {
  account: Account & MoreTimes;
  sessions: ExportRow[];
  tokens: ExportRow[];
  /** Pages of events, newest first. Throws `no_session` when the session ends meanwhile, `rate_limited` after 5 min. */
  events: AsyncGenerator<ExportRow[]>;
  /** Allows the next export. To be called once, when the last page was read or nobody reads on. */
  close(): Promise<void>;
}

/**
 * Exports all stored data of a user who signed in in the last ten minutes. Each user has one export at a time, over all
 * instances. Throws `no_session`, `login_required`, `rate_limited` (public).
 */
export async function exportAccount(auth: Auth, user: SignedIn, caller: Caller): Promise<AccountExport> {
  requireRecent(auth, user, "export your account");
  const { within, until } = await countWithin(auth, LIMITS.exports, { of: [user.id] });
  if (!within) throw refusalOf(auth, LIMITS.exports, until);
  const close = async (): Promise<void> => {
    // After the window, the count is that of another export.
    if (auth.clock() >= until) return;
    await forgetCount(auth.db.relaxed, LIMITS.exports, user.id).catch((error) => {
      // The window ends by itself.
      if (!(error instanceof DatabaseUnavailable)) throw error;
    });
  };
  try {
    const now = auth.clock();
    const row = await requireRow(auth, user);
    const sessions = await listSessionsOf(auth.db, user.id, now);
    const tokens = await listTokensOf(auth.db, user.id, now, MOST_TOKENS);
    return {
      account: { ...accountOf(row), ...moreOf(row) },
      sessions: sessions.map(({ secret_hash: _secret, ...rest }) => rest),
      tokens: tokens.map(({ purpose, created_at, expires_at, email }) => ({
        purpose,
        created_at,
        // The end of a change of address moves when its mail is sent. It would show whose the new address is (V52).
        ...(purpose !== "change_email" && { expires_at }),
        email,
      })),
      events: pagesOf(auth, user, caller, until),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function* pagesOf(auth: Auth, user: SignedIn, caller: Caller, until: number): AsyncGenerator<ExportRow[]> {
  let before = AFTER_ALL;
  for (let count = 0; count < MOST_EVENTS; count += PAGE) {
    if (count > 0) await requireStill(auth, user, caller, until);
    const rows = await listEvents(auth.db, user.id, before, PAGE);
    yield rows.map(exported);
    if (rows.length < PAGE) return;
    before = rows[rows.length - 1].id;
  }
}

/** Other requests come first. After a log-out, whoever has the old cookie gets no further page (V15). */
async function requireStill(auth: Auth, user: SignedIn, caller: Caller, until: number): Promise<void> {
  await nextTurn();
  if (until > 0 && auth.clock() >= until) throw refusalOf(auth, LIMITS.exports, until);
  if ((await requireUser(auth, caller)).id !== user.id) throw noSession();
}

function exported({ mail: _mail, mail_at: _at, mail_until: _until, mail_tries: _tries, ...rest }: EventRow): ExportRow {
  return rest;
}

function moreOf({ updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at }: UserRow): MoreTimes {
  return { updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at };
}
