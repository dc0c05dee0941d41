/**
 * The table `pending_logins`: logins after a right first factor that wait for the second. Must not decide which factors
 * are enough.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A pending login as stored. Times are milliseconds since 1970. */
export type PendingLoginRow = {
  /** SHA-256 of the secret, base64url. */
  secret_hash: string;
  user_id: string;
  /** The methods that were right so far, separated by blanks. */
  methods: string;
  /** What the row is for. It is invalid for every other purpose. */
  purpose: "login";
  /** SHA-256 of the stored password hash that was right; null if no password was given. */
  password_mark: string | null;
  created_at: number;
  expires_at: number;
  ip: string | null;
  user_agent: string | null;
};

/** Adds a pending login. */
export async function addPendingLogin(db: DB, pending: PendingLoginRow): Promise<void> {
  await db.run(
    `INSERT INTO pending_logins (secret_hash, user_id, methods, purpose, password_mark, created_at, expires_at, ip,
       user_agent)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    pending.secret_hash,
    pending.user_id,
    pending.methods,
    pending.purpose,
    pending.password_mark,
    pending.created_at,
    pending.expires_at,
    pending.ip,
    pending.user_agent,
  );
}

/** Consumes a live pending login: of any number of concurrent callers, one gets the row and the others undefined. */
export function consumePendingLogin(db: DB, secretHash: string, now: number): Promise<PendingLoginRow | undefined> {
  return db.get<PendingLoginRow>(
    "DELETE FROM pending_logins WHERE secret_hash = $1 AND expires_at > $2 RETURNING *",
    secretHash,
    now,
  );
}

/** Removes a user's oldest pending logins beyond the number to keep. Reads first, as deleteOldestSessions does. */
export async function deleteOldestPendingLogins(db: DB, userId: string, keep: number): Promise<void> {
  const oldest = await db.all<Pick<PendingLoginRow, "secret_hash">>(
    `SELECT secret_hash FROM pending_logins WHERE user_id = $1
     ORDER BY created_at DESC, secret_hash LIMIT 1000 OFFSET $2`,
    userId,
    keep,
  );
  const end = "DELETE FROM pending_logins WHERE secret_hash = $1 AND user_id = $2";
  await Promise.all(oldest.map((row) => db.run(end, row.secret_hash, userId)));
}

/** Removes all pending logins of a user. */
export function deletePendingLoginsOf(db: DB, userId: string): Promise<number> {
  return db.run("DELETE FROM pending_logins WHERE user_id = $1", userId);
}

/** Removes up to `limit` expired pending logins and returns how many. */
export function sweepPendingLogins(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM pending_logins WHERE secret_hash IN (
       SELECT secret_hash FROM pending_logins WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    now,
    limit,
  );
}
