/**
 * Export and import of users as lines of JSON. Lines hold the password hashes, so that nobody needs a new password.
 * Must not accept a hash that cannot be checked, nor read all lines into memory.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { findRegistering } from "../../db/tokens.ts";
import { type ImportedUser, importUsers as importRows } from "../../db/users.ts";
import { endRegistrations } from "../account/register.ts";
import type { Auth } from "../auth.ts";
import { isPasswordHash } from "../credentials/password_hash_format.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { recordEvent } from "../events.ts";
import { LOCALES } from "../languages.ts";
import { newId, randomToken } from "../secrets.ts";
import { type Actor, byActor } from "./actor.ts";
import { rowsOf } from "./user_lists.ts";

/** Lines per transaction. */
const BATCH = 500;
/** Longest line, in characters. */
const MOST_LINE = 10_000;
/** The latest time of a date (ECMA-262, 21.4.1.1), in milliseconds since 1970. */
const LAST_TIME = 8.64e15;
/** Longest name, in characters. */
const MOST_NAME = 200;

/** A line that was not imported. */
export interface LeftOut {
  /** Counted from 1. */
  line: number;
  reason: string;
  /** Whether the reason is only that the user exists already. */
  duplicate: boolean;
}

interface Imported {
  added: number;
  duplicates: number;
  /** Lines that hold no valid user. */
  refused: number;
}

interface ImportOptions {
  /** Whether an address counts as proven when its line does not say. */
  verified: boolean;
  onLeftOut(left: LeftOut): void;
  /** Called after every batch with the number of lines read. */
  onProgress?(lines: number): void;
}

/** Every user as one line, ordered by address. */
export async function* exportUsers(auth: Auth): AsyncGenerator<string> {
  for await (const row of rowsOf(auth)) {
    yield JSON.stringify({
      id: row.id,
      email: row.email,
      hashed_password: row.hashed_password,
      name: row.name,
      locale: row.locale,
      created_at: isoOf(row.created_at),
      signed_in_at: isoOf(row.signed_in_at),
      email_verified_at: isoOf(row.email_verified_at),
      disabled_at: isoOf(row.disabled_at),
      frozen_at: isoOf(row.frozen_at),
      closed_at: isoOf(row.closed_at),
      purge_at: isoOf(row.purge_at),
    });
  }
}

/** Imports users, one transaction per batch. After an interruption give the lines again: existing users are skipped. */
export async function importUsers(
  auth: Auth,
  by: Actor,
  lines: AsyncIterable<string>,
  options: ImportOptions,
): Promise<Imported> {
  const result = { added: 0, duplicates: 0, refused: 0 };
  let batch: { line: number; user: ImportedUser }[] = [];
  let line = 0;
  const flush = async (): Promise<void> => {
    const users = batch;
    batch = [];
    const added = await auth.db.transaction((db) => addBatch(auth, by, db, users.map(({ user }) => user)));
    for (const [index, { line }] of users.entries()) {
      if (added[index]) result.added++;
      else {
        result.duplicates++;
        options.onLeftOut({ line, reason: "a user with this address or id is there already", duplicate: true });
      }
    }
    options.onProgress?.(line);
  };
  for await (const text of lines) {
    line++;
    if (text.trim() === "") continue;
    try {
      batch.push({ line, user: userOf(auth, text, options.verified) });
    } catch (error) {
      result.refused++;
      options.onLeftOut({ line, reason: (error as Error).message, duplicate: false });
    }
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return result;
}

async function addBatch(auth: Auth, by: Actor, db: DB, users: ImportedUser[]): Promise<boolean[]> {
  // Sent together. The unique keys decide, also between two lines. Hardly any address has a registration.
  const [added, registering] = await Promise.all([
    importRows(db, users),
    findRegistering(db, users.map((user) => user.email_key)),
  ]);
  const fresh = users.filter((_, index) => added[index]);
  const begun = fresh.filter((user) => registering.has(user.email_key));
  await Promise.all(begun.map((user) => endRegistrations(db, user.email_key, user.id)));
  if (fresh.length > 0) {
    await recordEvent(auth, db, { type: "users_imported", details: { ...byActor(by), count: fresh.length } });
  }
  return added;
}

const TIMES = [
  "created_at",
  "signed_in_at",
  "email_verified_at",
  "disabled_at",
  "frozen_at",
  "closed_at",
  "purge_at",
] as const;
const FIELDS: readonly string[] = ["id", "email", "hashed_password", "name", "locale", ...TIMES];

/** The user of a line. Throws an Error with the reason, which repeats no hash. */
function userOf(auth: Auth, text: string, verified: boolean): ImportedUser {
  if (text.length > MOST_LINE) throw new Error(`longer than ${MOST_LINE} characters`);
  const given = objectOf(text);
  const unknown = Object.keys(given).find((name) => !FIELDS.includes(name));
  // An unknown field may mean that this user must not log in.
  if (unknown !== undefined) throw new Error(`unknown field ${JSON.stringify(unknown.slice(0, 50))}`);
  const { email, hashed_password = null, name = null, locale = null } = given;
  const email_key = typeof email === "string" ? emailKeyOrUndefined(email) : undefined;
  if (typeof email !== "string" || email_key === undefined) throw new Error("email is missing or not an address");
  if (hashed_password !== null && (typeof hashed_password !== "string" || !isPasswordHash(hashed_password))) {
    throw new Error("hashed_password is none of $2a$, $2b$, $2y$ and $bcrypt-sha256$v=2 with a cost of 4 to 16");
  }
  if (name !== null && (typeof name !== "string" || name.length > MOST_NAME || /\p{Cc}/u.test(name))) {
    throw new Error(`name is not a text of at most ${MOST_NAME} characters`);
  }
  if (name !== null && !name.isWellFormed()) throw new Error("name is not valid Unicode text");
  if (locale !== null && !LOCALES.some((known) => known === locale)) throw new Error("locale is not known");
  const now = auth.clock();
  const times = Object.fromEntries(TIMES.map((field) => [field, timeOf(field, given[field])]));
  const created_at = times.created_at ?? now;
  if ((times.closed_at === null) !== (times.purge_at === null)) throw new Error("closed_at and purge_at go together");
  if (times.frozen_at !== null && hashed_password !== null) {
    throw new Error("frozen_at does not go with hashed_password, since a frozen account waits for a new one");
  }
  return {
    id: idOf(given.id) ?? newId(created_at),
    email,
    email_key,
    hashed_password,
    name,
    locale: locale as string | null,
    created_at,
    updated_at: now,
    signed_in_at: times.signed_in_at,
    email_verified_at: given.email_verified_at === undefined && verified ? now : times.email_verified_at,
    disabled_at: times.disabled_at,
    frozen_at: times.frozen_at,
    closed_at: times.closed_at,
    purge_at: times.purge_at,
    // No device is known here. Without a mark, cookies of an erased account with this id would be known again.
    device_mark: randomToken(),
  };
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would repeat a part of the line.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not a JSON object");
  return value as Record<string, unknown>;
}

/** A given id stays, because other programs may know the user by it. */
function idOf(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  if (typeof id === "string" && uuid.test(id)) return id;
  throw new Error("id is not a UUID in lower case");
}

function timeOf(field: string, value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const time = typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : value;
  if (Number.isSafeInteger(time) && (time as number) >= 0 && (time as number) <= LAST_TIME) return time as number;
  throw new Error(`${field} is neither an ISO 8601 time nor milliseconds since 1970`);
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
