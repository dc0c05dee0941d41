/**
 * A long run of random requests through the whole service, on each engine.
 *
 * @module
 */
import { fuzz } from "../kit/fuzz.ts";
import { test } from "../kit/service.ts";

test("F17: 100,000 random and mutated requests cause no fault and no memory growth, and the contract holds after", async (service) => {
  await fuzz(service, 100_000, 0.1);
});
