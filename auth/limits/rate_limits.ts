/**
 * Limits within a window of time. Counted in the database, so that all instances share them (S20, S36). Must not have a
 * number or an id of its own: both come from the table of limits.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { type Count, deleteCounter, findCounter, increaseCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { type Limit, limitId, LIMITS, type Refusal, type WindowLimit } from "./limits.ts";

/** A form that sends mail to an address that was typed. */
type MailPurpose = typeof LIMITS.addressMails.kinds[number];

/** Whom the event about a limit concerns. */
export interface Noted {
  /** The client that made it refuse; left out where its address would outlive somebody's account. */
  caller?: Caller;
  userId?: string;
}

/** Which counter of a row counts one more. */
export interface Counting {
  /** What follows the prefix in the id. */
  of: readonly string[];
  /** Called once in a window, when the limit begins to refuse. */
  noted?: () => Noted | Promise<Noted>;
  db?: DB;
}

/** Counts one more. Says whether it is within the limit, and when the window ends, in milliseconds since 1970. */
export async function countWithin(
  auth: Auth,
  limit: WindowLimit,
  { of, noted = () => ({}), db = auth.db }: Counting,
): Promise<{ within: boolean; until: number }> {
  if (limit.profile === "public" && auth.config.profile === "local") return { within: true, until: 0 };
  const { count, expires_at } = await increaseCounter(db, limitId(limit, ...of), auth.clock(), limit.window);
  // One event for each counter and window: a flood must not fill the table.
  if (limit.noted && count === limit.most + 1) await noteThrottled(auth, limit, await noted());
  return { within: count <= limit.most, until: expires_at };
}

/** As {@linkcode countWithin}; beyond the limit it throws the row's error: `rate_limited`, `too_many_attempts`. */
export async function requireWithin(
  auth: Auth,
  limit: WindowLimit & { refusal: Refusal },
  counting: Counting,
): Promise<void> {
  const { within, until } = await countWithin(auth, limit, counting);
  if (!within) throw refusalOf(auth, limit, until);
}

/** The error beyond a limit; `until` is in milliseconds since 1970. */
export function refusalOf(auth: Auth, { refusal }: { refusal: Refusal }, until: number): AuthError {
  return new AuthError(refusal.code, refusal.message, { retryAfter: secondsUntil(auth, until) });
}

/** Records that a limit begins to refuse. */
export async function noteThrottled(auth: Auth, limit: Limit, { caller, userId }: Noted): Promise<void> {
  const details = { by: limit.name, ...(limit.observable && { mode: auth.config.throttle }) };
  await recordEvent(auth, auth.db, { type: "throttled", userId, caller, details });
}

/** Until when the next one is refused, in milliseconds since 1970, or undefined. Counts none. */
export async function refusedUntil(auth: Auth, limit: WindowLimit, ...of: string[]): Promise<number | undefined> {
  const counter = await openWindow(auth, limit, of);
  return counter && counter.count >= limit.most ? counter.expires_at : undefined;
}

/** As {@linkcode refusedUntil}, but only after one was refused. */
export async function overUntil(auth: Auth, limit: WindowLimit, ...of: string[]): Promise<number | undefined> {
  const counter = await openWindow(auth, limit, of);
  return counter && counter.count > limit.most ? counter.expires_at : undefined;
}

async function openWindow(auth: Auth, limit: WindowLimit, of: string[]): Promise<Count | undefined> {
  const counter = await findCounter(auth.db, limitId(limit, ...of));
  return counter && counter.expires_at > auth.clock() ? counter : undefined;
}

/** Begins a count anew. */
export async function forgetCount(db: DB, limit: WindowLimit, ...of: string[]): Promise<void> {
  await deleteCounter(db, limitId(limit, ...of));
}

/** Counts a registration from this network. Throws `rate_limited`. */
export async function limitRegistrations(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, LIMITS.registrations, { of: [networkOf(caller.ip)], noted: () => ({ caller }) });
}

/** Counts a request for a mail from this network. Throws `rate_limited`. */
export async function limitMailRequests(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, LIMITS.networkMails, { of: [networkOf(caller.ip)], noted: () => ({ caller }) });
}

/**
 * Counts a mail to this address, known or not, and says whether it may go. The answer to the client must not depend on
 * it.
 */
export async function mayMail(auth: Auth, purpose: MailPurpose, emailKey: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.addressMails, { of: [purpose, emailKey] })).within;
}

/**
 * Counts the mail that says that there is an account already, and says whether it may go. Called for every address; an
 * unknown one gives itself in place of the user, so that the work is the same (S16).
 */
export async function mayTellOfAccount(auth: Auth, db: DB, userIdOrEmailKey: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.accountMails, { of: [userIdOrEmailKey], db })).within;
}

/** Counts a mail about a new device to this user, and says whether it may go. */
export async function mayTellOfDevice(auth: Auth, userId: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.deviceMails, { of: [userId] })).within;
}

/** Counts a failed login at an address that nobody has; refuses none. */
export async function countFailedLogin(auth: Auth, caller: Caller): Promise<void> {
  await countWithin(auth, LIMITS.failedLogins, { of: [networkOf(caller.ip)] });
}

/** The network that an address stands for: itself for IPv4, its /64 for IPv6, in one spelling (V10). */
export function networkOf(ip: string | undefined): string {
  if (ip === undefined || !ipaddr.isValid(ip)) return "unknown";
  const address = ipaddr.process(ip);
  if (address.kind() === "ipv4") return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/64`).toString() + "/64";
}

/** Whole seconds, at least one, as Retry-After has them (RFC 9110 10.2.3). */
function secondsUntil(auth: Auth, then: number): number {
  return Math.max(1, Math.ceil((then - auth.clock()) / 1_000));
}
