/**
 * The seed of the property tests: another one in every run, printed, so that a run which found something can be had
 * again. Imported for its effect by each file with properties.
 *
 * @module
 */
import fc from "fast-check";

/** What fast-check makes its inputs from; `TEST_SEED` sets it. */
export const SEED = Number(Deno.env.get("TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);

console.log(`properties run with TEST_SEED=${SEED}`);
fc.configureGlobal({ seed: SEED });
