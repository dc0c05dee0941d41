/**
 * The table `sessions`: its row and all its queries. Must not see a session's secret, only its hash.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A session as stored. Times are milliseconds since 1970; `ip` and `user_agent` are from the login. */
export type SessionRow = {
  /** SHA-256 of the cookie's value, base64url. */
  secret_hash: string;
  /** UUID v7. People and programs name the session by it; it gives no access. */
  id: string;
  user_id: string;
  /** The time of the login. */
  created_at: number;
  /** The last use, accurate to a few minutes. */
  last_seen_at: number;
  /** The end, unless it is used before. */
  expires_at: number;
  /** The end in any case. */
  ends_at: number;
  /** The methods that recognised the user, separated by blanks. Null in rows from before they were stored. */
  methods: string | null;
  /** When the user last proved who they are. Null in rows from before it was stored. */
  authenticated_at: number | null;
  ip: string | null;
  user_agent: string | null;
};

/** What a request must know of the user and the session behind its cookie. */
type SessionUserRow = Pick<SessionRow, "id" | "last_seen_at" | "ends_at" | "created_at" | "authenticated_at"> & {
  user_id: string;
  /** The address as its owner typed it. */
  email: string;
  name: string | null;
};

/** Adds a session. */
export async function addSession(db: DB, session: SessionRow): Promise<void> {
  await db.run(
    `INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, expires_at, ends_at, methods,
       authenticated_at, ip, user_agent)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    session.secret_hash,
    session.id,
    session.user_id,
    session.created_at,
    session.last_seen_at,
    session.expires_at,
    session.ends_at,
    session.methods,
    session.authenticated_at,
    session.ip,
    session.user_agent,
  );
}

/**
 * The live session with this hash, and its user, in one statement: the hot path of the service. A disabled user has no
 * session, however its row was made (V48).
 */
export function findSession(db: DB, secretHash: string, now: number): Promise<SessionUserRow | undefined> {
  return db.lookUp<SessionUserRow>(
    `SELECT sessions.id, sessions.user_id, sessions.created_at, sessions.last_seen_at, sessions.ends_at,
       sessions.authenticated_at, users.email, users.name
     FROM sessions JOIN users ON users.id = sessions.user_id
     WHERE sessions.secret_hash = $1 AND sessions.expires_at > $2 AND users.disabled_at IS NULL`,
    secretHash,
    now,
  );
}

/**
 * Stores a use of a session. Never lengthens a session that ended meanwhile, and never overwrites a later use. A check
 * does not wait for the disk: after a power failure the session only ends a little earlier. Not inside a transaction.
 */
export async function touchSession(db: DB, secretHash: string, now: number, expiresAt: number): Promise<void> {
  await db.relaxed.run(
    "UPDATE sessions SET last_seen_at = $1, expires_at = $2 WHERE secret_hash = $3 AND last_seen_at < $1",
    now,
    expiresAt,
    secretHash,
  );
}

/** Ends one live session. */
export async function deleteSession(db: DB, secretHash: string, now: number): Promise<void> {
  await db.run("DELETE FROM sessions WHERE secret_hash = $1 AND expires_at > $2", secretHash, now);
}

type SessionOriginRow = Pick<SessionRow, "created_at" | "methods" | "authenticated_at">;

/** Ends a live session of this user and returns how it began, or undefined if there was none. */
export function takeSession(
  db: DB,
  userId: string,
  secretHash: string,
  now: number,
): Promise<SessionOriginRow | undefined> {
  return db.get<SessionOriginRow>(
    `DELETE FROM sessions WHERE secret_hash = $1 AND user_id = $2 AND expires_at > $3
     RETURNING created_at, methods, authenticated_at`,
    secretHash,
    userId,
    now,
  );
}

/** Locks the row of a live session until the transaction ends. Returns whether there is one. */
export async function lockSession(db: DB, secretHash: string, now: number): Promise<boolean> {
  const sql = "UPDATE sessions SET last_seen_at = last_seen_at WHERE secret_hash = $1 AND expires_at > $2";
  return await db.run(sql, secretHash, now) > 0;
}

/** Ends a live session and returns its user's id, or undefined if there was none. */
export async function endSession(db: DB, secretHash: string, now: number): Promise<string | undefined> {
  const row = await db.get<Pick<SessionRow, "user_id">>(
    "DELETE FROM sessions WHERE secret_hash = $1 AND expires_at > $2 RETURNING user_id",
    secretHash,
    now,
  );
  return row?.user_id;
}

/** Ends a live session by its public id. The user is part of the key, so that an id alone ends nothing (V12). */
export async function deleteSessionById(db: DB, userId: string, id: string, now: number): Promise<boolean> {
  const sql = "DELETE FROM sessions WHERE user_id = $1 AND id = $2 AND expires_at > $3";
  return await db.run(sql, userId, id, now) > 0;
}

/** A user's live sessions, newest first. */
export function listSessionsOf(db: DB, userId: string, now: number): Promise<SessionRow[]> {
  return db.all<SessionRow>(
    "SELECT * FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT 100",
    userId,
    now,
  );
}

/** Ends all sessions of a user except the one with this hash, and returns how many were live. */
export async function deleteSessionsOf(
  db: DB,
  userId: string,
  except: string | undefined,
  now: number,
): Promise<number> {
  const ended = await db.all<Pick<SessionRow, "expires_at">>(
    "DELETE FROM sessions WHERE user_id = $1 AND secret_hash <> $2 RETURNING expires_at",
    userId,
    // No hash is empty, so all sessions end.
    except ?? "",
  );
  return ended.filter((row) => row.expires_at > now).length;
}

/**
 * Ends a user's oldest sessions beyond the number to keep (S47). A login hardly ever has one to end, so it only reads:
 * where the rows are spread over many machines, a deletion without the key of each row visits all of them.
 */
export async function deleteOldestSessions(db: DB, userId: string, keep: number): Promise<void> {
  const oldest = await db.all<Pick<SessionRow, "secret_hash">>(
    "SELECT secret_hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, secret_hash LIMIT 1000 OFFSET $2",
    userId,
    keep,
  );
  const end = "DELETE FROM sessions WHERE secret_hash = $1 AND user_id = $2";
  await Promise.all(oldest.map((row) => db.run(end, row.secret_hash, userId)));
}

/** Removes up to `limit` ended sessions and returns how many. */
export function sweepSessions(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM sessions WHERE secret_hash IN (
       SELECT secret_hash FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    now,
    limit,
  );
}
