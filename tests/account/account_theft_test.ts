/**
 * Whoever knew the password once keeps nothing of the account, as long as its owner has the first mailbox and the
 * former password within 72 hours.
 *
 * @module
 */
import { assertOwnerRecovers } from "../kit/account_theft.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

/** Limits on guesses would only cost the thief time. */
const SETTINGS = { ...PUBLIC_SETTINGS, THROTTLE: "observe" };

test(
  "A1: after random steps of a thief, the owner's own undo brings the account back for good",
  (service) =>
    assertOwnerRecovers(service, Number(Deno.env.get("SEQUENCES") ?? 60), Number(Deno.env.get("SEED") ?? 12)),
  SETTINGS,
);
