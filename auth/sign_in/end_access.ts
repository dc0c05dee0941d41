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
import { replaceDeviceMark } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { hashToken, randomToken } from "../secrets.ts";

/** What stays. Undo links always stay: the person who made the change must not be able to end them (S28). */
interface KeptAccess {
  /** The secret id of a session that stays. */
  session?: string;
  /** `reopen` keeps the link that opens a closed account. `all` keeps all one-time tokens and devices: only sessions end. */
  tokens?: "reopen" | "all";
  /** `all` keeps the known devices. Another value is the user's new mark, for a caller that signs its own device by it. */
  devices?: "all" | { mark: string };
}

/**
 * In a transaction that locked the user's row: ends sessions, pending logins and tokens, and makes all known devices
 * unknown. Returns how many sessions were live.
 */
export async function endAccess(auth: Auth, db: DB, userId: string, keep: KeptAccess = {}): Promise<number> {
  const session = keep.session === undefined ? undefined : hashToken(keep.session);
  const { devices = { mark: randomToken() } } = keep;
  // Sent together: none needs the answer of another.
  const [ended] = await Promise.all([
    deleteSessionsOf(db, userId, session, auth.clock()),
    deletePendingLoginsOf(db, userId),
    keep.tokens !== "all" && deleteTokensOf(db, userId, keep.tokens),
    // A thief's device would keep its own guesses and its place in the hash queue, and log in unnoticed.
    keep.tokens !== "all" && devices !== "all" && replaceDeviceMark(db, userId, devices.mark),
  ]);
  return ended;
}
