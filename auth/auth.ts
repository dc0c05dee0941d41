/**
 * The context that every rule takes as its first argument; nothing in this service is global. Must not hold a rule.
 *
 * @module
 */
import { setClassicTableAside } from "../db/maintenance/classic_table.ts";
import { DB } from "../db/db.ts";
import { DatabaseDamaged, DatabaseRefused, DatabaseUnavailable } from "../db/errors.ts";
import { migrate } from "../db/migrations.ts";
import { Alarms } from "./runtime/fault_log.ts";
import { LateBcrypt } from "./runtime/bcrypt.ts";
import { takeOverClassicUsers } from "./maintenance/classic_users.ts";
import type { Config } from "./config.ts";
import { type HashCounts, HashQueue } from "./runtime/hash_queue.ts";
import { KeyRing, makeKeys } from "./runtime/keyring.ts";
import type { Log } from "./runtime/log.ts";
import { MailBell } from "./runtime/mail_signal.ts";
import { Mailbox } from "./runtime/dev_mailbox.ts";
import { type MailTransport, smtpTransport } from "./runtime/smtp.ts";
import { CELL, Tally } from "./runtime/metrics.ts";

/** What the rules work with. */
export interface Auth {
  /** The rows. */
  readonly db: DB;
  /** The settings. */
  readonly config: Readonly<Config>;
  /** Milliseconds since 1970; tests set it. Waiting inside the process uses `performance.now()` instead (F12). */
  readonly clock: () => number;
  /** What hashes, for the start to name it and the end to stop it; rules go through {@linkcode Auth.hashing}. */
  readonly bcrypt: LateBcrypt;
  /** The line in front of the password hashes. */
  readonly hashing: HashQueue;
  /** Where requests and faults are noted. */
  readonly log: Log;
  /** The service's own keys. */
  readonly keys: KeyRing;
  /** Where a fault that many requests meet is noted once. */
  readonly alarms: Alarms;
  /** What this process counts. */
  readonly tally: Tally;
  /** Rung when a mail waits. */
  readonly mails: MailBell;
  /** By which mails leave; a {@linkcode Mailbox} on a developer's machine without a mail server. */
  readonly transport: MailTransport;
  /** Where links in mails lead: `PUBLIC_URL`, or locally where the service listens. Never what a request says (S32). */
  origin: string;
  /** Set once the process was told to stop: who asks beforehand whether to send requests here hears no. */
  stopping: boolean;
}

/** Parts that a caller of {@linkcode openAuth} may bring; the rest is made. */
export interface AuthParts {
  /** The folder against which a relative database file is read. */
  folder: string;
  /** Refuses to make a database file where there is none. */
  existing?: boolean;
  /** Where requests and faults are noted. */
  log: Log;
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** The line of hashes that the workers of one process share. */
  hashCounts?: HashCounts;
  /** Where the workers of one process count. */
  tally?: Tally;
  /** By which mails leave. */
  transport?: MailTransport;
  /** Told the text of every statement that a request or the sweep runs. */
  onStatement?: (sql: string) => void;
}

/** Opens the database, brings it to today's schema and makes the keys. Throws `DatabaseRefused`. */
export async function openAuth(config: Readonly<Config>, parts: AuthParts): Promise<Auth> {
  const clock = parts.clock ?? Date.now;
  const tally = parts.tally ?? new Tally();
  const db = await DB.open(config.databaseUrl, {
    folder: parts.folder,
    existing: parts.existing,
    workers: config.workers,
    onStatement: parts.onStatement,
    onAnswer: (milliseconds, failed) => {
      tally.time(CELL.databaseTimes, milliseconds);
      if (failed) tally.add(CELL.databaseErrors);
    },
    warn: (warning) => parts.log.write({ time: new Date().toISOString(), level: "warning", warning }),
  });
  try {
    await setClassicTableAside(db);
    await migrate(db, clock());
    await takeOverClassicUsers(db, clock(), parts.log);
    await makeKeys(db, clock());
  } catch (error) {
    await db.close();
    throw atStart(error, db.place);
  }
  const bcrypt = new LateBcrypt();
  return {
    db,
    config,
    clock,
    bcrypt,
    hashing: new HashQueue({ counts: parts.hashCounts, bcrypt: bcrypt.hash, tally }),
    log: parts.log,
    keys: new KeyRing(db),
    alarms: new Alarms(parts.log),
    tally,
    mails: new MailBell(),
    transport: parts.transport ?? transportOf(config, clock),
    origin: config.publicUrl ?? `http://localhost:${config.port}`,
    stopping: false,
  };
}

/** At the start nobody can try again but the operator, who gets a sentence. */
function atStart(error: unknown, place: string): unknown {
  if (error instanceof DatabaseDamaged) {
    return new DatabaseRefused(
      `the database ${place} is damaged and was left as it is; keep a copy of it and restore your last backup`,
    );
  }
  return error instanceof DatabaseUnavailable ? new DatabaseRefused(`${place}: ${error.message}`) : error;
}

/** Ends the connections and the threads; what is still running must have finished before. */
export async function closeAuth(auth: Auth): Promise<void> {
  auth.alarms.close();
  auth.transport.close();
  auth.bcrypt.close();
  await auth.db.close();
}

function transportOf(config: Readonly<Config>, clock: () => number): MailTransport {
  if (config.mailUrl === undefined) return new Mailbox(clock, config.workers > 1);
  return smtpTransport(config.mailUrl, `${config.appName} <${config.mailFrom}>`);
}
