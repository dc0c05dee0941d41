/**
 * What users see and change in their own account. Must not change an address or a password.
 *
 * @module
 */
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { recordEvent } from "../events.ts";
import type { Locale } from "../languages.ts";
import { LIMITS } from "../limits/limits.ts";
import { requireWithin } from "../limits/rate_limits.ts";
import { noSession, requireRow, type SignedIn } from "../sign_in/current_user.ts";
import { holdSession } from "../sign_in/sessions.ts";

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

/** The account of this user. Throws `no_session` when it was erased meanwhile. */
export async function getAccount(auth: Auth, user: SignedIn): Promise<Account> {
  return accountOf(await requireRow(auth, user));
}

/** Changes the name or the language. Absent or unchanged values write nothing. Throws `no_session`, `rate_limited`. */
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
    await requireWithin(auth, LIMITS.profileChanges, { of: [row.id], db });
    await Promise.all([
      updateUser(db, row.id, { ...given, updated_at: auth.clock() }),
      recordEvent(auth, db, { type: "account_updated", userId: row.id, caller }),
    ]);
    return accountOf({ ...row, ...given });
  });
}

/** What the owner sees of the row. */
export function accountOf(row: UserRow): Account {
  const { id, email, name, locale } = row;
  const hasPassword = row.hashed_password !== null;
  return { id, email, emailVerifiedAt: row.email_verified_at, name, locale, hasPassword, createdAt: row.created_at };
}
