/**
 * The seed of the property tests: a new one in every run, printed, so that a failing run can be repeated. Each file
 * with properties imports it for its effect.
 *
 * @module
 */
import fc from "fast-check";

/** The seed of fast-check; `TEST_SEED` sets it. */
const SEED = Number(Deno.env.get("TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);

console.log(`properties run with TEST_SEED=${SEED}`);
fc.configureGlobal({ seed: SEED });
