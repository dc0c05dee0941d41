/**
 * The process is killed during its work, many times.
 *
 * @module
 */
import { crashWhileRegistering, crashWhileResetting } from "../kit/process/crash.ts";

Deno.test("F01, long: after each of 100 kills every acknowledged user can log in", async () => {
  await crashWhileRegistering(100, 600);
});

Deno.test("F02, long: after each of 100 kills each change is either complete or has no effect", async () => {
  await crashWhileResetting(100, 120);
});
