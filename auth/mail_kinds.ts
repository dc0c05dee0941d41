/**
 * The kinds of mail: what each asks for, where its link leads and how long the link is valid. Must not hold text that a
 * person reads.
 *
 * @module
 */
import type { Purpose } from "../db/tokens.ts";
import type { UserRow } from "../db/users.ts";
import { type Locale, localeOf } from "./languages.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** What a mail is about. */
export type MailKind =
  | "register"
  | "verify"
  | "reset"
  | "already_registered"
  | "address_reserved"
  | "password_changed"
  | "change_email"
  | "change_email_notice"
  | "email_changed"
  | "new_device"
  | "account_closed";

/** Everything that a mail needs except its secrets. It is stored with the event that asked for it. */
export interface MailRequest {
  kind: MailKind;
  /** The stored address, never one that somebody just typed (S33). */
  to: string;
  locale: Locale;
  name?: string | null;
  /** Subject of the token in its link. */
  subject?: string;
  /** The new address, before or after the change. */
  newEmail?: string;
  /** Its delivery status is shown to nobody: it would tell whoever asked for the mail who has an account. */
  untold?: true;
  /** When all data will be erased, in milliseconds since 1970. */
  purgeAt?: number;
  /** Anybody can ask for it, so it is urgent and given up like every other mail that anybody can ask for. */
  asked?: true;
}

/**
 * Stands in the outbox where no mail is sent. It holds a sending slot as a mail does. Otherwise the delay of the next
 * mail would show whether an address has an account.
 */
export interface NoMail {
  kind: "none";
}

const NO_MAIL: NoMail = { kind: "none" };

/** How {@linkcode NoMail} is stored. Counts of waiting mails leave it out. */
export const NO_MAIL_TEXT: string = JSON.stringify(NO_MAIL);

/**
 * What the outbox gets for a request that anybody can make. Within the limit it is always one entry, known address or
 * not; beyond the limit always none.
 */
export function askedMail(within: boolean, mail: MailRequest | undefined): MailRequest | NoMail | undefined {
  if (!within) return undefined;
  return mail ? { ...mail, asked: true } : NO_MAIL;
}

/** Rules of a kind of mail. */
interface MailRule {
  path?: string;
  purpose?: Purpose;
  /** How long the token is valid after sending, in milliseconds. If absent, as long as it was made for. */
  lifetime?: number;
  code?: boolean;
  /** Whether it asks the user to do something. Such a mail is stale after an hour. */
  asks: boolean;
}

/** Every kind of mail. */
export const MAIL_RULES: Readonly<Record<MailKind, MailRule>> = {
  register: { path: "/verify", purpose: "register", lifetime: DAY, code: true, asks: true },
  verify: { path: "/verify", purpose: "verify", lifetime: DAY, code: true, asks: true },
  reset: { path: "/reset", purpose: "reset", lifetime: 30 * MINUTE, code: true, asks: true },
  change_email: { path: "/change-email", purpose: "change_email", lifetime: DAY, code: true, asks: true },
  already_registered: { path: "/", asks: true },
  address_reserved: { asks: true },
  change_email_notice: { asks: false },
  password_changed: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  email_changed: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  new_device: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  account_closed: { path: "/reopen", purpose: "reopen", asks: false },
};

/** How long a code is valid, in milliseconds (ASVS 5.0, 6.5.5). */
export const CODE_LIFETIME: number = 10 * MINUTE;

/** How long to try to send a mail, in milliseconds. */
export function giveUpAfter(mail: Pick<MailRequest, "kind" | "asked"> | NoMail): number {
  return mail.kind === "none" || mail.asked || MAIL_RULES[mail.kind].asks ? HOUR : DAY;
}

/** The request for a mail to a user, at the stored address (S33), in the user's language. */
export function mailTo(
  { email: to, locale, name }: Pick<UserRow, "email" | "locale" | "name">,
  kind: MailKind,
  more: Pick<MailRequest, "subject" | "newEmail" | "purgeAt"> = {},
): MailRequest {
  return { kind, to, locale: localeOf(locale), name, ...more };
}
