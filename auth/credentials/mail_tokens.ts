/**
 * The one-time tokens that mails carry: what proves a mailbox, undoes a change, opens a closed account. Must not take what
 * it finds; the flow does, in its transaction.
 *
 * @module
 */
import { findToken, listTokensWithCode, type NewToken, type Purpose, type TokenRow } from "../../db/tokens.ts";
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { hashToken, isToken, unusableSecret } from "../secrets.ts";
import { countCodeTry, matchCode } from "./mail_codes.ts";

/** A token by itself, or a code with its address. */
export type MailProof = { token: string } | { email: string; code: string };

/** With how many of an address's live codes one is compared: twice as many as an hour's mails (S36). */
const MOST_TOKENS = 10;
/** How long a change can be undone, in milliseconds, from when its mail was sent. */
const UNDO_LIFETIME = 72 * 60 * 60_000;
/** How long the mail may take to be sent, in milliseconds. */
const UNDO_SENDING = 24 * 60 * 60_000;

/** The live token that this proves, of one of these purposes. Throws `invalid_token`, `too_many_attempts`. */
export async function findMailToken(
  auth: Auth,
  purposes: Purpose[],
  proof: MailProof,
  caller: Caller = {},
): Promise<TokenRow> {
  const found = "token" in proof
    ? await findByToken(auth, purposes, proof.token)
    : await findByCode(auth, purposes, proof, caller);
  if (!found) throw invalidToken();
  return found;
}

/** Whether a link's token still opens something; nothing is taken, so that programs may open links too (S36). */
export async function isLive(auth: Auth, purposes: Purpose[], token: string): Promise<boolean> {
  return await findByToken(auth, purposes, token) !== undefined;
}

/** Whose mailbox a link's token went to, while it still opens something; takes nothing. */
export async function emailOfLink(auth: Auth, purpose: Purpose, token: string): Promise<string | undefined> {
  return (await findByToken(auth, [purpose], token))?.email ?? undefined;
}

/** One code for wrong, used, expired and somebody else's: which of them it was helps only who guesses. */
export function invalidToken(): AuthError {
  return new AuthError("invalid_token", "the token or code is wrong, used or too old; ask for a new one");
}

async function findByToken(auth: Auth, purposes: Purpose[], token: string): Promise<TokenRow | undefined> {
  if (!isToken(token)) return undefined;
  for (const purpose of purposes) {
    const found = await findToken(auth.db, purpose, hashToken(token), auth.clock());
    if (found) return found;
  }
  return undefined;
}

async function findByCode(
  auth: Auth,
  purposes: Purpose[],
  { email, code }: { email: string; code: string },
  caller: Caller,
): Promise<TokenRow | undefined> {
  const key = emailKeyOrUndefined(email);
  if (key === undefined) return undefined;
  await countCodeTry(auth, key, caller);
  const rows = [];
  for (const purpose of purposes) {
    rows.push(...await listTokensWithCode(auth.db, purpose, key, auth.clock(), MOST_TOKENS));
  }
  return await matchCode(auth, rows, code);
}

/** What an undo link brings back: the address and password of now, before the change that is about to be made. */
export function undoToken(auth: Auth, user: UserRow, subject: string): NewToken {
  const now = auth.clock();
  return {
    purpose: "undo",
    subject,
    secret_hash: unusableSecret(),
    user_id: user.id,
    created_at: now,
    expires_at: now + UNDO_SENDING + UNDO_LIFETIME,
    email: user.email,
    email_key: user.email_key,
    hashed_password: user.hashed_password,
  };
}

/** What lets this user's account be opened again until it is erased. */
export function reopenToken(user: UserRow, now: number, purgeAt: number): NewToken {
  return {
    purpose: "reopen",
    subject: user.id,
    secret_hash: unusableSecret(),
    user_id: user.id,
    created_at: now,
    expires_at: purgeAt,
    email: user.email,
    email_key: user.email_key,
  };
}
