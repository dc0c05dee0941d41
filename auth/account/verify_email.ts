/**
 * Proving a mailbox: the mail again, and the link or code out of it. Must not log anybody in.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { giveEvent } from "../../db/events.ts";
import { addToken, consumeToken, dropTokenPassword, listTokensFor, type TokenRow } from "../../db/tokens.ts";
import { lockUserBy, updateUser, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { forgetCodeTries } from "../credentials/mail_codes.ts";
import { findMailToken, invalidToken, type MailProof } from "../credentials/mail_tokens.ts";
import { emailKey } from "../email_addresses.ts";
import { type NewEvent, recordEvent } from "../events.ts";
import { localeOf } from "../languages.ts";
import { forgetGuesses } from "../limits/password_guesses.ts";
import { limitMailRequests, mayMail } from "../limits/rate_limits.ts";
import { mailTo } from "../mail_kinds.ts";
import { newId, unusableSecret } from "../secrets.ts";
import { endAccess } from "../sign_in/access.ts";
import { isActive } from "../users.ts";
import { createAccount } from "./register.ts";
import { sendReset } from "./reset_password.ts";

/** How long a proof is waited for, in milliseconds. */
const LIFETIME = 24 * 60 * 60_000;

/**
 * Has the newest verification mail sent again, if this address waits for one; the same work for every address. When
 * there was more than one registration, the account that this mail makes has no password: nobody knows whose the newest
 * is (S35). Throws `invalid_email`, `rate_limited`.
 */
export async function requestVerification(auth: Auth, email: string, caller: Caller = {}): Promise<void> {
  const key = emailKey(email);
  await limitMailRequests(auth, caller);
  const mail = await mayMail(auth, "verify", key);
  await auth.db.transaction(async (db) => {
    const now = auth.clock();
    const user = await lockUserBy(db, { email_key: key });
    const [pending, another] = await listTokensFor(db, "register", key, now, 2);
    // Beyond the limit the last token stays good (S36).
    const waits = mail && user !== undefined && user.email_verified_at === null && isActive(user);
    const unproven = waits ? user : undefined;
    const id = newId(now);
    await addToken(db, {
      purpose: "verify",
      // For an address without an unproven account the row is a stand-in that opens nothing; by that of a registration
      // the account will find this event.
      subject: unproven?.id ?? id,
      secret_hash: unusableSecret(),
      user_id: unproven?.id ?? null,
      created_at: now,
      expires_at: now + LIFETIME,
      email: unproven?.email ?? null,
      email_key: unproven || pending ? key : null,
    });
    // Who asks for the mail again takes it for the answer to the own registration, and it may be a stranger's.
    const doubtful = mail && !unproven && another ? pending.subject : newId(now);
    await dropTokenPassword(db, "register", doubtful);
    const event: NewEvent = { type: "verification_requested", id, userId: user?.id, caller };
    if (mail) {
      event.mail = unproven ? mailTo(unproven, "verify", { subject: unproven.id }) : pending && registerMail(pending);
    }
    await recordEvent(auth, db, event);
  });
}

/** An address whose mailbox was proven. */
export interface Proven {
  /** The address as its owner typed it. */
  email: string;
  /** Whether the account has a password; without one, a mail to set it is on its way. */
  hasPassword: boolean;
}

/**
 * Takes the proof of a mailbox: makes the account that a registration prepared, or notes that an existing one's address
 * is proven. Throws `invalid_token`, `too_many_attempts`.
 */
export async function verifyEmail(auth: Auth, proof: MailProof, caller: Caller = {}): Promise<Proven> {
  const token = await findMailToken(auth, ["register", "verify"], proof, caller);
  return await auth.db.transaction(async (db) => {
    const user = token.user_id ? await lockUserBy(db, { id: token.user_id }) : undefined;
    const taken = await consumeToken(db, token.purpose, token.secret_hash, auth.clock());
    if (!taken?.email || !taken.email_key) throw invalidToken();
    await forgetCodeTries(db, taken.email_key);
    await forgetGuesses(db, taken.email_key);
    const proven = taken.purpose === "register"
      ? await makeUser(auth, db, taken, caller)
      : await noteProof(auth, db, taken, user, caller);
    if (proven.hashed_password === null) await sendReset(auth, db, proven, caller);
    return { email: taken.email, hasPassword: proven.hashed_password !== null };
  });
}

/** The account that a registration prepared. Nobody's password but this registration's counts (S35, V26). */
async function makeUser(auth: Auth, db: DB, token: TokenRow, caller: Caller): Promise<UserRow> {
  const user = await createAccount(auth, db, {
    email: token.email!,
    email_key: token.email_key!,
    hashed_password: token.hashed_password,
    locale: token.locale,
    email_verified_at: auth.clock(),
  }, { caller });
  if (!user) throw invalidToken();
  await giveEvent(db, token.subject, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  return user;
}

/**
 * Sessions from before the proof may be anybody's, and in public so may the password: whoever made the account typed the
 * address of somebody else as easily as the own one (S35). The proof is of the token's mailbox and no other (V41, V48).
 */
async function noteProof(
  auth: Auth,
  db: DB,
  token: TokenRow,
  user: UserRow | undefined,
  caller: Caller,
): Promise<UserRow> {
  const now = auth.clock();
  if (!user || !isActive(user) || user.email_key !== token.email_key) throw invalidToken();
  const first = auth.config.profile === "public" && user.email_verified_at === null;
  const hashed_password = first ? null : user.hashed_password;
  await updateUser(db, user.id, { email_verified_at: now, hashed_password, updated_at: now });
  await endAccess(auth, db, user.id);
  await recordEvent(auth, db, { type: "email_verified", userId: user.id, caller });
  return { ...user, email_verified_at: now, hashed_password };
}

function registerMail(token: TokenRow): NewEvent["mail"] {
  return { kind: "register", to: token.email!, locale: localeOf(token.locale), subject: token.subject };
}
