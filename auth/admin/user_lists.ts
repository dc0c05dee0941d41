/**
 * Users as the operator sees them, one or many. Must not show a hash, a token or a cookie.
 *
 * @module
 */
import { AFTER_ALL, listEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { findUserBy, listUsers as listRows, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";

/** Rows that are read at once. */
const PAGE = 500;

/** A user as the operator sees it; times are milliseconds since 1970. */
export interface UserView {
  /** UUID v7. */
  id: string;
  /** The address as typed. */
  email: string;
  /** What the user is called. */
  name: string | null;
  /** Language of mails and pages. */
  locale: string | null;
  /** Whether there is a password. */
  password: boolean;
  /** What holds of the account; empty where there is nothing to say. */
  state: ("disabled" | "closed" | "frozen" | "unverified" | "no password")[];
  /** When the account was made. */
  createdAt: number;
  /** When the last login was. */
  signedInAt: number | null;
  /** When the mailbox was proven. */
  emailVerifiedAt: number | null;
  /** Since when the operator keeps the user out. */
  disabledAt: number | null;
  /** Since when the account waits for a reset. */
  frozenAt: number | null;
  /** Since when the account is closed. */
  closedAt: number | null;
  /** When a closed account is erased. */
  purgeAt: number | null;
}

/** A user with what belongs to the account. */
export interface UserDetails extends UserView {
  /** Live sessions, newest first. */
  sessions: { id: string; createdAt: number; lastSeenAt: number; ip: string | null; userAgent: string | null }[];
  /** The last events, newest first. */
  events: { id: string; type: string; createdAt: number; ip: string | null }[];
}

/** Which users are listed. */
export interface UserSearch {
  /** How the address begins; without regard to letter case. */
  prefix?: string;
  /** The address behind which the list goes on. */
  after?: string;
}

/** Users in the order of their addresses, read page by page, so that any number of them takes no memory. */
export async function* listUsers(auth: Auth, { prefix = "", after = "" }: UserSearch): AsyncGenerator<UserView> {
  for await (const row of rowsOf(auth, prefix, after)) yield viewOf(row);
}

/** The rows themselves, for the export. */
export async function* rowsOf(auth: Auth, prefix = "", after = ""): AsyncGenerator<UserRow> {
  let last = emailKeyOrUndefined(after) ?? after;
  for (;;) {
    const page = await listRows(auth.db, prefix.toLowerCase(), last, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    last = page[page.length - 1].email_key;
  }
}

/** The user with this address or id. Throws `unknown_email`. */
export async function findUser(auth: Auth, emailOrId: string): Promise<UserView> {
  return viewOf(await requireRow(auth, emailOrId));
}

/** All that is known of the user with this address or id, without secrets. Throws `unknown_email`. */
export async function showUser(auth: Auth, emailOrId: string): Promise<UserDetails> {
  const row = await requireRow(auth, emailOrId);
  const sessions = await listSessionsOf(auth.db, row.id, auth.clock());
  const events = await listEvents(auth.db, row.id, AFTER_ALL, 20);
  return {
    ...viewOf(row),
    sessions: sessions.map((session) => ({
      id: session.id,
      createdAt: session.created_at,
      lastSeenAt: session.last_seen_at,
      ip: session.ip,
      userAgent: session.user_agent,
    })),
    events: events.map(({ id, type, created_at, ip }) => ({ id, type, createdAt: created_at, ip })),
  };
}

async function requireRow(auth: Auth, emailOrId: string): Promise<UserRow> {
  const email_key = emailKeyOrUndefined(emailOrId);
  const user = await findUserBy(auth.db, email_key === undefined ? { id: emailOrId } : { email_key });
  if (!user) throw new AuthError("unknown_email", `no user has the e-mail address or id "${emailOrId}"`);
  return user;
}

function viewOf(row: UserRow): UserView {
  const state: UserView["state"] = [];
  if (row.disabled_at !== null) state.push("disabled");
  if (row.closed_at !== null) state.push("closed");
  if (row.frozen_at !== null) state.push("frozen");
  if (row.email_verified_at === null) state.push("unverified");
  if (row.hashed_password === null) state.push("no password");
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    locale: row.locale,
    password: row.hashed_password !== null,
    state,
    createdAt: row.created_at,
    signedInAt: row.signed_in_at,
    emailVerifiedAt: row.email_verified_at,
    disabledAt: row.disabled_at,
    frozenAt: row.frozen_at,
    closedAt: row.closed_at,
    purgeAt: row.purge_at,
  };
}
