/**
 * Takes over the users of the exercise's own programs, with their passwords, at the first start on their database. Must
 * not take over a session or a token: those programs stored them in plain text (F20).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import {
  type ClassicRow,
  LEFT_OUT,
  type Takeover,
  takeOverClassicTable,
  type ToUser,
} from "../../db/maintenance/classic_table.ts";
import { isPasswordHash } from "../credentials/password_hash_format.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import type { Log } from "../runtime/log.ts";
import { newId } from "../secrets.ts";

/** How many ids one log entry names. */
const MOST_NAMED = 20;

/** Takes over the users of a classic database and logs the result. Any number of instances may do so at once. */
export async function takeOverClassicUsers(db: DB, now: number, log: Log): Promise<void> {
  const takeover = await takeOverClassicTable(db, toUser(now));
  if (takeover === undefined) return;
  const left = takeover.refused.length + takeover.doubled.length > 0;
  log.write({
    time: new Date().toISOString(),
    level: left ? "warning" : "info",
    classic_users: sentence(takeover),
  });
}

function toUser(now: number): ToUser {
  return (row: ClassicRow) => {
    const email_key = emailKeyOrUndefined(row.email);
    if (email_key === undefined) return undefined;
    // A user without a usable hash is kept too, and logs in again after setting a new password.
    const hashed = textOf(row.hashed_password ?? "");
    const hashed_password = isPasswordHash(hashed) ? hashed : null;
    return { id: newId(now), email: row.email, email_key, hashed_password, created_at: now };
  };
}

/** In Python, bcrypt gives bytes. PostgreSQL stores bytes in a text column as `\x` and hexadecimal digits. */
function textOf(stored: string): string {
  const digits = /^\\x((?:[0-9a-f]{2})*)$/i.exec(stored)?.[1];
  return digits === undefined ? stored : new TextDecoder().decode(Uint8Array.fromHex(digits));
}

/** Names users by their old ids only: a log must not hold addresses. */
function sentence({ taken, refused, doubled }: Takeover): string {
  const parts = [`${taken} users of the classic table were taken over`];
  if (refused.length > 0) parts.push(`${named(refused)} left out, since the address is not valid`);
  if (doubled.length > 0) parts.push(`${named(doubled)} left out, since a lower id has the same address`);
  if (parts.length > 1) parts.push(`what was left out is in the table ${LEFT_OUT}`);
  return parts.join("; ");
}

function named(ids: number[]): string {
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : "";
  return `id ${ids.slice(0, MOST_NAMED).join(", ")}${more}`;
}
