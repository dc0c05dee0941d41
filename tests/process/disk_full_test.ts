/**
 * A full disk (F04): writes that cannot be stored answer 503, reads work, and the service works again without help once
 * there is space. On SQLite, whose file size can be limited; a PostgreSQL server has its own disk.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { DB } from "../../db/db.ts";
import { openService } from "../kit/opened_service.ts";
import { dataFolder, register, startService, statusOf } from "../kit/process/started_service.ts";
import { emptyDatabase } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "b4l0u";

/** Limits the pages of the file on both connections that write, because each has its own limit. */
async function limitPages(db: DB, most: number): Promise<void> {
  await db.all(`PRAGMA max_page_count = ${most}`);
  await db.relaxed.all(`PRAGMA max_page_count = ${most}`);
}

Deno.test("F04: on a full disk writes answer 503 with Retry-After, reads work, and one alarm starts and ends by itself", async () => {
  const url = await emptyDatabase("sqlite");
  try {
    await using service = await openService(url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
    const session = await service.logIn(EMAIL, PASSWORD);
    await limitPages(service.auth.db, 1);
    // The existing pages still have space for some rows.
    const acknowledged: string[] = [];
    let refused = 0;
    for (let index = 0; refused < 20; index++) {
      assert.ok(index < 5_000, "the disk never was full");
      const email = `user${index}@example.com`;
      const response = await service.send("POST", "/users", { email, password: PASSWORD });
      await response.body?.cancel();
      if (response.status === 200) acknowledged.push(email);
      else {
        assert.deepEqual([response.status, response.headers.get("error-code")], [503, "database_unavailable"]);
        assert.ok(Number(response.headers.get("retry-after")) > 0);
        refused++;
        assert.equal(await service.status("GET", "/profile", undefined, session), 200);
        assert.equal(await service.status("GET", "/sessions", undefined, session), 200);
      }
    }
    const alarms = service.logged.filter((entry) => entry.level !== undefined);
    assert.deepEqual(alarms.map((entry) => entry.alarm), ["database_unavailable"], "one a minute, not one a request");
    assert.match(String(alarms[0].error), /full/);

    await limitPages(service.auth.db, 1_000_000);
    assert.equal(await service.status("POST", "/users", { email: "after@example.com", password: PASSWORD }), 200);
    const users = await service.auth.db.all<{ email: string }>("SELECT email FROM users ORDER BY id");
    assert.deepEqual(
      users.map((user) => user.email).sort(),
      [EMAIL, ...acknowledged, "after@example.com"].sort(),
      "who was acknowledged is there, and nobody else",
    );
    const [check] = await service.auth.db.all<{ integrity_check: string }>("PRAGMA integrity_check");
    assert.equal(check.integrity_check, "ok");
  } finally {
    await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
  }
});

Deno.test("F04: a log on a full disk loses its lines, and the service keeps running", async () => {
  await using data = await dataFolder();
  const before = ["sh", "-c", 'exec "$@" >/dev/full', "sh"];
  await using service = await startService({ ...data.options, before });
  await register(service, EMAIL, PASSWORD);
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 50; index++) assert.equal(await statusOf(service.send("GET", "/")), 200);
    // Longer than the time for which lines are collected before they are written.
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.equal(await statusOf(service.send("POST", "/sessions", { email: EMAIL, password: PASSWORD })), 200);
  const { code, stdout } = await service.stop();
  assert.deepEqual([code, stdout], [0, ""]);
});
