/**
 * The token that opens a closed account again, and the mail that brings it. Must not redeem one; see `close_account.ts`.
 *
 * @module
 */
import type { NewToken } from "../../db/tokens.ts";
import type { UserRow } from "../../db/users.ts";
import { localeOf } from "../languages.ts";
import type { MailRequest } from "../mail_kinds.ts";
import { deadSecret } from "../secrets.ts";

/** What lets this user's account be opened again until it is erased. */
export function reopenToken(user: UserRow, now: number, purgeAt: number): NewToken {
  return {
    purpose: "reopen",
    subject: user.id,
    secret_hash: deadSecret(),
    user_id: user.id,
    created_at: now,
    expires_at: purgeAt,
    email: user.email,
    email_key: user.email_key,
  };
}

/** The mail that says until when, with a fresh link; the one of an earlier mail ends when it leaves. */
export function closedMail(user: UserRow, purgeAt: number): MailRequest {
  const { id: subject, email: to, name } = user;
  return { kind: "account_closed", to, locale: localeOf(user.locale), name, subject, purgeAt };
}
