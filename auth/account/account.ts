/**
 * What a user may see and say of the own account. Must not change an address or a password.
 *
 * @module
 */
import { AFTER_ALL, listEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { listTokensOf } from "../../db/tokens.ts";
import { findUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { recordEvent } from "../events.ts";
import type { Locale } from "../languages.ts";
import { noSession, type SignedIn } from "../sign_in/current_user.ts";
import { requireRecent } from "../sign_in/reauthentication.ts";

/** How many events the export holds at most. */
const MOST_EVENTS = 10_000;
/** How many tokens it holds at most. */
const MOST_TOKENS = 1_000;

/** What the export says of an account beyond what its owner sees every day, in the words of the table. */
export type MoreTimes = Pick<
  UserRow,
  "updated_at" | "signed_in_at" | "frozen_at" | "closed_at" | "purge_at" | "disabled_at"
>;

/** An account as its owner sees it; times are milliseconds since 1970. */
export interface Account {
  /** UUID v7. */
  id: string;
  /** The address as typed. */
  email: string;
  /** When the mailbox was proven. */
  emailVerifiedAt: number | null;
  /** What the user is called. */
  name: string | null;
  /** Language of mails and pages. */
  locale: string | null;
  /** When the account was made. */
  createdAt: number;
}

/** A row without its secrets; times are milliseconds since 1970 in columns whose name ends in `_at`. */
export type ExportRow = Record<string, string | number | null>;

/** All that is stored of a user, without secrets. */
export interface AccountExport {
  /** The account. */
  account: Account & MoreTimes;
  /** Rows of the live sessions. */
  sessions: ExportRow[];
  /** Rows of what waits for a link or code out of a mail. */
  tokens: ExportRow[];
  /** Rows of the events. */
  events: ExportRow[];
}

/** The account of the user who asks. Throws `no_session` when it was erased meanwhile. */
export async function getAccount(auth: Auth, user: SignedIn): Promise<Account> {
  return accountOf(await requireRow(auth, user));
}

/** Changes what the user may say freely; what is not given, or so already, stays. Throws `no_session`. */
export async function updateAccount(
  auth: Auth,
  user: SignedIn,
  change: { name?: string | null; locale?: Locale },
  caller: Caller,
): Promise<Account> {
  const row = await requireRow(auth, user);
  const given = Object.fromEntries(
    Object.entries(change).filter(([name, value]) => value !== undefined && value !== row[name as keyof typeof change]),
  );
  if (Object.keys(given).length === 0) return accountOf(row);
  await auth.db.transaction(async (db) => {
    await updateUser(db, row.id, { ...given, updated_at: auth.clock() });
    await recordEvent(auth, db, { type: "account_updated", userId: row.id, caller });
  });
  return accountOf({ ...row, ...given });
}

/** All that is stored of a user who signed in within the last ten minutes. Throws `no_session`, `login_required`. */
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
      // When a change of the address ends depends on whether its mail was sent: it would tell whose that address is (V52).
      ...(purpose !== "change_email" && { expires_at }),
      email,
    })),
    events: events.map(({ mail: _mail, mail_at: _at, mail_until: _until, mail_tries: _tries, ...rest }) => rest),
  };
}

async function requireRow(auth: Auth, { id }: SignedIn): Promise<UserRow> {
  const row = await findUserBy(auth.db, { id });
  if (!row) throw noSession();
  return row;
}

function moreOf({ updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at }: UserRow): MoreTimes {
  return { updated_at, signed_in_at, frozen_at, closed_at, purge_at, disabled_at };
}

function accountOf(row: UserRow): Account {
  const { id, email, name, locale } = row;
  return { id, email, emailVerifiedAt: row.email_verified_at, name, locale, createdAt: row.created_at };
}
