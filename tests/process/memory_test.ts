/**
 * A service with a database in memory, as developers start one to try it: it has one connection, so code that needs a
 * second one inside a transaction would wait for ever.
 *
 * @module
 */
import assert from "node:assert/strict";
import { deliverMails } from "../../auth/mail/outbox.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import { createApp } from "../../routes/app.ts";
import { PUBLIC_SETTINGS, testConfig } from "../kit/service.ts";

Deno.test("a service with a database in memory sends mails with codes and keeps running", async () => {
  const transport = new DevMailbox(Date.now);
  const auth = await openAuth(testConfig({ ...PUBLIC_SETTINGS, DATABASE_URL: "sqlite::memory:" }), {
    folder: "/tmp",
    log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
    transport,
  });
  const app = createApp(auth);
  const post = (path: string, form: Record<string, string>) =>
    app.request(path, { method: "POST", body: new URLSearchParams(form) });
  const email = "anna@example.com", password = "correct horse battery";
  assert.equal((await post("/users", { email, password })).status, 200);
  assert.equal(await deliverMails(auth), 1);
  const code = /^\s*(\d{8})\s*$/m.exec(transport.mails[0].text)![1];
  assert.equal((await post("/verify", { email, code })).status, 303);
  assert.equal((await post("/sessions", { email, password })).status, 200);
  await closeAuth(auth);
});
