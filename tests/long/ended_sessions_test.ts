/**
 * S40 with two processes on one database, ten thousand times: a session that ended on one instance is refused by the
 * other in a request that arrives after the answer. Other requests keep the lookups of both in batches.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DB } from "../../db/db.ts";
import { hashToken, newId, randomToken } from "../../auth/secrets.ts";
import { dataFolder, startService } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const ROUNDS = 10_000;
/** Requests at once: enough that most lookups are in a batch. */
const AT_ONCE = 16;
/** Sessions of one user. */
const SESSIONS_EACH = 50;

for (const engine of ["sqlite", "postgres"] as const) {
  const ignore = !ENGINES.includes(engine);
  Deno.test(
    `S40: 10,000 sessions that ended on one instance are refused by the other [${engine}]`,
    { ignore },
    async () => {
      await using data = await dataFolder();
      const { env, flags } = data.options;
      const url = engine === "sqlite" ? env.DATABASE_URL : await emptyDatabase(engine);
      const options = { env: { ...env, DATABASE_URL: url, WORKERS: "1" }, flags };
      await using one = await startService(options);
      await using other = await startService(options);
      const live = await sessions(url, AT_ONCE), ending = await sessions(url, ROUNDS);
      let running = true, checks = 0;
      const checkOthers = async (session: string): Promise<void> => {
        for (let round = 0; running; round++) {
          const response = await (round % 2 ? one : other).send("GET", "/profile", undefined, session);
          await response.body?.cancel();
          assert.equal(response.status, 200);
          checks++;
        }
      };
      const background = Promise.all(live.map(checkOthers));
      let next = 0;
      const endSessions = async (): Promise<void> => {
        for (let round = next++; round < ROUNDS; round = next++) {
          const [first, second] = round % 2 ? [one, other] : [other, one];
          const logout = await first.send("DELETE", "/sessions", undefined, ending[round]);
          await logout.body?.cancel();
          assert.equal(logout.status, 302);
          const check = await second.send("GET", "/profile", undefined, ending[round]);
          const text = await check.text();
          assert.equal(check.status, 403, `round ${round}: ${text}`);
        }
      };
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, endSessions));
      } finally {
        running = false;
        await background;
      }
      assert.ok(next >= ROUNDS && checks > ROUNDS / 10, `${checks} other checks`);
    },
  );
}

/** Adds this many sessions of new users, without logging anybody in. */
async function sessions(url: string, count: number): Promise<string[]> {
  await using db = await DB.open(url, { folder: "/tmp" });
  const now = Date.now();
  return await db.transaction(async (db) => {
    const tokens: string[] = [];
    let userId = "";
    for (let index = 0; index < count; index++) {
      if (index % SESSIONS_EACH === 0) {
        userId = newId(now);
        await db.run(
          "INSERT INTO users (id, email, email_key, created_at, updated_at) VALUES ($1, $2, $2, $3, $3)",
          userId,
          `${userId}@example.com`,
          now,
        );
      }
      const token = randomToken();
      await db.run(
        `INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, expires_at, ends_at)
         VALUES ($1, $2, $3, $4, $4, $5, $5)`,
        hashToken(token),
        newId(now),
        userId,
        now,
        now + 86_400_000,
      );
      tokens.push(token);
    }
    return tokens;
  });
}
