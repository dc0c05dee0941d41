/**
 * Sessions: made by a login, found by a cookie, ended. Must not know the cookie's name or a header.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import * as rows from "../../db/sessions.ts";
import { findUserBy, lockUserBy, noteSignIn } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { type Caller, callerColumns } from "../caller.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { METRIC } from "../runtime/metrics.ts";
import { hashToken, isToken, newId, randomToken } from "../secrets.ts";
import { isActive, type User } from "../users.ts";

/** How many sessions a user may have; the oldest make room (S47). */
export const MOST_SESSIONS = 100;
/** How old the note of a session's last use may get before a use writes it again, in milliseconds. */
const TOUCH_AFTER = 5 * 60_000;
/** How long a session check waits for its use to be noted, in milliseconds. */
const NOTE_PATIENCE = 50;

/** A session as its owner gets it. */
export interface NewSession {
  /** The session id: the secret for the cookie. */
  sessionId: string;
  /** How long it can last at most, in milliseconds. */
  maxAge: number;
}

/** A session as its owner sees it in the list; times are milliseconds since 1970. */
export interface SessionView {
  /** For naming it; gives no access. */
  id: string;
  /** When the login was. */
  createdAt: number;
  /** When it was used, give or take a few minutes. */
  lastSeenAt: number;
  /** When it ends unless it is used. */
  expiresAt: number;
  /** What logged in. */
  userAgent: string | null;
  /** From where. */
  ip: string | null;
  /** Whether it is the one that asks. */
  current: boolean;
}

/** Whoever is logged in, with the session by which this was found. */
export interface SignedIn extends User {
  /** What the user is called, or null. */
  name: string | null;
  /** The session's public id. */
  sessionId: string;
  /** When the login was, in milliseconds since 1970. */
  signedInAt: number;
}

/** Makes a session for whoever has this address and gives its id, or undefined when nobody has. */
export async function createSession(auth: Auth, email: string, caller: Caller = {}): Promise<string | undefined> {
  const email_key = emailKeyOrUndefined(email);
  const user = email_key === undefined ? undefined : await findUserBy(auth.db, { email_key });
  if (!user || !isActive(user)) return undefined;
  return await auth.db.transaction(async (db) => {
    if (!await noteSignIn(db, user.id, null, auth.clock())) return undefined;
    return (await addSession(auth, db, user.id, caller)).sessionId;
  });
}

/**
 * Adds a session in the transaction of whatever makes it; the one that the client had before ends (S39). It counts as a
 * login of now, unless it goes on from one of an earlier time, which it does not outlast.
 */
export async function addSession(
  auth: Auth,
  db: DB,
  userId: string,
  caller: Caller,
  since?: number,
): Promise<NewSession> {
  const now = auth.clock();
  const sessionId = randomToken();
  const created_at = since ?? now;
  const ends_at = created_at + auth.config.sessionMax;
  // Sent in one go: none needs the answer to the one before it.
  await Promise.all([
    isToken(caller.session) && rows.deleteSession(db, hashToken(caller.session), now),
    rows.deleteOldestSessions(db, userId, MOST_SESSIONS - 1),
    rows.addSession(db, {
      secret_hash: hashToken(sessionId),
      id: newId(now),
      user_id: userId,
      created_at,
      last_seen_at: now,
      expires_at: Math.min(now + auth.config.sessionIdle, ends_at),
      ends_at,
      ...callerColumns(caller),
    }),
  ]);
  return { sessionId, maxAge: ends_at - now };
}

/** Whoever is behind a session id, or undefined; undefined, empty and malformed ids never reach the database. */
export async function getUserFromSessionId(auth: Auth, sessionId: string | undefined): Promise<SignedIn | undefined> {
  const now = auth.clock();
  const hash = isToken(sessionId) ? hashToken(sessionId) : undefined;
  const session = hash === undefined ? undefined : await rows.findSession(auth.db, hash, now);
  if (!session || hash === undefined) {
    if (sessionId !== undefined) auth.metrics.add(METRIC.sessionsInvalid);
    return undefined;
  }
  auth.metrics.add(METRIC.sessionsValid);
  const { sessionIdle } = auth.config;
  if (now - session.last_seen_at >= Math.min(TOUCH_AFTER, sessionIdle / 10)) {
    await noteUse(auth, hash, now, Math.min(now + sessionIdle, session.ends_at));
  }
  const { id, user_id, email, name, created_at } = session;
  return { id: user_id, email, name, sessionId: id, signedInAt: created_at };
}

/** As {@linkcode getUserFromSessionId}, for what only somebody logged in may do. Throws `no_session`. */
export async function requireUser(auth: Auth, caller: Caller): Promise<SignedIn> {
  const user = await getUserFromSessionId(auth, caller.session);
  if (!user) throw new AuthError("no_session", "not logged in");
  return user;
}

/**
 * In a transaction: ends the session by which somebody acts, since it gets a new id afterwards. Throws `no_session`
 * when it ended while a password was being checked (V15).
 */
export async function takeSession(auth: Auth, db: DB, caller: Caller): Promise<void> {
  const live = isToken(caller.session) && await rows.deleteSession(db, hashToken(caller.session), auth.clock());
  if (!live) throw new AuthError("no_session", "not logged in");
}

/** In a transaction: ends the session by which this user acts, and gives when its login was, undefined if there is none. */
export async function takeSessionOf(auth: Auth, db: DB, userId: string, caller: Caller): Promise<number | undefined> {
  if (!isToken(caller.session)) return undefined;
  return await rows.deleteSessionOf(db, userId, hashToken(caller.session), auth.clock());
}

/**
 * In a transaction: makes sure that the session by which somebody acts is still live, and keeps it so until the end of
 * the transaction. Throws `no_session` (V15).
 */
export async function holdSession(auth: Auth, db: DB, caller: Caller): Promise<void> {
  const live = isToken(caller.session) && await rows.lockSession(db, hashToken(caller.session), auth.clock());
  if (!live) throw new AuthError("no_session", "not logged in");
}

/**
 * A read is answered on a database that takes no writes, too: the session then only ends a little earlier (F04, F05).
 * Nor does it wait for a lock: the note is made later, or not (F07).
 */
async function noteUse(auth: Auth, hash: string, now: number, expiresAt: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, NOTE_PATIENCE));
  try {
    await Promise.race([rows.touchSession(auth.db, hash, now, expiresAt), patience]);
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error;
  } finally {
    clearTimeout(timer!);
  }
}

/** Ends one session at once and on every instance, and gives whether it was live (S40). */
export async function destroySession(auth: Auth, sessionId: string | undefined, caller: Caller = {}): Promise<boolean> {
  if (!isToken(sessionId)) return false;
  const hash = hashToken(sessionId);
  return await auth.db.transaction(async (db) => {
    const userId = await rows.endSession(db, hash, auth.clock());
    if (userId !== undefined) await recordEvent(auth, db, { type: "logged_out", userId, caller });
    return userId !== undefined;
  });
}

/** Ends all sessions of a user, except the one with this id if one is given, and gives how many rows there were. */
export function destroySessions(auth: Auth, userId: string, except?: string, db: DB = auth.db): Promise<number> {
  return rows.deleteSessionsOf(db, userId, except === undefined ? undefined : hashToken(except));
}

/** The sessions of whoever asks, newest first. Throws `no_session`. */
export async function listSessions(auth: Auth, caller: Caller): Promise<SessionView[]> {
  const user = await requireUser(auth, caller);
  const sessions = await rows.listSessionsOf(auth.db, user.id, auth.clock());
  return sessions.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    userAgent: row.user_agent,
    ip: row.ip,
    current: row.id === user.sessionId,
  }));
}

/** Ends one session of whoever asks, by its public id. Throws `no_session`, `unknown_session` (S45, V12). */
export async function endSession(auth: Auth, id: string, caller: Caller): Promise<void> {
  const user = await requireUser(auth, caller);
  await auth.db.transaction(async (db) => {
    // What is no UUID, perhaps with a NUL in it, is nothing to ask the database for.
    if (!/^[0-9a-f-]{36}$/.test(id) || !await rows.deleteSessionById(db, user.id, id, auth.clock())) {
      throw new AuthError("unknown_session", "you have no session with this id");
    }
    await recordEvent(auth, db, { type: "session_ended", userId: user.id, caller });
  });
}

/** Ends all sessions of whoever asks but the one that asks, and gives how many. Throws `no_session`. */
export async function endOtherSessions(auth: Auth, caller: Caller): Promise<number> {
  const user = await requireUser(auth, caller);
  return await auth.db.transaction(async (db) => {
    // First the user, as everywhere: two sessions that end each other would wait for each other.
    await lockUserBy(db, { id: user.id });
    await holdSession(auth, db, caller);
    const count = await rows.deleteOtherSessions(db, user.id, hashToken(caller.session!), auth.clock());
    if (count > 0) await recordEvent(auth, db, { type: "sessions_ended", userId: user.id, caller, details: { count } });
    return count;
  });
}
