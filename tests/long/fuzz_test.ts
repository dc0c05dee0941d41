/**
 * A long run of garbage through the whole service, on each engine.
 *
 * @module
 */
import { fuzz } from "../kit/fuzz.ts";
import { test } from "../kit/service.ts";

test("F17: 100,000 garbage and mutated requests are all answered, none by a fault, memory stays, and the contract holds afterwards", async (service) => {
  await fuzz(service, 100_000, 0.1);
});
