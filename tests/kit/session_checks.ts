/**
 * Session checks in this process, many at once, for tests that count what one costs. As a program it does as many as
 * its argument says, on a new SQLite file. Must not do anything else that grows with the number.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser } from "../../auth/admin/users.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { createLog } from "../../auth/runtime/log.ts";
import { createApp } from "../../routes/app.ts";
import { PUBLIC_SETTINGS, sessionOf, testConfig } from "./service.ts";

const email = "anna@example.com", password = "some staples of nine horses";
/** How many checks arrive together. */
const TOGETHER = 16;

/** A service with one logged-in user. */
export interface CheckedService extends AsyncDisposable {
  /** Makes this many session checks. Each must be answered 200. */
  check(count: number): Promise<void>;
}

/** Opens a service on this database. */
export async function openChecks(url: string): Promise<CheckedService> {
  const config = testConfig({ ...PUBLIC_SETTINGS, DATABASE_URL: url });
  const log = createLog(() => {});
  const auth = await openAuth(config, { folder: "/tmp", log });
  const app = createApp(auth);
  await createUser(auth, OPERATOR, email, password);
  const body = new URLSearchParams({ email, password });
  const session = sessionOf(await app.request("/sessions", { method: "POST", body }));
  const headers = { cookie: `__Host-session_id=${session}` };
  return {
    check: async (count) => {
      for (let left = count; left > 0; left -= TOGETHER) {
        const length = Math.min(left, TOGETHER);
        const answers = await Promise.all(Array.from({ length }, () => app.request("/profile", { headers })));
        assert.ok(answers.every(({ status }) => status === 200));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await closeAuth(auth);
      await log.flush();
    },
  };
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  {
    await using service = await openChecks(`sqlite:${folder}/checks.db`);
    await service.check(Number(Deno.args[0]));
  }
  await Deno.remove(folder, { recursive: true });
}
