/**
 * How much memory a session check allocates, counted by V8: the garbage of an application's most frequent request. A
 * change that doubles it fails here, on any machine and under any load. The round trips are in round_trips_test.ts.
 *
 * @module
 */
import assert from "node:assert/strict";
import v8 from "node:v8";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser } from "../../auth/admin/users.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { createLog } from "../../auth/runtime/log.ts";
import { createApp } from "../../routes/app.ts";
import { emptyDatabase, type Engine, ENGINES, PUBLIC_SETTINGS, sessionOf, testConfig } from "../kit/service.ts";

/** Bytes of one check with its request and answer. It was 19,000 on SQLite and 36,000 on PostgreSQL. */
const MOST: Record<Engine, number> = { sqlite: 25_000, postgres: 46_000 };
/** V8 compiles during the first batches, which allocates too; the cheapest batch counts. */
const BATCHES = 8, BATCH = 250;

/** Bytes that this program has allocated so far, whether they are collected or not. */
function allocated(): number {
  // Newer than the types of Node.
  const { total_allocated_bytes: bytes } = v8.getHeapStatistics() as unknown as Record<string, number>;
  assert.ok(bytes > 0);
  return bytes;
}

for (const engine of ENGINES) {
  Deno.test(`a session check allocates at most ${MOST[engine]} bytes (${engine})`, async () => {
    const config = testConfig({ ...PUBLIC_SETTINGS, DATABASE_URL: await emptyDatabase(engine) });
    const log = createLog(() => {});
    const auth = await openAuth(config, { folder: "/tmp", log });
    try {
      const app = createApp(auth);
      const email = "anna@example.com", password = "some staples of nine horses";
      await createUser(auth, OPERATOR, email, password);
      const body = new URLSearchParams({ email, password });
      const session = sessionOf(await app.request("/sessions", { method: "POST", body }));
      const headers = { cookie: `__Host-session_id=${session}` };
      for (const path of ["/profile", "/session"]) {
        let least = Infinity;
        for (let batch = 0; batch < BATCHES; batch++) {
          const before = allocated();
          for (let check = 0; check < BATCH; check++) {
            const response = await app.request(path, { headers });
            assert.equal(response.status, 200);
          }
          least = Math.min(least, (allocated() - before) / BATCH);
        }
        assert.ok(least <= MOST[engine], `${path}: ${Math.round(least)} bytes`);
      }
    } finally {
      await closeAuth(auth);
      log.flush();
    }
  });
}
