/**
 * The one place where access to an account ends. Every flow that removes access calls it: reset, change of password or
 * address, undo, closing, the operator. Must not decide why, nor write an event.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { deletePendingLoginsOf } from "../../db/pending_logins.ts";
import { deleteSessionsOf } from "../../db/sessions.ts";
import { deleteTokensOf } from "../../db/tokens.ts";
import type { Auth } from "../auth.ts";
import { hashToken } from "../secrets.ts";

/** What stays. Undo links always stay: the person who made the change must not be able to end them (S28). */
interface KeptAccess {
  /** The secret id of a session that stays. */
  session?: string;
  /** `reopen` keeps the link that opens a closed account. `all` keeps all one-time tokens: only sessions end. */
  tokens?: "reopen" | "all";
}

/**
 * In a transaction that locked the user's row: ends sessions, pending logins and tokens. Returns how many sessions were
 * live.
 */
export async function endAccess(auth: Auth, db: DB, userId: string, keep: KeptAccess = {}): Promise<number> {
  const session = keep.session === undefined ? undefined : hashToken(keep.session);
  // Sent together: none needs the answer of another.
  const [ended] = await Promise.all([
    deleteSessionsOf(db, userId, session, auth.clock()),
    deletePendingLoginsOf(db, userId),
    keep.tokens !== "all" && deleteTokensOf(db, userId, keep.tokens),
  ]);
  return ended;
}
