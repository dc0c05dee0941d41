/**
 * What a restored backup must not bring back to life. Must not be called by anything that answers a request.
 *
 * @module
 */
import type { DB } from "../db.ts";

/**
 * Ends what an older copy of the data would bring back to life: all sessions, and all tokens but those that undo a
 * change or open a closed account, which are their owners' only way back.
 */
export async function endAllAccess(db: DB): Promise<void> {
  await db.run("DELETE FROM sessions");
  await db.run("DELETE FROM pending_logins");
  await db.run("DELETE FROM tokens WHERE purpose <> $1 AND purpose <> $2", "undo", "reopen");
}
