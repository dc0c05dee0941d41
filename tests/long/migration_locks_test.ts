/**
 * Migrations on PostgreSQL beside a long transaction, which holds a lock that they need. Requests must go on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DB } from "../../db/db.ts";
import { migrate, type Migration, MIGRATIONS } from "../../db/migrations.ts";
import { openService } from "../kit/opened_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const ignore = !ENGINES.includes("postgres");
const NEXT: Migration = { name: "9999_nickname", sql: "ALTER TABLE users ADD COLUMN nickname TEXT;\n" };
const FORM = { email: "ada@example.com", password: "correct horse" };
/** How many backends wait for a lock on the table. */
const WAITING = "SELECT count(*) AS count FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted";

/** Waits until the condition holds. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test(
  "B6: a migration waits for a long transaction, and another instance answers meanwhile",
  { ignore },
  async () => {
    const url = await emptyDatabase("postgres");
    await using service = await openService(url);
    assert.equal(await service.status("POST", "/users", FORM), 200);
    const warnings: string[] = [];
    await using newer = await DB.open(url, { folder: "/tmp", warn: (sentence) => void warnings.push(sentence) });
    await using second = await DB.open(url, { folder: "/tmp" });
    await using watching = await DB.open(url, { folder: "/tmp" });
    const waits = async () => (await watching.get<{ count: number }>(WAITING))!.count > 0;
    const end = Promise.withResolvers<void>(), begun = Promise.withResolvers<void>();
    await using other = await DB.open(url, { folder: "/tmp" });
    // As a report or a backup does: a lock that only a change of the schema waits for. `exclusively` would be in the way.
    const long = other.transaction(async (tx) => {
      await tx.all("SELECT id FROM users");
      begun.resolve();
      // So that the server does not end it as idle.
      for (let ended = false; !ended;) {
        await tx.get("SELECT 1 AS one");
        ended = await Promise.race([
          end.promise.then(() => true),
          new Promise<false>((go) => setTimeout(go, 500, false)),
        ]);
      }
    });
    await begun.promise;
    let migrated = false;
    const applied = Promise.all([newer, second].map((db) => migrate(db, 1, [...MIGRATIONS, NEXT]))).finally(() => {
      migrated = true;
    });
    // Each time, the requests arrive while the migration waits in front of them.
    for (let tries = 0; tries < 2; tries++) {
      await until(waits);
      assert.equal(await service.status("POST", "/sessions", FORM), 200);
      assert.equal(await service.status("POST", "/users", { ...FORM, email: `user${tries}@example.com` }), 200);
      await until(async () => !await waits());
      // In the pause nobody waits, and only one of the two instances tries.
      assert.equal(await service.status("POST", "/sessions", FORM), 200);
      assert.equal(migrated, false);
    }
    // An instance of this version that restarts has nothing to do, and does not wait.
    assert.deepEqual(await migrate(watching, 1), []);
    end.resolve();
    await long;
    assert.deepEqual((await applied).flat(), [NEXT.name]);
    assert.equal(warnings.length <= 1, true);
    assert.equal(await service.status("POST", "/sessions", FORM), 200);
    assert.ok((await watching.columns("users")).includes("nickname"));
  },
);
