/**
 * What a restored backup must not bring back to life. Must not be called by anything that answers a request.
 *
 * @module
 */
import type { DB } from "../db.ts";

/**
 * Ends what an older copy of the data would bring back to life: all sessions, pending logins, posted forms and tokens,
 * and the keys that signed the cookies of known devices. The next start makes another key. Tokens that undo a change or
 * reopen an account stay: their owners have no other way to get the account back.
 */
export async function endAllAccess(db: DB): Promise<void> {
  const tables = await db.tables();
  if (tables.includes("sessions")) await db.run("DELETE FROM sessions");
  // A backup of an older version has no such table.
  if (tables.includes("pending_logins")) await db.run("DELETE FROM pending_logins");
  if (tables.includes("keys")) await db.run("DELETE FROM keys WHERE purpose = $1", "device");
  // A form of then did nothing to the data of now.
  if (tables.includes("form_posts")) await db.run("DELETE FROM form_posts");
  if (tables.includes("tokens")) {
    await db.run("DELETE FROM tokens WHERE purpose <> $1 AND purpose <> $2", "undo", "reopen");
  }
}
