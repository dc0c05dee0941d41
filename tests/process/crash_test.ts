/**
 * The process is killed during its work: two rounds of what `tests/long/crash_test.ts` does many times.
 *
 * @module
 */
import { crashWhileRegistering, crashWhileResetting } from "../kit/process/crash.ts";

Deno.test("F01: after kill -9 during many registrations every acknowledged user can log in", async () => {
  await crashWhileRegistering(2, 60);
});

Deno.test("F02: after kill -9 each new password and each logout is either complete or has no effect", async () => {
  await crashWhileResetting(2, 60);
});
