/**
 * Tells the operator why somebody cannot log in: every current cause, the strongest first. Must not guess or change
 * anything. Must not be reachable over HTTP: it shows who has an account.
 *
 * @module
 */
import { AFTER_ALL, listEvents, listMailEvents } from "../../db/events.ts";
import { listSessionsOf } from "../../db/sessions.ts";
import { listTokensFor } from "../../db/tokens.ts";
import { findUserBy, type UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { LIMITS } from "../limits/limits.ts";
import { accountGuesses, devicesUsedUp } from "../limits/password_guesses.ts";
import { networkOf, overUntil, refusedUntil } from "../limits/rate_limits.ts";
import { latestMail, type MailStatus } from "../mail/delivery_status.ts";

/** How many events are read, and how many of their networks. */
const MOST_EVENTS = 500, MOST_NETWORKS = 20;
/** A cause that stops a login, or that the operator should know. */
export type Cause =
  | "invalid_address"
  | "never_registered"
  | "registration_waits"
  | "disabled"
  | "closed"
  | "frozen"
  | "no_password"
  | "unverified"
  | "known_devices_only"
  | "throttled_account"
  | "throttled_network"
  | "throttled_devices"
  | "throttled_codes"
  | "mail"
  | "wrong_password"
  | "nothing_wrong";

/** A current cause. Times are milliseconds since 1970. */
export interface Finding {
  cause: Cause;
  /** Whether it alone stops a login with the right password. */
  blocks: boolean;
  /** When it happened or began. */
  at?: number;
  until?: number;
  network?: string;
  mail?: MailStatus;
}

/** All findings about an address. Times are milliseconds since 1970. */
export interface Explanation {
  /** As the operator typed it. */
  email: string;
  userId?: string;
  /** The last login. */
  signedInAt?: number;
  /** Number of live sessions. */
  sessions?: number;
  /** Whether `THROTTLE=observe` only counts the guesses. */
  observed: boolean;
  /** The strongest first; at least one. */
  findings: Finding[];
}

/** All findings for this address now. `ip` adds one client's network to the networks that the user came from. */
export async function explain(auth: Auth, email: string, ip?: string): Promise<Explanation> {
  const observed = auth.config.throttle === "observe";
  const email_key = emailKeyOrUndefined(email);
  if (email_key === undefined) {
    return { email, observed, findings: [{ cause: "invalid_address", blocks: true }] };
  }
  const user = await findUserBy(auth.db, { email_key });
  if (!user) return { email, observed, findings: await withoutUser(auth, email_key, ip) };
  const sessions = await listSessionsOf(auth.db, user.id, auth.clock());
  const findings = await aboutUser(auth, user, [...sessions.map((session) => session.ip), ip ?? null]);
  if (!findings.some((finding) => finding.blocks)) findings.unshift({ cause: "nothing_wrong", blocks: false });
  return {
    email,
    userId: user.id,
    signedInAt: user.signed_in_at ?? undefined,
    sessions: sessions.length,
    observed,
    findings,
  };
}

async function withoutUser(auth: Auth, emailKey: string, ip: string | undefined): Promise<Finding[]> {
  const [pending] = await listTokensFor(auth.db, "register", emailKey, auth.clock(), 1);
  const limits = await guessLimits(auth, emailKey, ip === undefined ? [] : [ip]);
  if (!pending) return [{ cause: "never_registered", blocks: true }, ...limits];
  const events = await listMailEvents(auth.db, pending.subject, pending.created_at);
  const mail = latestMail(events, ["register"]) ??
    { state: "none", until: await overUntil(auth, LIMITS.addressMails, "register", emailKey) } satisfies MailStatus;
  return [
    { cause: "registration_waits", blocks: true, at: pending.created_at, until: pending.expires_at, mail },
    ...limits,
  ];
}

async function aboutUser(auth: Auth, user: UserRow, seenFrom: (string | null)[]): Promise<Finding[]> {
  const events = await listEvents(auth.db, user.id, AFTER_ALL, MOST_EVENTS);
  const findings: Finding[] = [];
  const reset = latestMail(events, ["reset"]);
  if (user.disabled_at !== null) findings.push({ cause: "disabled", blocks: true, at: user.disabled_at });
  if (user.closed_at !== null) {
    findings.push({ cause: "closed", blocks: true, at: user.closed_at, until: user.purge_at ?? undefined });
  }
  if (user.frozen_at !== null) {
    findings.push({ cause: "frozen", blocks: true, at: user.frozen_at, mail: reset });
  } else if (user.hashed_password === null) findings.push({ cause: "no_password", blocks: true, mail: reset });
  if (auth.config.profile === "public" && user.email_verified_at === null) {
    findings.push({ cause: "unverified", blocks: true, mail: latestMail(events, ["verify"]) });
  }
  const addresses = [...events.map((event) => event.ip), ...seenFrom].filter((ip) => ip !== null);
  findings.push(...await guessLimits(auth, user.email_key, addresses));
  if (await devicesUsedUp(auth, user)) findings.push({ cause: "throttled_devices", blocks: false });
  const mail = latestMail(events, undefined);
  const told = findings.some((finding) => finding.mail !== undefined);
  if (!told && mail && mail.state !== "sent") findings.push({ cause: "mail", blocks: false, mail });
  // Mails beyond the limit are silently not sent, so the user only sees that none arrives (S36).
  for (const purpose of ["verify", "reset"] as const) {
    const until = await overUntil(auth, LIMITS.addressMails, purpose, user.email_key);
    if (until !== undefined) {
      findings.push({ cause: "mail", blocks: false, mail: { state: "none", kind: purpose, until } });
    }
  }
  const codesUntil = await refusedUntil(auth, LIMITS.codes, user.email_key);
  if (codesUntil !== undefined) findings.push({ cause: "throttled_codes", blocks: false, until: codesUntil });
  const wrong = events.find((event) => event.type === "login_failed");
  const right = events.find((event) => event.type === "logged_in");
  if (wrong && (!right || right.id < wrong.id)) {
    findings.push({ cause: "wrong_password", blocks: false, at: wrong.created_at });
  }
  return findings;
}

/** Limits that would refuse a guess at this address now. In the `observe` mode none blocks. */
async function guessLimits(auth: Auth, emailKey: string, addresses: string[]): Promise<Finding[]> {
  const blocks = auth.config.throttle !== "observe";
  const { until, knownDevicesOnly } = await accountGuesses(auth, emailKey);
  const findings: Finding[] = [];
  if (knownDevicesOnly) findings.push({ cause: "known_devices_only", blocks });
  // Not beside `known_devices_only`: its row has a time too, but a guess at that time is refused as well.
  else if (until !== undefined) findings.push({ cause: "throttled_account", blocks, until });
  for (const network of new Set(addresses.map(networkOf)).values().take(MOST_NETWORKS)) {
    const refused = await refusedUntil(auth, LIMITS.networkGuesses, network);
    if (refused !== undefined) findings.push({ cause: "throttled_network", blocks, until: refused, network });
  }
  return findings;
}
