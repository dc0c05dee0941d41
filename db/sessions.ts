/**
 * The table `sessions`: its row and every query of it. Must not see a session's secret, only its hash.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A session as stored. Times are milliseconds since 1970. */
export type SessionRow = {
  /** SHA-256 of the cookie's value, base64url. */
  secret_hash: string;
  /** UUID v7, for people and programs to name the session by; gives no access. */
  id: string;
  /** Whose session it is. */
  user_id: string;
  /** When the user logged in. */
  created_at: number;
  /** When the session was used, give or take a few minutes. */
  last_seen_at: number;
  /** When it ends unless it is used before. */
  expires_at: number;
  /** When it ends in any case. */
  ends_at: number;
  /** The methods by which its user was recognised, with blanks between; null in a row from before they were kept. */
  methods: string | null;
  /** When the user last proved who they are; null in a row from before it was kept. */
  authenticated_at: number | null;
  /** Address of the client at login. */
  ip: string | null;
  /** What the client called itself at login. */
  user_agent: string | null;
};

/** What a request must know of the user behind its cookie. */
export type SessionUserRow = Pick<SessionRow, "id" | "last_seen_at" | "ends_at" | "created_at" | "authenticated_at"> & {
  /** The user's id. */
  user_id: string;
  /** The user's address as typed. */
  email: string;
  /** What the user is called. */
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
 * The live session with this hash and its user, in one statement: the hot path of the whole service. A disabled user has
 * none, however the row came to be (V48).
 */
export function findSession(db: DB, secretHash: string, now: number): Promise<SessionUserRow | undefined> {
  return db.get<SessionUserRow>(
    `SELECT sessions.id, sessions.user_id, sessions.created_at, sessions.last_seen_at, sessions.ends_at,
       sessions.authenticated_at, users.email, users.name
     FROM sessions JOIN users ON users.id = sessions.user_id
     WHERE sessions.secret_hash = $1 AND sessions.expires_at > $2 AND users.disabled_at IS NULL`,
    secretHash,
    now,
  );
}

/** Notes that a session was used. Never lengthens one that ended meanwhile, nor one that a later use moved on. */
export async function touchSession(db: DB, secretHash: string, now: number, expiresAt: number): Promise<void> {
  await db.run(
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

/** How a session came about. */
export type SessionOriginRow = Pick<SessionRow, "created_at" | "methods" | "authenticated_at">;

/** Ends a live session of this user, and gives how it came about, or undefined when there was none. */
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

/** Locks the row of a live session until the transaction ends, and gives whether there is one. */
export async function lockSession(db: DB, secretHash: string, now: number): Promise<boolean> {
  const sql = "UPDATE sessions SET last_seen_at = last_seen_at WHERE secret_hash = $1 AND expires_at > $2";
  return await db.run(sql, secretHash, now) > 0;
}

/** Ends a live session and gives whose it was, or undefined when it was none. */
export async function endSession(db: DB, secretHash: string, now: number): Promise<string | undefined> {
  const row = await db.get<Pick<SessionRow, "user_id">>(
    "DELETE FROM sessions WHERE secret_hash = $1 AND expires_at > $2 RETURNING user_id",
    secretHash,
    now,
  );
  return row?.user_id;
}

/** Ends a user's live session by its public id; the user is part of the key, so that an id alone ends nothing (V12). */
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

/** Ends all sessions of a user, except the one with this hash if there is one, and gives how many were live. */
export async function deleteSessionsOf(
  db: DB,
  userId: string,
  except: string | undefined,
  now: number,
): Promise<number> {
  const ended = await db.all<Pick<SessionRow, "expires_at">>(
    "DELETE FROM sessions WHERE user_id = $1 AND secret_hash <> $2 RETURNING expires_at",
    userId,
    // No hash is empty: all sessions end.
    except ?? "",
  );
  return ended.filter((row) => row.expires_at > now).length;
}

/** Ends a user's oldest sessions beyond the number to keep (S47). */
export function deleteOldestSessions(db: DB, userId: string, keep: number): Promise<number> {
  return db.run(
    `DELETE FROM sessions WHERE secret_hash IN (
       SELECT secret_hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, secret_hash LIMIT 1000 OFFSET $2)`,
    userId,
    keep,
  );
}

/** Removes up to this many sessions that have ended, and gives how many there were. */
export function sweepSessions(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM sessions WHERE secret_hash IN (
       SELECT secret_hash FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    now,
    limit,
  );
}
