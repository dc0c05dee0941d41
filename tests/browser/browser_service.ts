/**
 * A service for browsers: its own process in the public profile, and a mail server on loopback that gets its mails.
 * Must not reach into the service by any other means.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ParsedMail, startSmtpServer } from "../kit/process/smtp_server.ts";
import { startService } from "../kit/process/started_service.ts";

/** A service and its mailboxes. */
export interface BrowserService extends AsyncDisposable {
  /** Its origin. Browsers treat localhost as secure, so the cookies of the public profile work. */
  url: string;
  /**
   * The next mail to this address with this subject that no call has returned yet. Mails may arrive in another order
   * than they were asked for.
   */
  mailTo(address: string, subject: RegExp): Promise<ParsedMail>;
}

/** Starts service and mail server on free ports. */
export async function startBrowserService(): Promise<BrowserService> {
  const smtp = await startSmtpServer();
  const port = String(freePort());
  const url = `http://localhost:${port}`;
  const service = await startService({
    env: {
      DATABASE_URL: "sqlite::memory:",
      HOST: "127.0.0.1",
      PORT: port,
      PUBLIC_URL: url,
      MAIL_URL: smtp.url,
      MAIL_FROM: "accounts@example.com",
      APP_NAME: "Nimbus",
    },
  });
  const handedOut = new Set<ParsedMail>();
  return {
    url,
    mailTo: async (address, subject) => {
      for (let count = 0;; count++) {
        const mails = await smtp.arrived(count);
        const mail = mails.find((each) =>
          !handedOut.has(each) && each.recipients.includes(address) && subject.test(each.subject!)
        );
        if (!mail) continue;
        handedOut.add(mail);
        return mail;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      await smtp.stop();
    },
  };
}

/** The address of a mail's link. */
export function linkIn(mail: ParsedMail): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0];
  assert.ok(link, `no link in "${mail.subject}"`);
  return link;
}

/** The code in a mail. */
export function codeIn(mail: ParsedMail): string {
  const code = /^\s*(\d{8})\s*$/m.exec(mail.text)?.[1];
  assert.ok(code, `no code in "${mail.subject}"`);
  return code;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}
