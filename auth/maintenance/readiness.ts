/**
 * Whether this instance should get requests: its database answers and has the current schema, and nobody told it to
 * stop.
 *
 * @module
 */
import { isMigrated } from "../../db/migrations.ts";
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";

/** Returns when the instance is ready. Throws `stopping`, `database_unavailable`, or `DatabaseUnavailable`. */
export async function requireReadiness(auth: Auth): Promise<void> {
  if (auth.stopping) throw new AuthError("stopping", "this instance is about to end");
  if (!await isMigrated(auth.db)) throw new AuthError("database_unavailable", "the database has another schema");
}
