/**
 * Tests that need a program which a machine may lack. Such a test is skipped with a printed reason, never silently:
 * `.ci/run` installs all programs and counts a line that begins with SKIPPED as a failure.
 *
 * @module
 */

/** Prints why something is not tested here. */
export function skipped(what: string, why: string): void {
  console.log(`SKIPPED: ${what}: ${why}`);
}

/** Registers a test that runs only where all these commands succeed. */
export function testWith(programs: string[][], name: string, work: (t: Deno.TestContext) => Promise<void>): void {
  const missing = programs.filter((command) => !succeeds(command)).map((command) => command.join(" "));
  if (missing.length > 0) return skipped(name, `this machine cannot run: ${missing.join("; ")}`);
  Deno.test(name, work);
}

function succeeds([command, ...args]: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
