/**
 * What users see and change in their own account. Must not change an address or a password.
 *
 * @module
 */
import { AFTER_ALL, listEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { listTokensOf } from "../../db/tokens.ts";
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { recordEvent } from "../events.ts";
import type { Locale } from "../languages.ts";
import { noSession, requireRow, type SignedIn } from "../sign_in/current_user.ts";
import { requireRecent } from "../sign_in/reauthentication.ts";
import { holdSession } from "../sign_in/sessions.ts";

/** An export holds at most this many events and tokens. */
const MOST_EVENTS = 10_000;
const MOST_TOKENS = 1_000;

/** Columns that only the export shows. */
type MoreTimes = Pick<
  UserRow,
  "updated_at" | "signed_in_at" | "frozen_at" | "closed_at" | "purge_at" | "disabled_at"
>;

/** An account as its owner sees it. Times are milliseconds since 1970. */
export interface Account {
  id: string;
  /** The address as its owner typed it. */
  email: string;
  /** Null until the mailbox is proven. */
  emailVerifiedAt: number | null;
  name: string | null;
  locale: string | null;
  hasPassword: boolean;
  createdAt: number;
}

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
  events: ExportRow[];
}

/** The account of this user. Throws `no_session` when it was erased meanwhile. */
export async function getAccount(auth: Auth, user: SignedIn): Promise<Account> {
  return accountOf(await requireRow(auth, user));
}

/** Changes the name or the language. Absent or unchanged values write nothing. Throws `no_session`. */
export async function updateAccount(
  auth: Auth,
  user: SignedIn,
  change: { name?: string | null; locale?: Locale },
  caller: Caller,
): Promise<Account> {
  return await auth.db.transaction(async (db) => {
    const row = await lockUserBy(db, { id: user.id });
    if (!row) throw noSession();
    // The body may have taken its time: a session that ended meanwhile changes nothing and shows nothing (V15).
    await holdSession(auth, db, caller);
    const given = Object.fromEntries(
      Object.entries(change).filter(([name, value]) =>
        value !== undefined && value !== row[name as keyof typeof change]
      ),
    );
    if (Object.keys(given).length === 0) return accountOf(row);
    await Promise.all([
      updateUser(db, row.id, { ...given, updated_at: auth.clock() }),
      recordEvent(auth, db, { type: "account_updated", userId: row.id, caller }),
    ]);
    return accountOf({ ...row, ...given });
  });
}

/** Exports all stored data of a user who signed in in the last ten minutes. Throws `no_session`, `login_required`. */
export async function exportAccount(auth: Auth, user: SignedIn): Promise<AccountExport> {
  const now = auth.clock();
  requireRecent(auth, user, "export your account");
  const row = await requireRow(auth, user);
  const sessions = await listSessionsOf(auth.db, user.id, now);
  const tokens = await listTokensOf(auth.db, user.id, now, MOST_TOKENS);
  const events = await listEvents(auth.db, user.id, AFTER_ALL, MOST_EVENTS);
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
    events: events.map(({ mail: _mail, mail_at: _at, mail_until: _until, mail_tries: _tries, ...rest }) => rest),
  };
}

function moreOf({ updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at }: UserRow): MoreTimes {
  return { updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at };
}

function accountOf(row: UserRow): Account {
  const { id, email, name, locale } = row;
  const hasPassword = row.hashed_password !== null;
  return { id, email, emailVerifiedAt: row.email_verified_at, name, locale, hasPassword, createdAt: row.created_at };
}
