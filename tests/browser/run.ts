/**
 * Runs the tests in a browser, and prints at the end how many passed. Without Chromium it prints that everything was
 * skipped.
 *
 * @module
 */
import { skipped } from "../kit/programs.ts";
import { hasBrowser } from "./browser.ts";

if (!hasBrowser()) {
  skipped("every test in a browser", "there is no Chromium; install Debian's chromium, or name one by CHROMIUM");
  console.log("0 passed, 0 failed");
  Deno.exit(0);
}

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", ...Deno.args],
  env: { NO_COLOR: "1" },
  cwd: import.meta.dirname,
  stdout: "piped",
}).spawn();
let tail = "";
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  await Deno.stdout.write(new TextEncoder().encode(text));
  tail = (tail + text).slice(-4_000);
}
const { code } = await child.status;
const [, passed, failed] = /(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/.exec(tail) ?? [];
console.log(passed === undefined ? "0 passed, 1 failed" : `${passed} passed, ${failed} failed`);
Deno.exit(code);
