/**
 * Logging in: a password, a session, a device that is known from now on. Must not know the cookies' names.
 *
 * @module
 */
import { addToken } from "../../db/tokens.ts";
import { noteSignIn, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { undoToken } from "../credentials/mail_tokens.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { isKnownDevice, signDevice } from "../limits/known_devices.ts";
import { mayTellOfDevice } from "../limits/rate_limits.ts";
import { newId } from "../secrets.ts";
import { checkPassword } from "./by_password.ts";
import { addSession, type NewSession } from "./sessions.ts";

/** What a login gives. */
export interface Login extends NewSession {
  /** The value of the device's cookie. */
  device: string;
}

/**
 * Logs in: checks the password and makes a session with a new id. A login from a strange device, except the first of an
 * account, is told to its owner by mail, in public a few times an hour at most. Throws `wrong_credentials`, the same for
 * all causes, `throttled`, `invalid_password`, `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function logIn(auth: Auth, email: string, password: string, caller: Caller = {}): Promise<Login> {
  // Another login may have renewed the hash since this one looked: then the password is checked against the new one.
  for (let tries = 0; tries < 2; tries++) {
    const user = await checkPassword(auth, email, password, caller);
    if (!user) break;
    const login = await startSession(auth, user, caller);
    if (login) return login;
  }
  throw new AuthError("wrong_credentials", "wrong e-mail address or password");
}

/** Undefined when the user has gone or the password was changed since it was checked (F23). */
async function startSession(auth: Auth, user: UserRow, caller: Caller): Promise<Login | undefined> {
  const strange = user.signed_in_at !== null && !await isKnownDevice(auth, user.id, caller.device);
  const device = await signDevice(auth, user.id, caller.device);
  const now = auth.clock();
  const id = newId(now);
  // Whoever has the password could otherwise flood the mailbox; beyond that the event alone tells of it.
  const told = strange && await mayTellOfDevice(auth, user.id);
  return await auth.db.transaction(async (db) => {
    if (!await noteSignIn(db, user.id, user.hashed_password, now)) return undefined;
    const [session] = await Promise.all([
      addSession(auth, db, user.id, caller),
      told && addToken(db, undoToken(auth, user, id)),
      recordEvent(auth, db, {
        type: "logged_in",
        id,
        userId: user.id,
        caller,
        details: { device: strange ? "new" : "known" },
        mail: told
          ? { kind: "new_device", to: user.email, locale: localeOf(user.locale), name: user.name, subject: id }
          : undefined,
      }),
    ]);
    return { ...session, device };
  });
}
