/**
 * Limits on what strangers can make this service do: registrations and mails, an hour. Counted in the database, so that
 * all instances share them (S20, S36). Must not limit the local profile.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { deleteCounter, findCounter, increaseCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import {
  ACCOUNT_MAILS,
  ADDRESS_MAILS,
  DEVICE_MAILS,
  NETWORK_MAILS,
  REGISTRATIONS,
  type WindowLimit,
} from "./limits.ts";

/** A door that sends mail to an address that was typed. Each has a count of its own: none uses up another's mails. */
export type MailPurpose = "register" | "verify" | "reset" | "change";

const MAIL_PURPOSES: readonly MailPurpose[] = ["register", "verify", "reset", "change"];

/** Counts a registration from this network. Throws `rate_limited`. */
export async function limitRegistrations(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, `register:${networkOf(caller.ip)}`, REGISTRATIONS, { by: "registrations", caller });
}

/** Counts a request for a mail from this network. Throws `rate_limited`. */
export async function limitMailRequests(auth: Auth, caller: Caller): Promise<void> {
  await requireWithin(auth, `mail-network:${networkOf(caller.ip)}`, NETWORK_MAILS, { by: "mails", caller });
}

/** What a limit tells of itself: what is counted, and whom it concerns. */
export interface LimitNote {
  /** What is counted. */
  by: string;
  /** Who made it refuse; left out where that would outlive somebody's account. */
  caller?: Caller;
  /** Whose account it concerns, if it is one's. */
  userId?: string;
}

/** Writes one event a counter and window, at the moment when it begins to refuse: a flood must not fill the table. */
export async function noteLimit(auth: Auth, count: number, limit: WindowLimit, note: LimitNote): Promise<void> {
  if (count !== limit.most + 1) return;
  const { by, caller, userId } = note;
  await recordEvent(auth, auth.db, { type: "throttled", userId, caller, details: { by } });
}

/**
 * Counts a mail to this address, known or not, by way of this door, and says whether it may go; the answer to a client
 * never tells.
 */
export async function mayMail(auth: Auth, purpose: MailPurpose, emailKey: string): Promise<boolean> {
  if (auth.config.profile === "local") return true;
  const { count } = await increaseCounter(auth.db, addressId(purpose, emailKey), auth.clock(), ADDRESS_MAILS.window);
  await noteLimit(auth, count, ADDRESS_MAILS, { by: "mails to an address" });
  return count <= ADDRESS_MAILS.most;
}

/**
 * Counts the mail that says that there is an account already, and says whether it may go. Asked for every address, with
 * the address itself in place of the user who is not there: the work is the same.
 */
export async function mayTellOfAccount(auth: Auth, db: DB, userIdOrEmailKey: string): Promise<boolean> {
  return await countWithin(auth, db, accountId(userIdOrEmailKey), ACCOUNT_MAILS);
}

/** Counts a mail about a new device to this user, and says whether it may go. */
export async function mayTellOfDevice(auth: Auth, userId: string): Promise<boolean> {
  return await countWithin(auth, auth.db, `device-mail:${userId}`, DEVICE_MAILS);
}

/** Forgets what was mailed to this address, for an account that is erased. */
export async function forgetMails(db: DB, emailKey: string, userId: string): Promise<void> {
  const ids = [...MAIL_PURPOSES.map((purpose) => addressId(purpose, emailKey)), accountId(emailKey), accountId(userId)];
  for (const id of [...ids, `device-mail:${userId}`]) await deleteCounter(db, id);
}

/** Until when no mail of this door goes to this address, in milliseconds since 1970, or undefined; counts none. */
export async function mailsRefusedUntil(
  auth: Auth,
  purpose: MailPurpose,
  emailKey: string,
): Promise<number | undefined> {
  const counter = await findCounter(auth.db, addressId(purpose, emailKey));
  const refused = counter && counter.count > ADDRESS_MAILS.most && counter.expires_at > auth.clock();
  return refused ? counter.expires_at : undefined;
}

/** Whole seconds from now until then, at least one, as Retry-After says it (RFC 9110 10.2.3); milliseconds since 1970. */
export function secondsUntil(auth: Auth, then: number): number {
  return Math.max(1, Math.ceil((then - auth.clock()) / 1_000));
}

/** The network that an address stands for: itself for IPv4, its /64 for IPv6, in one spelling (V10). */
export function networkOf(ip: string | undefined): string {
  if (ip === undefined || !ipaddr.isValid(ip)) return "unknown";
  const address = ipaddr.process(ip);
  if (address.kind() === "ipv4") return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/64`).toString() + "/64";
}

function addressId(purpose: MailPurpose, emailKey: string): string {
  return `mail:${purpose}:${emailKey}`;
}

function accountId(userIdOrEmailKey: string): string {
  return `account-mail:${userIdOrEmailKey}`;
}

async function countWithin(auth: Auth, db: DB, id: string, { most, window }: WindowLimit): Promise<boolean> {
  if (auth.config.profile === "local") return true;
  return (await increaseCounter(db, id, auth.clock(), window)).count <= most;
}

async function requireWithin(auth: Auth, id: string, limit: WindowLimit, note: LimitNote): Promise<void> {
  if (auth.config.profile === "local") return;
  const { count, expires_at } = await increaseCounter(auth.db, id, auth.clock(), limit.window);
  if (count <= limit.most) return;
  await noteLimit(auth, count, limit, note);
  throw new AuthError("rate_limited", "too many requests from your network, try again later", {
    retryAfter: secondsUntil(auth, expires_at),
  });
}
