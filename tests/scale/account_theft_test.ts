/**
 * The random sequences of `tests/account/account_theft_test.ts` in great number. `SEQUENCES` and `SEED` choose others.
 *
 * @module
 */
import { assertOwnerRecovers, THEFT_SETTINGS } from "../kit/account_theft.ts";
import { test } from "../kit/service.ts";

const runs = Number(Deno.env.get("SEQUENCES") ?? 10_000), seed = Number(Deno.env.get("SEED") ?? 1);

test(
  `A1: after ${runs} random thefts (seed ${seed}), the owner's own undo brings the account back for good`,
  (service) => assertOwnerRecovers(service, { runs, seed }),
  THEFT_SETTINGS,
);
