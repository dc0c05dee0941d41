/**
 * A short run of garbage through the whole service; the long one is in `tests/long/`.
 *
 * @module
 */
import { fuzz } from "../kit/fuzz.ts";
import { test } from "../kit/service.ts";

test("F17: 2,000 random and mutated requests are answered without a fault, and the contract holds after", async (service) => {
  // So short a run says nothing of memory.
  await fuzz(service, 2_000);
});
