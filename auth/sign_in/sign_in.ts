/**
 * The gate: every way to sign in ends here, and only here a session is made. It checks whether the account may sign in,
 * whether its methods are enough, and whether the device is known. Must not check a credential, nor know a cookie's
 * name.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import {
  addPendingLogin,
  consumePendingLogin,
  deleteOldestPendingLogins,
  type PendingLoginRow,
} from "../../db/pending_logins.ts";
import { hasEvent } from "../../db/events.ts";
import { lockUserBy, noteSignIn, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { type Caller, callerColumns } from "../caller.ts";
import { invalidToken, recordUndoable } from "../credentials/mail_tokens.ts";
import { type EventType, recordEvent } from "../events.ts";
import { isKnownDevice, signDevice } from "../limits/known_devices.ts";
import { mayTellOfDevice } from "../limits/rate_limits.ts";
import { hashToken, isToken, newId, randomToken } from "../secrets.ts";
import { isActive, type Method, type SignInPolicy } from "../users.ts";
import { type NewSession, type SessionOrigin, startSession } from "./sessions.ts";

/** How long a login waits for its second factor, in milliseconds. */
const PENDING_LIFETIME = 10 * 60_000;
/** How many pending logins a user may have; the oldest are removed for a new one. */
const MOST_PENDING = 5;
/** Methods that complete a first factor. Two mails or two passwords are still one factor. */
const SECOND_FACTORS: readonly Method[] = ["totp", "recovery_code", "passkey"];

/** A user recognised by a credential. */
interface Recognised {
  user: UserRow;
  method: Method;
  /** The stored hash that matched. It must be unchanged when the session is written (F23). */
  hashed?: string;
}

/** The gate's answer. */
export type SignIn =
  | {
    state: "signed_in";
    session: NewSession;
    /** The value of the device cookie. */
    device: string;
  }
  | {
    state: "second_factor";
    /** The secret for {@linkcode continueSignIn}, valid for ten minutes. */
    pending: string;
  };

/** Whether this account may sign in at all. In public its mailbox must be proven first (S16, V48). */
export function maySignIn(auth: Pick<Auth, "config">, user: UserRow): boolean {
  return isActive(user) && (auth.config.profile === "local" || user.email_verified_at !== null);
}

/** Whether these methods are enough for this user. Only this function decides it (V23). */
export function isEnough(user: UserRow, methods: readonly Method[], policy: SignInPolicy): boolean {
  if (!policy.needsSecondFactor(user)) return methods.length > 0;
  return methods.length > 1 && methods.some((method) => SECOND_FACTORS.includes(method));
}

/**
 * Signs in a user after the first factor: records the login and returns a session with a new id. If the account needs a
 * second factor, it returns a pending login instead. A mail tells the owner about a login from an unknown device,
 * except the first login after a registration here. Undefined when the account may not sign in, or its password changed meanwhile.
 */
export async function signIn(auth: Auth, recognised: Recognised, caller: Caller): Promise<SignIn | undefined> {
  const { user, method, hashed } = recognised;
  const methods = [method];
  if (!maySignIn(auth, user)) return undefined;
  if (isEnough(user, methods, auth.policy)) {
    const login = await prepare(auth, user, caller);
    // Limited, because whoever has the password could flood the mailbox. Beyond the limit the owner has only the event.
    const told = login.strange && await mayTellOfDevice(auth, auth.db.relaxed, user.id);
    const done = await auth.db.transaction((db) => complete(auth, db, { ...login, told, methods, hashed }, caller))
      .catch((error) => {
        if (error instanceof NotEnough) return error;
        throw error;
      });
    if (!(done instanceof NotEnough)) return done;
  }
  return await auth.db.transaction(async (db) => {
    // Lock first: a concurrent end of access then comes wholly before or wholly after this login (F23).
    const now = await lockUserBy(db, { id: user.id });
    if (!now || !maySignIn(auth, now) || (hashed !== undefined && now.hashed_password !== hashed)) return undefined;
    const password_mark = hashed === undefined ? null : hashToken(hashed);
    return await addPending(auth, db, { user: now, methods, password_mark }, caller);
  });
}

/**
 * Continues a pending login after another right factor. The row is consumed in the transaction that makes the session:
 * of concurrent callers, one gets it (V86). Throws `invalid_token` when the pending login has ended, belongs to another
 * user, or the password changed meanwhile.
 */
export async function continueSignIn(
  auth: Auth,
  pending: string,
  recognised: Omit<Recognised, "hashed">,
  caller: Caller,
): Promise<SignIn> {
  const { user, method } = recognised;
  if (!isToken(pending) || !maySignIn(auth, user)) throw invalidToken();
  const login = await prepare(auth, user, caller);
  return await auth.db.transaction(async (db) => {
    const now = await lockUserBy(db, { id: user.id });
    const row = await consumePendingLogin(db, hashToken(pending), auth.clock());
    if (!row || !now || row.user_id !== now.id || !maySignIn(auth, now) || !isSamePassword(row, now)) {
      throw invalidToken();
    }
    const methods = [...row.methods.split(" ") as Method[], method];
    if (!isEnough(now, methods, auth.policy)) {
      return await addPending(auth, db, { user: now, methods, password_mark: row.password_mark }, caller);
    }
    // Only now: a made-up secret must not use up the mails that tell the owner.
    const told = login.strange && await mayTellOfDevice(auth, db, now.id);
    const done = await complete(auth, db, { ...login, told, methods }, caller);
    if (!done) throw invalidToken();
    return done;
  });
}

/**
 * In a transaction that took the user's session: makes a new session in its place, after a change (S39). It keeps the
 * old origin and does not last longer, unless the user was authenticated just now. A session whose methods are no
 * longer enough stays as old as it is: one factor more must not make it fresh (V23).
 */
export function renewSession(
  auth: Auth,
  db: DB,
  user: UserRow,
  old: SessionOrigin,
  caller: Caller,
  options: { authenticated?: boolean } = {},
): Promise<NewSession> {
  const now = auth.clock();
  const isFresh = options.authenticated && isEnough(user, old.methods, auth.policy);
  const origin = isFresh ? { ...old, authenticatedAt: now, createdAt: now } : old;
  return startSession(auth, db, user.id, origin, caller, now);
}

/** The locked row shows that the account needs another factor since it was read. Takes the transaction back. */
class NotEnough extends Error {}

/** What is known about a login before its transaction begins. */
interface Login {
  user: UserRow;
  id: string;
  device: string;
  strange: boolean;
}

/** Reads the keys of devices here: inside the transaction a second connection may never come free. */
async function prepare(auth: Auth, user: UserRow, caller: Caller): Promise<Login> {
  const strange = !await isFirstLogin(auth, user) && !await isKnownDevice(auth, user, caller.device);
  const device = await signDevice(auth, user, caller.device);
  return { user, id: newId(auth.clock()), device, strange };
}

/**
 * Whether it is the first login after a registration. An imported account has none: others may have known its password
 * for years, and its first login here is perhaps not its owner's.
 */
async function isFirstLogin(auth: Auth, user: UserRow): Promise<boolean> {
  return user.signed_in_at === null && await hasEvent(auth.db, user.id, "registered" satisfies EventType);
}

/**
 * Undefined when the user is gone or inactive, or the password has changed since it was right (F23). Throws
 * {@linkcode NotEnough} when the row, now locked, asks for more than these methods.
 */
async function complete(
  auth: Auth,
  db: DB,
  { user: { id: userId }, id, device, strange, told, methods, hashed = null }: Login & {
    told: boolean;
    methods: readonly Method[];
    hashed?: string | null;
  },
  caller: Caller,
): Promise<SignIn | undefined> {
  const now = auth.clock();
  const user = await noteSignIn(db, userId, hashed, now);
  if (!user) return undefined;
  if (!isEnough(user, methods, auth.policy)) throw new NotEnough();
  const details = { device: strange ? "new" : "known" };
  const event = { type: "logged_in", id, userId, caller, details } as const;
  const [session] = await Promise.all([
    startSession(auth, db, userId, { methods, authenticatedAt: now, createdAt: now }, caller, now),
    told ? recordUndoable(auth, db, user, event, { kind: "new_device" }) : recordEvent(auth, db, event),
  ]);
  return { state: "signed_in", session, device };
}

async function addPending(
  auth: Auth,
  db: DB,
  { user, methods, password_mark }: {
    user: UserRow;
    methods: readonly Method[];
    password_mark: string | null;
  },
  caller: Caller,
): Promise<SignIn> {
  const now = auth.clock();
  const pending = randomToken();
  await Promise.all([
    // Somebody has the password: the owner must be able to see that (S22).
    recordEvent(auth, db, { type: "second_factor_asked", userId: user.id, caller }),
    deleteOldestPendingLogins(db, user.id, MOST_PENDING - 1),
    addPendingLogin(db, {
      secret_hash: hashToken(pending),
      user_id: user.id,
      methods: methods.join(" "),
      purpose: "login",
      password_mark,
      created_at: now,
      expires_at: now + PENDING_LIFETIME,
      ...callerColumns(caller),
    }),
  ]);
  return { state: "second_factor", pending };
}

function isSamePassword({ password_mark }: PendingLoginRow, { hashed_password }: UserRow): boolean {
  return password_mark === null || (hashed_password !== null && hashToken(hashed_password) === password_mark);
}
