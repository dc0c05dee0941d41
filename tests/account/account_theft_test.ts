/**
 * Whoever knew the password once keeps nothing of the account, as long as its owner has the first mailbox and the
 * former password within 72 hours. `deno task test:scale` runs 10,000 sequences.
 *
 * @module
 */
import { assertOwnerRecovers, THEFT_SETTINGS } from "../kit/account_theft.ts";
import { test } from "../kit/service.ts";

test(
  "A1: after random steps of a thief, the owner's own undo brings the account back for good",
  (service) => assertOwnerRecovers(service, { runs: 24, seed: 1 }),
  THEFT_SETTINGS,
);
