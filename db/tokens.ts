/**
 * The table `tokens`: its row and all its queries. Must not see a token's secret or code, only their hashes.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** What a token allows. It is part of the key, so a token is invalid for every other purpose. */
export type Purpose = "register" | "verify" | "reset" | "change_email" | "undo" | "reopen";

/** A one-time token as stored. Times are milliseconds since 1970. */
export type TokenRow = {
  purpose: Purpose;
  /** What it is about. A purpose has one token for each subject. */
  subject: string;
  /** SHA-256 of the secret, base64url. */
  secret_hash: string;
  /** The account that it opens; null while there is none. */
  user_id: string | null;
  created_at: number;
  expires_at: number;
  /** The address that it proves or restores, as typed. */
  email: string | null;
  /** The same address in its unique spelling. */
  email_key: string | null;
  /** The hash of a new password, or of the one from before a change. */
  hashed_password: string | null;
  locale: string | null;
  /** Keyed hash of the code, base64url. */
  code_hash: string | null;
  code_expires_at: number | null;
  /** How many changes of address were in force when an undo token was made. */
  email_change: number | null;
  /** When an undo link was used without the former password. */
  used_at: number | null;
};

/** The required columns of a new token; all others are null. */
export type NewToken =
  & Pick<TokenRow, "purpose" | "subject" | "secret_hash" | "user_id" | "created_at" | "expires_at">
  & Partial<TokenRow>;

/** Adds a token. The same statement removes an older one of the same purpose and subject (S27). */
export async function addToken(db: DB, token: NewToken): Promise<void> {
  await db.run(
    `INSERT INTO tokens (purpose, subject, secret_hash, user_id, created_at, expires_at, email, email_key,
       hashed_password, locale, code_hash, code_expires_at, email_change, used_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, NULL, $11, $12)
     ON CONFLICT (purpose, subject) DO UPDATE SET secret_hash = excluded.secret_hash, user_id = excluded.user_id,
       created_at = excluded.created_at, expires_at = excluded.expires_at, email = excluded.email,
       email_key = excluded.email_key, hashed_password = excluded.hashed_password, locale = excluded.locale,
       code_hash = NULL, code_expires_at = NULL, email_change = excluded.email_change, used_at = excluded.used_at`,
    token.purpose,
    token.subject,
    token.secret_hash,
    token.user_id,
    token.created_at,
    token.expires_at,
    token.email ?? null,
    token.email_key ?? null,
    token.hashed_password ?? null,
    token.locale ?? null,
    token.email_change ?? null,
    token.used_at ?? null,
  );
}

/** The secrets that a token gets when its mail is sent. */
type Arming = Pick<TokenRow, "secret_hash" | "code_hash" | "code_expires_at" | "expires_at">;

/** Gives a token the secrets of the mail that is sent now. False when the token was used or replaced meanwhile. */
export async function issueToken(db: DB, purpose: Purpose, subject: string, arming: Arming): Promise<boolean> {
  const changed = await db.run(
    `UPDATE tokens SET secret_hash = $1, code_hash = $2, code_expires_at = $3, expires_at = $4
     WHERE purpose = $5 AND subject = $6`,
    arming.secret_hash,
    arming.code_hash,
    arming.code_expires_at,
    arming.expires_at,
    purpose,
    subject,
  );
  return changed > 0;
}

/** The live token with this hash. Does not consume it. */
export function findToken(db: DB, purpose: Purpose, secretHash: string, now: number): Promise<TokenRow | undefined> {
  return db.get<TokenRow>(
    "SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3",
    purpose,
    secretHash,
    now,
  );
}

/** The live token of this subject. Does not consume it. */
export function findTokenOf(db: DB, purpose: Purpose, subject: string, now: number): Promise<TokenRow | undefined> {
  return db.get<TokenRow>(
    "SELECT * FROM tokens WHERE purpose = $1 AND subject = $2 AND expires_at > $3",
    purpose,
    subject,
    now,
  );
}

/** The newest live tokens about this address. */
export function listTokensFor(
  db: DB,
  purpose: Purpose,
  emailKey: string,
  now: number,
  limit: number,
): Promise<TokenRow[]> {
  return db.all<TokenRow>(
    `SELECT * FROM tokens WHERE purpose = $1 AND email_key = $2 AND expires_at > $3
     ORDER BY created_at DESC LIMIT $4`,
    purpose,
    emailKey,
    now,
    limit,
  );
}

/** The newest tokens about this address with a code that is still valid. */
export function listTokensWithCode(
  db: DB,
  purpose: Purpose,
  emailKey: string,
  now: number,
  limit: number,
): Promise<TokenRow[]> {
  return db.all<TokenRow>(
    `SELECT * FROM tokens WHERE purpose = $1 AND email_key = $2 AND code_expires_at > $3 AND expires_at > $3
     ORDER BY created_at DESC LIMIT $4`,
    purpose,
    emailKey,
    now,
    limit,
  );
}

/** A user's live tokens of all purposes, newest first. */
export function listTokensOf(db: DB, userId: string, now: number, limit: number): Promise<TokenRow[]> {
  return db.all<TokenRow>(
    "SELECT * FROM tokens WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC LIMIT $3",
    userId,
    now,
    limit,
  );
}

/**
 * The user's former password hashes, oldest first, without duplicates: from live undo tokens that were made until this
 * one, and at no later change of address.
 */
export async function listFormerPasswords(
  db: DB,
  { user_id, created_at, email_change }: TokenRow,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ hashed_password: string }>(
    `SELECT hashed_password, MIN(created_at) AS since FROM tokens
     WHERE user_id = $1 AND purpose = $2 AND created_at <= $3 AND email_change <= $4 AND expires_at > $5
       AND hashed_password IS NOT NULL
     GROUP BY hashed_password ORDER BY since LIMIT $6`,
    user_id,
    "undo",
    created_at,
    email_change,
    now,
    limit,
  );
  return rows.map((row) => row.hashed_password);
}

/** Locks the live registrations of this address until the transaction ends, and gives their number. */
export function lockRegistrations(db: DB, emailKey: string, now: number): Promise<number> {
  const sql = `UPDATE tokens SET hashed_password = hashed_password
     WHERE purpose = $1 AND email_key = $2 AND expires_at > $3`;
  return db.run(sql, "register", emailKey, now);
}

/** As {@linkcode lockRegistrations}, and removes their passwords, so that the account has none. */
export function dropRegistrationPasswords(db: DB, emailKey: string, now: number): Promise<number> {
  const sql = "UPDATE tokens SET hashed_password = NULL WHERE purpose = $1 AND email_key = $2 AND expires_at > $3";
  return db.run(sql, "register", emailKey, now);
}

/** Consumes a live token: of any number of concurrent callers, one gets the row and the others undefined (S24, F21). */
export function consumeToken(db: DB, purpose: Purpose, secretHash: string, now: number): Promise<TokenRow | undefined> {
  return db.get<TokenRow>(
    "DELETE FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 RETURNING *",
    purpose,
    secretHash,
    now,
  );
}

/**
 * Removes a user's tokens except undo tokens, and except one other purpose if given. The person who made a change must
 * not be able to end its undo link (S28).
 */
export function deleteTokensOf(db: DB, userId: string, except: Purpose = "undo"): Promise<number> {
  const sql = "DELETE FROM tokens WHERE user_id = $1 AND purpose <> $2 AND purpose <> $3";
  return db.run(sql, userId, "undo", except);
}

/** Removes a user's undo tokens that were made when more changes of address were in force. */
export function deleteUndoTokensAfter(db: DB, userId: string, emailChange: number): Promise<number> {
  const sql = "DELETE FROM tokens WHERE user_id = $1 AND purpose = $2 AND email_change > $3";
  return db.run(sql, userId, "undo", emailChange);
}

/** The id of another user than this one who has a live undo token with this address, or undefined. */
export async function findRestorer(db: DB, emailKey: string, userId: string, now: number): Promise<string | undefined> {
  const sql = `SELECT user_id FROM tokens
     WHERE purpose = $1 AND email_key = $2 AND expires_at > $3 AND user_id <> $4 LIMIT 1`;
  return (await db.get<{ user_id: string }>(sql, "undo", emailKey, now, userId))?.user_id;
}

/** Removes the registrations that wait for this address. Once it belongs to a user, none of them may stay. */
export function deleteRegistrations(db: DB, emailKey: string): Promise<number> {
  return db.run("DELETE FROM tokens WHERE purpose IN ($1, $2) AND email_key = $3", "register", "verify", emailKey);
}

/** Which of these addresses have a registration that waits. */
export async function findRegistering(db: DB, emailKeys: readonly string[]): Promise<Set<string>> {
  if (emailKeys.length === 0) return new Set();
  const where = `purpose IN ($1, $2) AND email_key IN (${emailKeys.map((_, index) => `$${index + 3}`).join(", ")})`;
  const rows = await db.all<{ email_key: string }>(
    `SELECT email_key FROM tokens WHERE ${where}`,
    "register",
    "verify",
    ...emailKeys,
  );
  return new Set(rows.map((row) => row.email_key));
}

/** Removes up to `limit` expired tokens and returns how many. */
export function sweepTokens(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM tokens WHERE (purpose, subject) IN (
       SELECT purpose, subject FROM tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    now,
    limit,
  );
}
