/**
 * A short run of random requests through the whole service; the long one is in `tests/long/`.
 *
 * @module
 */
import { fuzz } from "../kit/fuzz.ts";
import { test } from "../kit/service.ts";

test("F17: 2,000 random and mutated requests are answered without a fault, and the contract holds after", async (service) => {
  // Memory is not measured, because the run is too short.
  await fuzz(service, 2_000);
});
