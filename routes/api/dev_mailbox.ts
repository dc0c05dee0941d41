/**
 * `/dev/mailbox`: the mails that a local service without a mail server has caught. Must not exist in the public
 * profile.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import { answer, isoTime, type RequestEnv } from "../http/answers.ts";

/** Whether this service catches its mails for the developer instead of sending them. */
export function hasMailbox(auth: Auth): boolean {
  return auth.config.profile === "local" && auth.transport instanceof DevMailbox;
}

/** Handles `GET /dev/mailbox`: the mails as JSON, newest first. */
export function devMailbox(auth: Auth): Hono<RequestEnv> {
  const mailbox = auth.transport as DevMailbox;
  return new Hono<RequestEnv>().get("/", (c) => {
    const mails = mailbox.mails.map(({ to, subject, text, html, sentAt }) => ({
      to,
      subject,
      sent_at: isoTime(sentAt),
      text,
      html,
    }));
    return answer(c, { mails });
  });
}
