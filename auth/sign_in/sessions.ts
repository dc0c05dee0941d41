/**
 * Starts, lists and ends sessions. Must not decide who gets one: the gate in `sign_in.ts` does.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import * as rows from "../../db/sessions.ts";
import { lockUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { type Caller, callerColumns } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { hashToken, isToken, newId, randomToken } from "../secrets.ts";
import type { Method } from "../users.ts";
import { noSession, type SignedIn } from "./current_user.ts";
import { endAccess } from "./end_access.ts";

/** How many sessions a user may have; the oldest are removed for a new one (S47). */
export const MOST_SESSIONS = 100;

/** A new session for its owner. */
export interface NewSession {
  /** The secret for the cookie. */
  sessionId: string;
  /** How long it can last at most, in milliseconds. */
  maxAge: number;
}

/** How a session began. Times are milliseconds since 1970. */
export interface SessionOrigin {
  /** By which methods the user signed in. */
  methods: readonly Method[];
  /** When the user last proved who they are. */
  authenticatedAt: number;
  /** When the login was. */
  createdAt: number;
}

/** A session in its owner's list. Times are milliseconds since 1970. */
export interface SessionView {
  /** Names the session; it gives no access. */
  id: string;
  /** When the user signed in. */
  createdAt: number;
  /** The last use, accurate to a few minutes. */
  lastSeenAt: number;
  /** The end, unless it is used before. */
  expiresAt: number;
  /** The program that signed in, as it names itself. */
  userAgent: string | null;
  /** The address it signed in from. */
  ip: string | null;
  /** Whether this request uses it. */
  current: boolean;
}

/** Adds a session in the gate's transaction. The caller's former session ends, so its id is never taken over (S39). */
export async function startSession(
  auth: Auth,
  db: DB,
  userId: string,
  origin: SessionOrigin,
  caller: Caller,
  now: number,
): Promise<NewSession> {
  const sessionId = randomToken();
  const ends_at = origin.createdAt + auth.config.sessionMax;
  // Sent together: none needs the answer of another.
  await Promise.all([
    isToken(caller.session) && rows.deleteSession(db, hashToken(caller.session), now),
    rows.deleteOldestSessions(db, userId, MOST_SESSIONS - 1),
    rows.addSession(db, {
      secret_hash: hashToken(sessionId),
      id: newId(now),
      user_id: userId,
      created_at: origin.createdAt,
      last_seen_at: now,
      expires_at: Math.min(now + auth.config.sessionIdle, ends_at),
      ends_at,
      methods: origin.methods.join(" "),
      authenticated_at: origin.authenticatedAt,
      ...callerColumns(caller),
    }),
  ]);
  return { sessionId, maxAge: ends_at - now };
}

/** In a transaction: ends the caller's session if it is this user's. Returns how it began, or undefined without one. */
export async function takeSession(
  auth: Auth,
  db: DB,
  userId: string,
  caller: Caller,
): Promise<SessionOrigin | undefined> {
  if (!isToken(caller.session)) return undefined;
  const taken = await rows.takeSession(db, userId, hashToken(caller.session), auth.clock());
  return taken && {
    methods: (taken.methods ?? "password").split(" ") as Method[],
    authenticatedAt: taken.authenticated_at ?? taken.created_at,
    createdAt: taken.created_at,
  };
}

/** As {@linkcode takeSession}, but throws `no_session` if the session ended during a password check (V15). */
export async function requireSession(auth: Auth, db: DB, userId: string, caller: Caller): Promise<SessionOrigin> {
  const taken = await takeSession(auth, db, userId, caller);
  if (!taken) throw noSession();
  return taken;
}

/** In a transaction: locks the caller's session until the end if it is live. Throws `no_session` otherwise (V15). */
export async function holdSession(auth: Auth, db: DB, caller: Caller): Promise<void> {
  const live = isToken(caller.session) && await rows.lockSession(db, hashToken(caller.session), auth.clock());
  if (!live) throw noSession();
}

/** Logs out: ends one session at once, on every instance. Returns whether it was live (S40). */
export async function destroySession(auth: Auth, sessionId: string | undefined, caller: Caller = {}): Promise<boolean> {
  if (!isToken(sessionId)) return false;
  const hash = hashToken(sessionId);
  return await auth.db.transaction(async (db) => {
    const userId = await rows.endSession(db, hash, auth.clock());
    if (userId !== undefined) await recordEvent(auth, db, { type: "logged_out", userId, caller });
    return userId !== undefined;
  });
}

/** The user's own sessions, newest first. */
export async function listSessions(auth: Auth, user: SignedIn): Promise<SessionView[]> {
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

/** Ends one of the user's own sessions by its public id. Throws `unknown_session` (S45, V12). */
export async function endSession(auth: Auth, user: SignedIn, id: string, caller: Caller): Promise<void> {
  await auth.db.transaction(async (db) => {
    // Any other text, perhaps with a NUL, must not reach the database.
    if (!/^[0-9a-f-]{36}$/.test(id) || !await rows.deleteSessionById(db, user.id, id, auth.clock())) {
      throw new AuthError("unknown_session", "you have no session with this id");
    }
    await recordEvent(auth, db, { type: "session_ended", userId: user.id, caller });
  });
}

/** Ends the user's other sessions and returns how many were live. Throws `no_session`. */
export async function endOtherSessions(auth: Auth, user: SignedIn, caller: Caller): Promise<number> {
  return await auth.db.transaction(async (db) => {
    // Lock the user's row first, as everywhere: otherwise two sessions that end each other would wait for each other.
    await lockUserBy(db, { id: user.id });
    await holdSession(auth, db, caller);
    const count = await endAccess(auth, db, user.id, { session: caller.session, tokens: "all" });
    if (count > 0) await recordEvent(auth, db, { type: "sessions_ended", userId: user.id, caller, details: { count } });
    return count;
  });
}
