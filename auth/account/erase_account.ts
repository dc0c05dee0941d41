/**
 * Erases what is left of a person after the user's row was deleted. Must not decide which account is due.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { eraseEventsOf } from "../../db/events.ts";
import { deleteRegistrations } from "../../db/tokens.ts";
import type { Auth } from "../auth.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import { eraseCounts } from "../limits/erase_counts.ts";

/**
 * In the transaction that deleted the user: removes the personal data from events, and the registrations and counters
 * of the address. Only the fact that an account with this id existed stays.
 */
export async function forgetPerson(
  auth: Auth,
  db: DB,
  user: { id: string; emailKey: string },
  details?: NewEvent["details"],
): Promise<void> {
  await deleteRegistrations(db, user.emailKey);
  await eraseEventsOf(db, user.id);
  await eraseCounts(db, { emailKey: user.emailKey, userId: user.id });
  await recordEvent(auth, db, { type: "account_purged", userId: user.id, details });
}
