/**
 * The one-time tokens in mails: they prove a mailbox, undo a change or reopen an account. Must not decide what a token
 * allows: the flow does.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import {
  addToken,
  consumeToken,
  findToken,
  listTokensWithCode,
  type NewToken,
  type Purpose,
  type TokenRow,
} from "../../db/tokens.ts";
import { lockUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import { type MailKind, mailTo } from "../mail_kinds.ts";
import { hashToken, isToken, unusableSecret } from "../secrets.ts";
import { countCodeTry, matchCode } from "./mail_codes.ts";

/** A link's token, or a code with its address. */
export type MailProof = { token: string } | { email: string; code: string };

/** A code is compared with this many live codes of its address: more than are mailed while a code lives (S36). */
const MOST_TOKENS = 10;
/** How long a change can be undone after its mail was sent, in milliseconds. */
const UNDO_LIFETIME = 72 * 60 * 60_000;
/** How long sending that mail may take, in milliseconds. */
const UNDO_SENDING = 24 * 60 * 60_000;

/** The live token of one of these purposes that this proof fits. Throws `invalid_token`, `too_many_attempts`. */
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

/**
 * In a transaction: locks the token's user, then consumes the token. Of concurrent callers one gets `taken`; the others
 * find it undefined (S24, F21).
 */
export async function takeMailToken(
  auth: Auth,
  db: DB,
  { user_id, purpose, secret_hash }: TokenRow,
): Promise<{ user: UserRow | undefined; taken: TokenRow | undefined }> {
  const user = user_id ? await lockUserBy(db, { id: user_id }) : undefined;
  return { user, taken: await consumeToken(db, purpose, secret_hash, auth.clock()) };
}

/** Whether a link's token is still valid. Consumes nothing, because programs may open links too (S36). */
export async function isLive(auth: Auth, purposes: Purpose[], token: string): Promise<boolean> {
  return await findByToken(auth, purposes, token) !== undefined;
}

/** The address that a still valid link was sent to. Consumes nothing. */
export async function emailOfLink(auth: Auth, purpose: Purpose, token: string): Promise<string | undefined> {
  return (await findByToken(auth, [purpose], token))?.email ?? undefined;
}

/** One error for a wrong, used, expired and foreign token: the difference would help only somebody who guesses. */
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

/**
 * In a transaction: records a change of this user, and mails a link that undoes it to the address from before the
 * change. `event.id` becomes the subject of the undo token.
 */
export async function recordUndoable(
  auth: Auth,
  db: DB,
  user: UserRow,
  event: NewEvent & { id: string },
  mail: { kind: MailKind; newEmail?: string },
): Promise<void> {
  const { kind, ...more } = mail;
  await Promise.all([
    addToken(db, undoToken(auth, user, event.id)),
    recordEvent(auth, db, { ...event, userId: user.id, mail: mailTo(user, kind, { subject: event.id, ...more }) }),
  ]);
}

/**
 * The token of an undo link. It keeps the address and the password hash from before the change, and how many changes of
 * address were in force: the address alone would not tell which of two links is the earlier one.
 */
function undoToken(auth: Auth, user: UserRow, subject: string): NewToken {
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
    email_change: user.email_changes,
  };
}

/** The token that reopens this user's account until it is erased. */
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
