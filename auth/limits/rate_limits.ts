/**
 * Limits for a window of time. The counts are in the database, so that all instances share them (S20, S36). Must not
 * have its own number or id: both come from the table of limits.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { type Count, deleteCounter, findCounter, increaseCounter, takeFromBudget } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import type { Limit, Refusal, WindowLimit } from "./limit_rows.ts";
import { intervalOf, limitId, LIMITS } from "./limits.ts";

/** A form that sends a mail to a typed address. */
type MailPurpose = typeof LIMITS.addressMails.kinds[number];

/** A change that the account's mailbox is told of. */
type AccountChange = typeof LIMITS.accountChanges.kinds[number];

/** Whom the event about a limit concerns. */
interface Noted {
  /** The client that went over the limit. Absent where its IP address would be kept longer than somebody's account. */
  caller?: Caller;
  userId?: string;
}

interface Counting {
  /** The parts of the id after the prefix. */
  of: readonly string[];
  /** Called once per window, when the limit begins to refuse. */
  noted?: () => Noted | Promise<Noted>;
  /** The transaction to count in. By default the count is stored at once, and does not wait for the disk. */
  db?: DB;
}

/** Counts one more. Returns whether it is within the limit, and the end of the window in milliseconds since 1970. */
export async function countWithin(
  auth: Auth,
  limit: WindowLimit,
  { of, noted = () => ({}), db = auth.db.relaxed }: Counting,
): Promise<{ within: boolean; until: number }> {
  if (limit.profile === "public" && auth.config.profile === "local") return { within: true, until: 0 };
  if (limit.refills) return await takeOne(auth, limit, { of, noted, db });
  const { count, expires_at } = await increaseCounter(db, limitId(limit, ...of), auth.clock(), limit.window);
  // One event for each counter and window: a flood must not fill the table.
  if (limit.noted && count === limit.most + 1) await noteThrottled(auth, limit, await noted());
  return { within: count <= limit.most, until: expires_at };
}

/** As {@linkcode countWithin}, for a limit that refills. `until` is when the next one is within it. */
async function takeOne(
  auth: Auth,
  limit: WindowLimit,
  { of, noted, db }: Required<Counting>,
): Promise<{ within: boolean; until: number }> {
  const budget = { most: limit.most, interval: intervalOf(limit) };
  const { count, expires_at } = await takeFromBudget(db, limitId(limit, ...of), auth.clock(), budget);
  if (limit.noted && count === 1) await noteThrottled(auth, limit, await noted());
  return { within: count === 0, until: nextOf(limit, expires_at) };
}

/** When one is within a limit that refills, in milliseconds since 1970. `full` is when its budget is full. */
function nextOf(limit: WindowLimit, full: number): number {
  return full - limit.window + intervalOf(limit);
}

/** As {@linkcode countWithin}, but beyond the limit it throws the row's error: `rate_limited`, `too_many_attempts`. */
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

/** Until when the next one is refused, in milliseconds since 1970; undefined if it is allowed. Counts none. */
export async function refusedUntil(auth: Auth, limit: WindowLimit, ...of: string[]): Promise<number | undefined> {
  const counter = await openWindow(auth, limit, of);
  if (!counter) return undefined;
  if (limit.refills) return afterNow(auth, nextOf(limit, counter.expires_at));
  return counter.count >= limit.most ? counter.expires_at : undefined;
}

/** As {@linkcode refusedUntil}, but only after one was refused. */
export async function overUntil(auth: Auth, limit: WindowLimit, ...of: string[]): Promise<number | undefined> {
  const counter = await openWindow(auth, limit, of);
  if (!counter) return undefined;
  if (!limit.refills) return counter.count > limit.most ? counter.expires_at : undefined;
  return counter.count > 0 ? afterNow(auth, nextOf(limit, counter.expires_at)) : undefined;
}

function afterNow(auth: Auth, time: number): number | undefined {
  return time > auth.clock() ? time : undefined;
}

async function openWindow(auth: Auth, limit: WindowLimit, of: string[]): Promise<Count | undefined> {
  const counter = await findCounter(auth.db, limitId(limit, ...of));
  return counter && counter.expires_at > auth.clock() ? counter : undefined;
}

/** Resets a count. */
export async function forgetCount(db: DB, limit: WindowLimit, ...of: string[]): Promise<void> {
  await deleteCounter(db, limitId(limit, ...of));
}

/** Counts a registration from this network. Throws `rate_limited`. */
export async function limitRegistrations(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, LIMITS.registrations, { of: [networkOf(caller.ip)], noted: () => ({ caller }) });
  await limitSite(auth, caller);
}

/** Counts a request for a mail from this network. Throws `rate_limited`. */
export async function limitMailRequests(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, LIMITS.networkMails, { of: [networkOf(caller.ip)], noted: () => ({ caller }) });
  await limitSite(auth, caller);
}

/** Counts for the site what its network may do. Only where a site is more than its network. Throws `rate_limited`. */
async function limitSite(auth: Auth, caller: Caller): Promise<void> {
  const site = siteOf(caller.ip);
  if (site === networkOf(caller.ip)) return;
  await requireWithin(auth, LIMITS.siteRequests, { of: [site], noted: () => ({ caller }) });
}

/**
 * Counts a mail to this address, known or not, and returns whether to send it. The client's answer must not show it.
 */
export async function mayMail(auth: Auth, purpose: MailPurpose, emailKey: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.addressMails, { of: [purpose, emailKey] })).within;
}

/**
 * Counts the mail that says that an account exists. Returns whether it may be sent. Called for every address: an
 * unknown one takes the place of the user id, so that the work is the same (S16).
 */
export async function mayTellOfAccount(auth: Auth, db: DB, userIdOrEmailKey: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.accountMails, { of: [userIdOrEmailKey], db })).within;
}

/**
 * In the transaction that adds it: counts a registration of this address, known or not. Returns whether it is the only
 * one for a week. The count's row is locked, so of registrations at the same moment only one is the first.
 */
export async function isFirstRegistration(auth: Auth, db: DB, emailKey: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.addressRegistrations, { of: [emailKey], db })).within;
}

/** Resets the count of registrations, once the owner of the address has ended them. */
export async function forgetRegistrations(db: DB, emailKey: string): Promise<void> {
  await forgetCount(db, LIMITS.addressRegistrations, emailKey);
}

/** Counts a mail about a new device to this user. Returns whether it may be sent. */
export async function mayTellOfDevice(auth: Auth, db: DB, userId: string): Promise<boolean> {
  return (await countWithin(auth, LIMITS.deviceMails, { of: [userId], db })).within;
}

/**
 * Counts a change that mails the account's mailbox, once its user has proven who they are. Throws `rate_limited`.
 */
export async function limitAccountChanges(auth: Auth, kind: AccountChange, userId: string): Promise<void> {
  await requireWithin(auth, LIMITS.accountChanges, { of: [kind, userId] });
}

/** Counts a failed login at an unknown address. Refuses none. */
export async function countFailedLogin(auth: Auth, caller: Caller): Promise<void> {
  await countWithin(auth, LIMITS.failedLogins, { of: [networkOf(caller.ip)] });
}

/**
 * The network of a client's IP address: the address itself for IPv4, its /64 for IPv6, in one spelling (V10). An IPv6
 * address that a translator or tunnel made out of an IPv4 address counts as that one. Otherwise all of a translator's
 * clients would share one /64, and one IPv4 address would own the 65,536 of its 6to4 prefix.
 */
export function networkOf(ip: string | undefined): string {
  if (ip === undefined || !ipaddr.isValid(ip)) return "unknown";
  const address = ipaddr.process(ip);
  if (address.kind() === "ipv4") return address.toString();
  return embeddedIPv4(address as ipaddr.IPv6) ??
    ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/64`).toString() + "/64";
}

/**
 * The site of a client's IP address: its /48 for IPv6, else its network. One connection has a /56 or a /48, which are
 * 256 or 65,536 networks (RFC 6177).
 */
export function siteOf(ip: string | undefined): string {
  const network = networkOf(ip);
  if (!network.endsWith("/64")) return network;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${network.slice(0, -"/64".length)}/48`)}/48`;
}

/** The IPv4 address inside an IPv6 address, or undefined. Only prefixes that the RFCs reserve for this. */
function embeddedIPv4(address: ipaddr.IPv6): string | undefined {
  const bytes = address.toByteArray();
  const dotted = (...at: number[]) => at.map((index) => bytes[index]).join(".");
  switch (address.range()) {
    // NAT64 and SIIT: 64:ff9b::/96 (RFC 6052), 64:ff9b:1::/48 (RFC 8215), ::ffff:0:0:0/96 (RFC 2765).
    case "rfc6052":
    case "rfc6145":
      // With the prefix of 48 bits, byte 8 is empty and nothing follows the address (RFC 6052, 2.2).
      return bytes[5] === 1 && bytes.slice(11).every((byte) => byte === 0) && bytes[8] === 0
        ? dotted(6, 7, 9, 10)
        : dotted(12, 13, 14, 15);
    // RFC 3056: the address follows the prefix 2002::/16.
    case "6to4":
      return dotted(2, 3, 4, 5);
    // RFC 4380: the client's address is at the end, each bit inverted.
    case "teredo":
      return bytes.slice(12).map((byte) => byte ^ 0xff).join(".");
  }
  return undefined;
}

/** In whole seconds, at least one, for Retry-After (RFC 9110 10.2.3). */
function secondsUntil(auth: Auth, then: number): number {
  return Math.max(1, Math.ceil((then - auth.clock()) / 1_000));
}
