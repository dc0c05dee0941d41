/**
 * What goes with an account that is erased, beside the rows that the database takes with it. Must not decide whose time
 * has come.
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
 * In the transaction that deleted the user: takes the person out of the events, and what was prepared or counted for the
 * address. What is left is that there was an account with this id.
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
