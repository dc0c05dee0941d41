/**
 * What a session check costs, by counts: statements, and bytes that it allocates. No time is measured, so a busy
 * machine changes nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import v8 from "node:v8";
import { openChecks } from "../kit/session_checks.ts";
import { emptyDatabase, ENGINES, test } from "../kit/service.ts";

/**
 * The most that one check may allocate, in bytes; an eighth more than it does. The request and the answer that the test
 * makes are a third of it.
 */
const MOST_BYTES = { sqlite: 13_000, postgres: 16_500 };
/** V8 compiles during the first batches, which allocates too; the cheapest batch counts. */
const BATCHES = 8, BATCH = 1_600;

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
      let bytes = Infinity;
      for (let batch = 0; batch < BATCHES; batch++) {
        bytes = Math.min(bytes, await allocatedBy(() => service.check(BATCH)) / BATCH);
      }
      const shown = `${Math.round(bytes)} bytes`;
      assert.ok(bytes < MOST_BYTES[engine], shown);
      assert.ok(bytes > MOST_BYTES[engine] / 2, `${shown}: the bound is too wide`);
    } finally {
      if (engine === "sqlite") await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
    }
  });
}

/** The bytes that V8 allocates during the work, whether it collects them or not. */
async function allocatedBy(work: () => Promise<void>): Promise<number> {
  const before = allocated();
  await work();
  return allocated() - before;
}

function allocated(): number {
  // Newer than the types of Node.
  const { total_allocated_bytes: bytes } = v8.getHeapStatistics() as unknown as Record<string, number>;
  assert.ok(bytes > 0);
  return bytes;
}
