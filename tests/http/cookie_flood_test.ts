/**
 * A flood of invented session cookies: what it costs the database, and that it leaves no rows. Statements are counted,
 * time is not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { randomToken } from "../../auth/secrets.ts";
import { type Service, test } from "../kit/service.ts";

const FLOOD = 2_000;
const MALFORMED = [
  "",
  "x",
  "null",
  "A".repeat(42),
  "A".repeat(44),
  "A".repeat(42) + "=",
  "A".repeat(42) + "\u00e9",
  "%41",
];

/** Counts the reads and writes that the work makes the service run. */
async function statementsOf(service: Service, work: () => Promise<void>): Promise<{ reads: number; writes: number }> {
  const count = { reads: 0, writes: 0 };
  const stop = service.watch((sql) => count[sql.startsWith("SELECT") ? "reads" : "writes"]++);
  try {
    await work();
  } finally {
    stop();
  }
  return count;
}

for (const path of ["/profile", "/session", "/account", "/sessions"]) {
  const refusal = path === "/session" ? 401 : 403;

  test(`F25: guessed cookies at GET ${path} cost one read each, and no write`, async (service) => {
    await service.register("anna@example.com", "b4l0u");
    const session = await service.logIn("anna@example.com", "b4l0u");
    const before = await service.rows("SELECT * FROM sessions WHERE expires_at > $1", 0);
    // Late enough that a valid session check would write its last use.
    service.clock.now += 3_600_000;
    const flood = await statementsOf(service, async () => {
      for (let sent = 0; sent < FLOOD; sent += 100) {
        const answers = await Promise.all(
          Array.from({ length: 100 }, () => service.send("GET", path, undefined, randomToken())),
        );
        assert.ok(answers.every(([status]) => status === refusal));
      }
    });
    assert.deepEqual(flood, { reads: FLOOD, writes: 0 });
    assert.deepEqual(await service.rows("SELECT * FROM sessions WHERE expires_at > $1", 0), before);
    const hit = await statementsOf(service, async () => {
      assert.equal((await service.send("GET", path, undefined, session))[0], 200);
    });
    assert.equal(hit.writes, 1, "the counting would have seen a write");
  });

  test(`F25: malformed cookies at GET ${path} never reach the database`, async (service) => {
    const flood = await statementsOf(service, async () => {
      for (const cookie of MALFORMED) {
        const headers = { cookie: `session_id=${cookie}` };
        assert.equal((await service.request("GET", path, { headers })).status, refusal, cookie);
      }
      const twice = `session_id=${randomToken()}; session_id=${randomToken()}`;
      assert.equal((await service.request("GET", path, { headers: { cookie: twice } })).status, refusal);
    });
    assert.deepEqual(flood, { reads: 0, writes: 0 });
  });
}
