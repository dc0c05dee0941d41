/**
 * The command `sweep`.
 *
 * @module
 */
import { sweep } from "../../auth/maintenance/sweep.ts";
import { type Command, JSON_OPTION, withAuth } from "./command.ts";
import { json } from "./output.ts";

/** Removes what has ended, without waiting for the service to do it. */
export const SWEEP: Command = {
  summary: "remove what has ended",
  help: `Removes sessions, tokens, counters and events that have ended, and erases the closed accounts that are due. A
running service does so by itself about every minute; this is for databases without one.`,
  words: [],
  options: JSON_OPTION,
  run: (given, outside) =>
    withAuth(outside, async (auth) => {
      const removed = await sweep(auth);
      outside.print(given.flag("json") ? json({ removed }) : `${removed} rows are removed.`);
    }),
};
