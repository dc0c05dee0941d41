/**
 * What a session check costs, by counts: statements, and bytes that it allocates. No time is measured, so a busy
 * machine changes nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import inspector from "node:inspector";
import { dirname } from "node:path";
import { openChecks } from "../kit/session_checks.ts";
import { emptyDatabase, ENGINES, test } from "../kit/service.ts";

/**
 * The most that one check may allocate, in bytes; an eighth more than it does. The request and the answer that the test
 * makes are a third of it.
 */
const MOST_BYTES = { sqlite: 13_500, postgres: 17_000 };
const CHECKS = 8_000;

test("sixteen checks at once run sixteen statements, good and refused ones", async (service) => {
  await service.register("ada@example.com", "correct horse");
  const session = await service.logIn("ada@example.com", "correct horse");
  const unknown = `${session.slice(0, -1)}${session.endsWith("A") ? "B" : "A"}`;
  const statements: string[] = [];
  const stop = service.watch((sql) => statements.push(sql));
  const check = async (cookie: string | undefined): Promise<number[]> => {
    statements.length = 0;
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => service.request("GET", "/profile", { session: cookie })),
    );
    return [statements.length, ...new Set(answers.map(({ status }) => status))];
  };
  assert.deepEqual(await check(session), [16, 200]);
  assert.deepEqual(await check(unknown), [16, 403]);
  assert.deepEqual(await check("malformed"), [0, 403]);
  assert.deepEqual(await check(undefined), [0, 403]);
  stop();
});

for (const engine of ["sqlite", "postgres"] as const) {
  Deno.test(`a session check allocates few bytes [${engine}]`, { ignore: !ENGINES.includes(engine) }, async () => {
    const url = await emptyDatabase(engine);
    try {
      await using service = await openChecks(url);
      // Functions are compiled first.
      await service.check(CHECKS / 4);
      const bytes = await allocatedBy(() => service.check(CHECKS)) / CHECKS;
      assert.ok(bytes < MOST_BYTES[engine], `${Math.round(bytes)} bytes`);
      assert.ok(bytes > MOST_BYTES[engine] / 2, `${Math.round(bytes)} bytes: the bound is too wide`);
    } finally {
      if (engine === "sqlite") await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
    }
  });
}

interface Allocations {
  selfSize: number;
  children: Allocations[];
}

/** The bytes that V8 allocates during the work, from a sample of one in some thousands. */
async function allocatedBy(work: () => Promise<void>): Promise<number> {
  const session = new inspector.Session();
  session.connect();
  const ask = (method: string, parameters = {}) =>
    new Promise<{ profile: { head: Allocations } }>((resolve, reject) =>
      session.post(
        method,
        parameters,
        (error, result) => error ? reject(error) : resolve(result as unknown as { profile: { head: Allocations } }),
      )
    );
  await ask("HeapProfiler.enable");
  await ask("HeapProfiler.startSampling", {
    samplingInterval: 4_096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = await ask("HeapProfiler.stopSampling");
  session.disconnect();
  const sizeOf = ({ selfSize, children }: Allocations): number =>
    children.reduce((sum, child) => sum + sizeOf(child), selfSize);
  return sizeOf(profile.head);
}
