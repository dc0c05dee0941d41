/**
 * Which mails there are: what each asks for, where its link leads and how long that is good. Must not hold a word that
 * a person reads.
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
  | "password_changed"
  | "change_email"
  | "change_email_notice"
  | "email_changed"
  | "new_device"
  | "account_closed";

/** All that a mail needs, except its secrets; kept with the event that asked for it. */
export interface MailRequest {
  /** Which mail. */
  kind: MailKind;
  /** The stored address, never one that somebody just typed (S33). */
  to: string;
  /** Its language. */
  locale: Locale;
  /** What the user is called. */
  name?: string | null;
  /** The subject of the token that its link carries. */
  subject?: string;
  /** The address that is coming or came. */
  newEmail?: string;
  /** Whether what becomes of it is told to nobody: whoever asked would learn by it who has an account. */
  untold?: true;
  /** When everything will be erased, in milliseconds since 1970. */
  purgeAt?: number;
}

/** What belongs to a kind of mail. */
export interface MailRule {
  /** Path of its link. */
  path?: string;
  /** Purpose of the token in its link. */
  purpose?: Purpose;
  /** How long the token is good after sending, in milliseconds; absent, as long as it was made for. */
  lifetime?: number;
  /** Whether it carries a code too. */
  code?: boolean;
  /** Whether it asks for something; what it asks for is stale after an hour. */
  asks: boolean;
}

/** Every kind of mail. */
export const MAIL_RULES: Readonly<Record<MailKind, MailRule>> = {
  register: { path: "/verify", purpose: "register", lifetime: DAY, code: true, asks: true },
  verify: { path: "/verify", purpose: "verify", lifetime: DAY, code: true, asks: true },
  reset: { path: "/reset", purpose: "reset", lifetime: 30 * MINUTE, code: true, asks: true },
  change_email: { path: "/change-email", purpose: "change_email", lifetime: DAY, code: true, asks: true },
  already_registered: { path: "/", asks: true },
  change_email_notice: { asks: false },
  password_changed: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  email_changed: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  new_device: { path: "/undo", purpose: "undo", lifetime: 3 * DAY, asks: false },
  account_closed: { path: "/reopen", purpose: "reopen", asks: false },
};

/** How long a code is good, in milliseconds (ASVS 5.0, 6.5.5). */
export const CODE_LIFETIME: number = 10 * MINUTE;

/** How long a mail that cannot be sent is tried, in milliseconds. */
export function giveUpAfter(kind: MailKind): number {
  return MAIL_RULES[kind].asks ? HOUR : DAY;
}

/** The request for a mail to a user, at the stored address (S33), in the user's language. */
export function mailTo(
  { email: to, locale, name }: Pick<UserRow, "email" | "locale" | "name">,
  kind: MailKind,
  more: Pick<MailRequest, "subject" | "newEmail" | "purgeAt"> = {},
): MailRequest {
  return { kind, to, locale: localeOf(locale), name, ...more };
}
