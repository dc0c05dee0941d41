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
import { Keyring } from "./runtime/keyring.ts";
import type { Log } from "./runtime/log.ts";
import type { Loop } from "./runtime/loop.ts";
import { Metrics } from "./runtime/metrics.ts";
import type { MailTransport } from "./runtime/smtp.ts";
import type { SignInPolicy } from "./users.ts";

/** What the rules work with. */
export interface Auth {
  /** The rows. */
  readonly db: DB;
  /** The settings. */
  readonly config: Readonly<Config>;
  /** Milliseconds since 1970; tests set it. Waiting inside the process uses `performance.now()` instead (F12). */
  readonly clock: () => number;
  /** What hashes, for the start to name it and the end to stop it; rules go through {@linkcode Auth.hashQueue}. */
  readonly bcrypt: Bcrypt;
  /** The line in front of the password hashes. */
  readonly hashQueue: HashQueue;
  /** Where requests and faults are noted. */
  readonly log: Log;
  /** The service's own keys. */
  readonly keyring: Keyring;
  /** Where a fault that many requests meet is noted once. */
  readonly faults: FaultLog;
  /** What this process counts. */
  readonly metrics: Metrics;
  /** Sends mails; a flow wakes it when one waits. */
  readonly mails: Loop;
  /** What an account needs beside its first factor. */
  readonly policy: SignInPolicy;
  /** By which mails leave; a {@linkcode DevMailbox} on a developer's machine without a mail server. */
  readonly transport: MailTransport;
  /** Where links in mails lead: `PUBLIC_URL`, or locally where the service listens. Never what a request says (S32). */
  origin: string;
  /** Set once the process was told to stop: who asks beforehand whether to send requests here hears no. */
  stopping: boolean;
}
