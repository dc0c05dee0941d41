/**
 * The races of tests/sign_in/session_races_test.ts, a thousand rounds each.
 *
 * @module
 */
Deno.env.set("RACE_ROUNDS", "1000");
await import("../sign_in/session_races_test.ts");
