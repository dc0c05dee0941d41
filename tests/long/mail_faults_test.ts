/**
 * A started service and a real mail server that is slow, down, refuses or cuts the connection: requests are not
 * affected, and no mail is lost, even after a kill.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rowsOf, runSql } from "../kit/fixtures.ts";
import { startSmtpServer, type TestSmtpServer } from "../kit/process/smtp_server.ts";
import { dataFolder, type StartedService, startService } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const PASSWORD = "correct horse battery";

async function register(service: StartedService, email: string): Promise<void> {
  const response = await service.send("POST", "/users", { email, password: PASSWORD });
  assert.deepEqual(await response.json(), { email, message: "user created" });
}

/** Makes all waiting mails due at once, so that the test need not wait for their pause. */
async function hurry(url: string): Promise<void> {
  await runSql(url, "UPDATE events SET mail_at = 0 WHERE mail_at IS NOT NULL");
}

/** Waits until the service has tried to send each waiting mail. */
async function tried(url: string): Promise<void> {
  for (;;) {
    const [{ n }] = await rowsOf(url, "SELECT COUNT(*) AS n FROM events WHERE mail_at IS NOT NULL AND mail_tries = 0");
    if (Number(n) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const engine of ENGINES) {
  Deno.test(`F11: a mail server that is down, busy or cuts connections loses no mail, even with kill -9 [${engine}]`, async () => {
    await using folder = engine === "sqlite" ? await dataFolder() : undefined;
    const url = folder?.options.env.DATABASE_URL ?? await emptyDatabase(engine);
    const spare = await startSmtpServer();
    const port = Number(new URL(spare.url).port);
    await spare.stop();
    const env = {
      ...folder?.options.env,
      DATABASE_URL: url,
      HOST: "127.0.0.1",
      PUBLIC_URL: "https://accounts.example.com",
      MAIL_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: "accounts@example.com",
    };
    let server: TestSmtpServer | undefined;
    let service = await startService({ flags: folder?.options.flags, env });
    try {
      await register(service, "down@example.com");
      await tried(url);
      server = await startSmtpServer({ port });
      server.behave = 451;
      await register(service, "busy@example.com");
      await tried(url);
      assert.deepEqual(server.mails, []);
      await service.stop("SIGKILL");
      service = await startService({ flags: folder?.options.flags, env });
      server.behave = "cut";
      await hurry(url);
      await server.arrived(2);
      server.behave = "ok";
      await hurry(url);
      const mails = await server.arrived(4);
      const to = mails.map(({ recipients }) => recipients[0]).sort();
      assert.deepEqual(to, ["busy@example.com", "busy@example.com", "down@example.com", "down@example.com"]);
      assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 2, "a duplicate has its first one's id");
      server.behave = 550;
      await register(service, "refused@example.com");
      while ((await rowsOf(url, "SELECT id FROM events WHERE type = 'mail_refused'")).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const last = mails.findLast(({ recipients }) => recipients[0] === "down@example.com")!;
      const verification_token = /token=([\w-]+)/.exec(last.text)![1];
      const verified = await service.send("PUT", "/verify_email", { verification_token });
      assert.deepEqual(await verified.json(), { email: "down@example.com", message: "email verified" });
    } finally {
      await service.stop();
      await server?.stop();
    }
  });
}
