/**
 * The tokens that undo a change, made together with the change. Must not redeem one; see `undo.ts`.
 *
 * @module
 */
import type { NewToken } from "../../db/tokens.ts";
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { deadSecret } from "../secrets.ts";

/** How long a change can be undone, in milliseconds, from when its mail was sent. */
const LIFETIME = 72 * 60 * 60_000;
/** How long the mail may take to be sent, in milliseconds. */
const SENDING = 24 * 60 * 60_000;

/** What an undo link brings back: the address and password of now, before the change that is about to be made. */
export function undoToken(auth: Auth, user: UserRow, subject: string): NewToken {
  const now = auth.clock();
  return {
    purpose: "undo",
    subject,
    secret_hash: deadSecret(),
    user_id: user.id,
    created_at: now,
    expires_at: now + SENDING + LIFETIME,
    email: user.email,
    email_key: user.email_key,
    hashed_password: user.hashed_password,
  };
}
