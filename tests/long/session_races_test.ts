/**
 * The pairs of tests/session_races_test.ts, a thousand times each.
 *
 * @module
 */
Deno.env.set("RACE_ROUNDS", "1000");
await import("../session_races_test.ts");
