/**
 * Users as the operator sees them. Must not show a hash, a token or a cookie.
 *
 * @module
 */
import { AFTER_ALL, listEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { findUserBy, listUsers as listRows, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";

/** Rows per query. */
const PAGE = 500;

/** A user as the operator sees it. Times are milliseconds since 1970. */
export interface UserView {
  id: string;
  /** The address as its owner typed it. */
  email: string;
  name: string | null;
  locale: string | null;
  /** Whether the user has one. */
  password: boolean;
  /** Everything unusual about the account. */
  state: ("disabled" | "closed" | "frozen" | "unverified" | "no password")[];
  createdAt: number;
  /** The last login. */
  signedInAt: number | null;
  emailVerifiedAt: number | null;
  disabledAt: number | null;
  /** Since when the account waits for a reset. */
  frozenAt: number | null;
  closedAt: number | null;
  /** When a closed account is erased. */
  purgeAt: number | null;
}

/** A user with the live sessions and the last events, newest first. */
export interface UserDetails extends UserView {
  sessions: { id: string; createdAt: number; lastSeenAt: number; ip: string | null; userAgent: string | null }[];
  events: { id: string; type: string; createdAt: number; ip: string | null }[];
}

interface UserSearch {
  /** Start of the address, in any letter case. */
  prefix?: string;
  /** The list begins after this address. */
  after?: string;
}

/** Users ordered by address. They are read page by page, so memory does not grow with their number. */
export async function* listUsers(auth: Auth, { prefix = "", after = "" }: UserSearch): AsyncGenerator<UserView> {
  for await (const row of rowsOf(auth, prefix, after)) yield viewOf(row);
}

/** The rows of {@linkcode listUsers}, for the export. */
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

/** The user with this address or id, with sessions and the last 20 events, without secrets. Throws `unknown_email`. */
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
