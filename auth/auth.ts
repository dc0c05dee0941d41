/**
 * The context that every rule takes as its first argument; nothing in this service is global. Must not hold a rule.
 *
 * @module
 */
import { DB } from "../db/db.ts";
import type { Config } from "./config.ts";
import { Bcrypt } from "./runtime/bcrypt.ts";
import { FaultLog } from "./runtime/fault_log.ts";
import { HashQueue } from "./runtime/hash_queue.ts";
import type { Hourly } from "./runtime/hourly.ts";
import { Keyring } from "./runtime/keyring.ts";
import type { Log } from "./runtime/log.ts";
import type { Loop } from "./runtime/loop.ts";
import { Metrics } from "./runtime/metrics.ts";
import type { MailTransport } from "./runtime/smtp.ts";
import type { SignInPolicy } from "./users.ts";

/** What the rules work with. */
export interface Auth {
  /** The database. */
  readonly db: DB;
  /** The settings. */
  readonly config: Readonly<Config>;
  /** Milliseconds since 1970; tests set it. Waiting inside the process uses `performance.now()` instead (F12). */
  readonly clock: () => number;
  /** The hashing threads: the start names them, the end stops them. Rules use {@linkcode Auth.hashQueue}. */
  readonly bcrypt: Bcrypt;
  /** The queue for password hashes. */
  readonly hashQueue: HashQueue;
  /** How many users have hashes of each scheme and cost. */
  readonly storedCosts: Hourly<ReadonlyMap<string, number>>;
  /** The log of requests and faults. */
  readonly log: Log;
  /** The service's own keys. */
  readonly keyring: Keyring;
  /** Logs a fault once, even if many requests meet it. */
  readonly faults: FaultLog;
  /** The counters of this process. */
  readonly metrics: Metrics;
  /** The loop that sends mails; a flow wakes it when a mail waits. */
  readonly mails: Loop;
  /** Whether a user needs more than the first factor. */
  readonly policy: SignInPolicy;
  /** Sends the mails. On a developer's machine without a mail server, it is a {@linkcode DevMailbox}. */
  readonly transport: MailTransport;
  /** The start of links in mails: `PUBLIC_URL`, or the local address of the service. Never from a request (S32). */
  origin: string;
  /** True once the process was told to stop. The health check then says no. */
  stopping: boolean;
}
