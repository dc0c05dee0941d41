/**
 * Opens and closes the context: the database at the current schema, the keys, the hash queue, the mail transport. The
 * only file of `auth/` that may import all others. Must not hold a rule.
 *
 * @module
 */
import { DB } from "../db/db.ts";
import { DatabaseDamaged, DatabaseRefused, DatabaseUnavailable } from "../db/errors.ts";
import { setClassicTableAside } from "../db/maintenance/classic_table.ts";
import { migrate } from "../db/migrations.ts";
import type { Auth } from "./auth.ts";
import type { Config } from "./config.ts";
import { countStoredCosts } from "./credentials/stored_costs.ts";
import { takeOverClassicUsers } from "./maintenance/classic_users.ts";
import { Bcrypt } from "./runtime/bcrypt.ts";
import { DevMailbox } from "./runtime/dev_mailbox.ts";
import { ThreadLoad } from "./runtime/event_loop.ts";
import { FaultLog } from "./runtime/fault_log.ts";
import { type HashCounts, HashQueue } from "./runtime/hash_queue.ts";
import { Hourly } from "./runtime/hourly.ts";
import { Keyring, makeKeys } from "./runtime/keyring.ts";
import type { Log } from "./runtime/log.ts";
import { Loop } from "./runtime/loop.ts";
import { Metrics } from "./runtime/metrics.ts";
import { type MailTransport, smtpTransport } from "./runtime/smtp.ts";
import { FIRST_FACTOR_ONLY } from "./users.ts";

/** Parts that a caller of {@linkcode openAuth} may give; the rest is made. */
export interface AuthParts {
  /** The folder of a relative database file. */
  folder: string;
  /** Refuses to make a missing database file. */
  existing?: boolean;
  /** The log of requests and faults. */
  log: Log;
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** The counts of the hash queue that the workers of one process share. */
  hashCounts?: HashCounts;
  /** The counters that the workers of one process share. */
  metrics?: Metrics;
  /** Sends the mails. */
  transport?: MailTransport;
  /** Gets the text of every statement that a request or the sweep runs. */
  onStatement?: (sql: string) => void;
}

/** Opens the database, migrates it to the current schema and makes the keys. Throws `DatabaseRefused`. */
export async function openAuth(config: Readonly<Config>, parts: AuthParts): Promise<Auth> {
  const clock = parts.clock ?? Date.now;
  const metrics = parts.metrics ?? new Metrics();
  const db = await DB.open(config.databaseUrl, {
    folder: parts.folder,
    existing: parts.existing,
    workers: config.workers,
    onStatement: parts.onStatement,
    onAnswer: metrics.countAnswer,
    warn: (warning) => parts.log.write({ time: new Date().toISOString(), level: "warning", warning }),
  });
  try {
    await db.requireFit();
    await setClassicTableAside(db);
    await migrate(db, clock());
    await takeOverClassicUsers(db, clock(), parts.log);
    await makeKeys(db, clock());
  } catch (error) {
    await db.close();
    throw atStart(error, db.place);
  }
  const bcrypt = new Bcrypt();
  // With a hash on each of n cores and up to n workers, a thread that needs a core gets at least 1/(2n) of the CPU time.
  const load = new ThreadLoad(1 / (3 * navigator.hardwareConcurrency));
  return {
    db,
    config,
    clock,
    bcrypt,
    hashQueue: new HashQueue({ counts: parts.hashCounts, isBusy: () => load.isBusy(), bcrypt: bcrypt.hash, metrics }),
    storedCosts: new Hourly(() => countStoredCosts(db, config)),
    log: parts.log,
    keyring: new Keyring(db),
    faults: new FaultLog(parts.log),
    metrics,
    mails: new Loop(),
    policy: FIRST_FACTOR_ONLY,
    transport: parts.transport ?? transportOf(config, clock),
    origin: config.publicUrl ?? `http://localhost:${config.port}`,
    stopping: false,
  };
}

/** At the start only the operator can try again, so the operator gets a sentence. */
function atStart(error: unknown, place: string): unknown {
  if (error instanceof DatabaseDamaged) {
    return new DatabaseRefused(
      `the database ${place} is damaged and was left as it is; keep a copy of it and restore your last backup`,
    );
  }
  return error instanceof DatabaseUnavailable ? new DatabaseRefused(`${place}: ${error.message}`) : error;
}

/** Closes the connections and stops the threads. Running work must have finished before. */
export async function closeAuth(auth: Auth): Promise<void> {
  auth.faults.close();
  await auth.transport.close();
  auth.bcrypt.close();
  await auth.db.close();
}

function transportOf(config: Readonly<Config>, clock: () => number): MailTransport {
  if (config.mailUrl === undefined) return new DevMailbox(clock, config.workers > 1);
  return smtpTransport(config.mailUrl, `${config.appName} <${config.mailFrom}>`);
}
