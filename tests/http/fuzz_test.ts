/**
 * A short run of garbage through the whole service; the long one is in `tests/long/`.
 *
 * @module
 */
import { fuzz } from "../kit/fuzz.ts";
import { test } from "../kit/service.ts";

test("F17: 2,000 garbage and mutated requests are all answered, none by a fault, and the contract holds afterwards", async (service) => {
  // So short a run says nothing of memory.
  await fuzz(service, 2_000);
});
