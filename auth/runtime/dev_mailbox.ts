/**
 * Keeps mails in memory for `/dev/mailbox`, on a developer's machine without a mail server. All workers of the process
 * show the same mails. Must not be used in the public profile.
 *
 * @module
 */
import type { MailMessage, MailTransport } from "./smtp.ts";

/** Maximum number of kept mails. */
const MOST = 100;

/** A mail that was kept instead of sent. */
export interface CaughtMail extends MailMessage {
  /** Milliseconds since 1970. */
  sentAt: number;
}

/** A mail transport that keeps mails instead of sending them. */
export class DevMailbox implements MailTransport {
  readonly #mails: CaughtMail[] = [];
  readonly #clock: () => number;
  readonly #channel: BroadcastChannel | undefined;

  /** With `shared`, the workers of one process see each other's mails. */
  constructor(clock: () => number, shared = false) {
    this.#clock = clock;
    if (!shared) return;
    this.#channel = new BroadcastChannel("bienvenue-mailbox");
    this.#channel.onmessage = ({ data }: MessageEvent<CaughtMail>) => this.#keep(data);
  }

  /** Newest first. */
  get mails(): readonly CaughtMail[] {
    return this.#mails.toReversed();
  }

  send(message: MailMessage): Promise<void> {
    const mail = { ...message, sentAt: this.#clock() };
    this.#keep(mail);
    this.#channel?.postMessage(mail);
    return Promise.resolve();
  }

  close(): void {
    this.#channel?.close();
  }

  #keep(mail: CaughtMail): void {
    this.#mails.push(mail);
    if (this.#mails.length > MOST) this.#mails.shift();
  }
}
