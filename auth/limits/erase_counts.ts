/**
 * Erases the counters of a person. Must not name a counter: the table of limits says which are personal.
 *
 * @module
 */
import { deleteCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import { deleteGuesses } from "../../db/guesses.ts";
import type { Limit, PersonKey } from "./limit_rows.ts";
import { limitId, LIMITS } from "./limits.ts";

/** Deletes every counter and all guesses with a key of this person in their ids, when the account is erased (S46). */
export async function eraseCounts(db: DB, person: Readonly<Record<PersonKey, string>>): Promise<void> {
  const limits: readonly Limit[] = Object.values(LIMITS);
  for (const limit of limits) {
    if ("outlives" in limit) continue;
    const remove: (db: DB, id: string) => Promise<unknown> = "window" in limit ? deleteCounter : deleteGuesses;
    for (const id of idsOf(limit, person)) await remove(db, id);
  }
}

function idsOf(limit: Limit, person: Readonly<Record<PersonKey, string>>): string[] {
  const keys = limit.personal.map((key) => person[key]);
  return limit.kinds?.flatMap((kind) => keys.map((key) => limitId(limit, kind, key))) ??
    keys.map((key) => limitId(limit, key));
}
