/**
 * A program: as many session checks as its argument says, on a database in memory, for the test that counts which files
 * of ours a check goes through. Must not do anything else that grows with the number.
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
const auth = await openAuth(testConfig(PUBLIC_SETTINGS), { folder: "/tmp", log: createLog(() => {}) });
const app = createApp(auth);
await createUser(auth, OPERATOR, email, password);
const body = new URLSearchParams({ email, password });
const session = sessionOf(await app.request("/sessions", { method: "POST", body }));
for (let checks = 0; checks < Number(Deno.args[0]); checks++) {
  const response = await app.request("/profile", { headers: { cookie: `__Host-session_id=${session}` } });
  assert.equal(response.status, 200);
}
await closeAuth(auth);
