/**
 * How many files of ours a session check goes through, by the coverage of two runs that differ in the number of checks
 * alone: what runs once more with each check belongs to it. Few files, since this is what an application asks all the
 * time and what a reader should follow in one sitting.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "../kit/process/started_service.ts";

/** The log, the batch and what stands in front of the router among them. */
const MOST_FILES = 13;
const FEW = 1, MANY = 101;

/** One function as V8 counts it. */
interface Counted {
  functionName: string;
  ranges: { startOffset: number; count: number }[];
}

/** How often each function of the service ran in a process that did so many session checks. */
async function callsIn(checks: number): Promise<Map<string, number>> {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--node-modules-dir=manual",
        "--no-prompt",
        "-A",
        `--coverage=${folder}`,
        "tests/kit/session_checks.ts",
        String(checks),
      ],
      cwd: PROJECT,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const calls = new Map<string, number>();
    for (const { name } of Deno.readDirSync(folder)) {
      if (!name.endsWith(".json")) continue;
      const { url, functions }: { url: string; functions: Counted[] } = JSON.parse(
        Deno.readTextFileSync(`${folder}/${name}`),
      );
      const file = url.replace(`file://${PROJECT}/`, "");
      if (!/^(?:auth|db|routes)\//.test(file)) continue;
      for (const { functionName, ranges: [range] } of functions) {
        const key = `${file} ${functionName} ${range.startOffset}`;
        calls.set(key, (calls.get(key) ?? 0) + range.count);
      }
    }
    return calls;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a session check executes functions of at most 13 files of ours", async () => {
  const [few, many] = await Promise.all([callsIn(FEW), callsIn(MANY)]);
  const grown = [...many].filter(([key, count]) => count - (few.get(key) ?? 0) >= MANY - FEW);
  const files = [...new Set(grown.map(([key]) => key.split(" ")[0]))].sort();
  assert.ok(files.includes("routes/api/profile.ts") && files.includes("db/sessions.ts"), files.join("\n"));
  assert.ok(files.length <= MOST_FILES, `${files.length} files:\n${files.join("\n")}`);
});
