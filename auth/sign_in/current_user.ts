/**
 * The user behind a session id. The route looks the user up once per request and passes the value on. Must not know the
 * cookie's name or a header.
 *
 * @module
 */
import { DatabaseUnavailable } from "../../db/errors.ts";
import * as rows from "../../db/sessions.ts";
import { findUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { METRIC } from "../runtime/metrics.ts";
import { hashToken, isToken } from "../secrets.ts";
import type { User } from "../users.ts";

/** A use of a session is stored only if the stored use is at least this old, in milliseconds. */
const TOUCH_AFTER = 5 * 60_000;
/** How long a session check waits for that write, in milliseconds. */
const NOTE_PATIENCE = 50;

/** The signed-in user and the session that was used. */
export interface SignedIn extends User {
  /** What the user is called. */
  name: string | null;
  /** Public id of the session; it gives no access. */
  sessionId: string;
  /** When the user last proved who they are, in milliseconds since 1970. */
  authenticatedAt: number;
}

/** The user behind a session id, or undefined. Undefined, empty and malformed ids never reach the database. */
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
  const { id, user_id, email, name, created_at, authenticated_at } = session;
  return { id: user_id, email, name, sessionId: id, authenticatedAt: authenticated_at ?? created_at };
}

/** As {@linkcode getUserFromSessionId}, for actions that need a user. Throws `no_session`. */
export async function requireUser(auth: Auth, caller: Caller): Promise<SignedIn> {
  const user = await getUserFromSessionId(auth, caller.session);
  if (!user) throw noSession();
  return user;
}

/** The row of a signed-in user. Throws `no_session` when it was erased meanwhile. */
export async function requireRow(auth: Auth, { id }: SignedIn): Promise<UserRow> {
  const row = await findUserBy(auth.db, { id });
  if (!row) throw noSession();
  return row;
}

/** The refusal of a request that needs a session. */
export function noSession(): AuthError {
  return new AuthError("no_session", "not logged in");
}

/**
 * A read-only database still answers reads; the session then only ends a little earlier (F04, F05). The write does not
 * wait for a lock either: a later use makes it (F07).
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
