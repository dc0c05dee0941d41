/**
 * The one place where access to an account ends. Whatever takes access away calls it: a reset, a change of password or
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

/** What stays. Links that undo a change always stay: whoever made the change must not be able to end them (S28). */
export interface KeptAccess {
  /** The session with this id. */
  session?: string;
  /** The link that opens a closed account; or all one-time tokens, where only sessions are to end. */
  tokens?: "reopen" | "all";
}

/**
 * In a transaction that has locked the user's row: ends the user's sessions, pending logins and one-time tokens, and
 * gives how many sessions were live.
 */
export async function endAccess(auth: Auth, db: DB, userId: string, keep: KeptAccess = {}): Promise<number> {
  const session = keep.session === undefined ? undefined : hashToken(keep.session);
  // Sent in one go: none needs the answer to the one before it.
  const [ended] = await Promise.all([
    deleteSessionsOf(db, userId, session, auth.clock()),
    deletePendingLoginsOf(db, userId),
    keep.tokens !== "all" && deleteTokensOf(db, userId, keep.tokens),
  ]);
  return ended;
}
