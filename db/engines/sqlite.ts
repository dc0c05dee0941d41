/**
 * SQLite through Deno's `node:sqlite`. One connection writes and one reads, so that a read neither sees nor waits for
 * an unfinished transaction. Must not wait inside SQLite: that would block the whole process.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DatabaseDamaged, DatabaseRefused, DatabaseUnavailable, UniqueViolation } from "../errors.ts";
import { Batch, LEAST_GROUP, type Lookup } from "./batch.ts";
import type { Answer, Driver, OpenOptions, OuterSession, Row, Session, Value } from "./driver.ts";
import { sqliteFile } from "./sqlite_file.ts";

/** How long a request waits for a lock while nothing is stored by anybody, in milliseconds. Then it is answered 503. */
const BUSY_REQUEST = 1_000;
/** How long a write waits while others are stored before it, in milliseconds. Then it is answered 503. */
const WRITE_TIMEOUT = 5_000;
/** After so many milliseconds of writing the queue pauses, so that other threads and processes get the lock. */
const STINT = 50;
/** The longest pause between two tries to get the lock, in milliseconds. */
const LONGEST_TRY = 13;
/** The pause of the queue, in milliseconds. Longer than a pause between two tries, so that one of them succeeds. */
const ROOM = LONGEST_TRY + 2;
/** How long the start waits for another process that migrates, in milliseconds. */
const BUSY_START = 30_000;

/** The page cache of all workers' readers together, in KiB. It fills only as pages are read. */
const READERS_CACHE = 32 * 1_024;
/** The page cache of each reader at least, in KiB: SQLite's own default. */
const LEAST_CACHE = 2_000;

/** How many writes may wait. Further ones fail with `DatabaseUnavailable`, so that they do not fill the memory. */
const MOST_WAITING = 1_000;

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BUSY = 5, LOCKED = 6, READONLY = 8, IOERR = 10, CORRUPT = 11, FULL = 13, CANTOPEN = 14, NOTADB = 26;
const UNAVAILABLE = new Map([
  [BUSY, "it is locked by another process"],
  [LOCKED, "it is locked"],
  [READONLY, "it is read-only"],
  [IOERR, "the disk failed"],
  [FULL, "the disk is full"],
  [CANTOPEN, "the file cannot be opened"],
]);
const DAMAGED = [CORRUPT, NOTADB];
/** Extended codes: SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const UNIQUE = [1555, 2067];

/** Opens or creates the file of a `sqlite:` URL. Throws `DatabaseRefused` for a file that cannot be used. */
export async function openSqlite(url: string, options: OpenOptions): Promise<Driver> {
  const file = sqliteFile(url, options.folder, options.existing);
  try {
    const writer = await retried(new Patience(BUSY_START), () => connect(file));
    // A memory database belongs to one connection, so all work shares it.
    if (file === ":memory:") return new Sqlite(url, { writer, reader: writer, counter: writer });
    const reader = await retried(new Patience(BUSY_START), () => connect(file));
    reader.run("PRAGMA query_only = ON", []);
    // SQLite's own 2 MB are too small for a million users: each further page of a lookup is a system call.
    const cache = Math.max(LEAST_CACHE, Math.floor(READERS_CACHE / (options.workers ?? 1)));
    reader.run(`PRAGMA cache_size = -${cache}`, []);
    const counter = await retried(new Patience(BUSY_START), () => connect(file));
    // A commit of this connection is not synced alone. The next commit of the writer, or a checkpoint, syncs it too. So
    // a power failure loses only commits after the last one of the writer.
    counter.run("PRAGMA synchronous = NORMAL", []);
    return new Sqlite(url, { writer, reader, counter });
  } catch (error) {
    throw new DatabaseRefused(refusal(file, error));
  }
}

function connect(file: string): Connection {
  const database = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true });
  // Prepared, because errors of exec carry no code. The last one reads the file, so that damage is found here (F06).
  database.prepare("PRAGMA journal_mode = WAL").get();
  // FULL: acknowledged writes survive a power failure (F03).
  database.prepare("PRAGMA synchronous = FULL").run();
  database.prepare("SELECT count(*) FROM sqlite_schema").get();
  return new Connection(database);
}

function refusal(file: string, error: unknown): string {
  const code = primaryCode(error);
  if (DAMAGED.includes(code)) {
    return `the database file ${file} is damaged and was left as it is; keep a copy of it and restore your last backup`;
  }
  return `the database file ${file} cannot be opened: ${UNAVAILABLE.get(code) ?? (error as Error).message}`;
}

/** Keeps prepared statements until the connection closes: preparing costs five times as much as the lookup itself. */
class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all(sql: string, values: Value[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  get(sql: string, values: Value[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined;
  }

  run(sql: string, values: Value[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /** Ends a transaction of reads, if there is one. Never throws. */
  rollBack(): void {
    try {
      if (this.#database.isTransaction) this.run("ROLLBACK", []);
    } catch {
      // The connection is closed or broken. The next statement tells.
    }
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      // SQLite reads `$1` as a name. `?1` is a position, as `$1` is in PostgreSQL.
      statement = this.#database.prepare(sql.replace(/\$(\d+)/g, "?$1"));
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** The driver: reads use their own connection. Writes and transactions queue for the other one. */
class Sqlite implements Driver {
  readonly engine = "sqlite";
  readonly place: string;
  readonly listTables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
  readonly listColumns = "SELECT name FROM pragma_table_info($1)";
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #counter: Connection;
  readonly #batch: Batch = new Batch((sql, lookups) => this.#answerTogether(sql, lookups));
  readonly relaxed: OuterSession;
  /** One for all queued writes, so that a lasting lock does not make each of them wait in addition. */
  readonly #patience: Patience;
  #last: Promise<unknown> = Promise.resolve();
  #queued = 0;
  /** For how long the queue wrote, less the time in which it was empty, in milliseconds. */
  #written = 0;
  #emptyAt = -Infinity;

  constructor(place: string, connections: { writer: Connection; reader: Connection; counter: Connection }) {
    const { writer, reader, counter } = connections;
    this.place = place;
    this.#writer = writer;
    this.#reader = reader;
    this.#counter = counter;
    this.#patience = new Patience(BUSY_REQUEST, () => versionOf(reader));
    // In one queue with the writer, so that the two never wait for each other's lock.
    this.relaxed = {
      all: (sql, values) => this.#inTurn((waits) => attempted(waits, () => counter.all(sql, values))),
      run: (sql, values) => this.#inTurn((waits) => attempted(waits, () => counter.run(sql, values))),
      transaction: (work) => this.#inTurn((waits) => this.#transaction(waits, work, counter)),
    };
  }

  all(sql: string, values: Value[]): Promise<Row[]> {
    if (this.#reader !== this.#writer && sql.startsWith("SELECT")) {
      return attempted(new Patience(BUSY_REQUEST), () => this.#reader.all(sql, values));
    }
    return this.#inTurn((waits) => attempted(waits, () => this.#writer.all(sql, values)));
  }

  lookUp(sql: string, values: Value[]): Answer {
    // A batch of a memory database would enter the queue of writes at once, and overfill it.
    if (this.#reader === this.#writer) return this.#lookUpAlone(sql, values);
    return this.#batch.takeAlone() ? this.#lookUpAlone(sql, values) : this.#batch.add(sql, values);
  }

  #lookUpAlone(sql: string, values: Value[]): Answer {
    // The only connection of a database in memory may be in a transaction.
    if (this.#reader !== this.#writer) {
      try {
        return this.#reader.get(sql, values);
      } catch {
        // The usual way tries again while the file is locked, and translates the error.
      }
    }
    return this.all(sql, values).then(([row]) => row);
  }

  run(sql: string, values: Value[]): Promise<number> {
    return this.#inTurn((waits) => attempted(waits, () => this.#writer.run(sql, values)));
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#inTurn((waits) => this.#transaction(waits, work));
  }

  /** A normal transaction is enough: while it holds the write lock, nobody else can write. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const result = await this.#transaction(new Patience(BUSY_START), work);
      // A migration adds columns. Deno 2.9.6 takes a statement's columns before SQLite notices a new schema, so that the
      // first answer of another connection would lack them.
      for (const connection of [this.#reader, this.#counter]) {
        await attempted(this.#patience, () => connection.all("SELECT count(*) FROM sqlite_schema", []));
      }
      return result;
    }, Infinity);
  }

  /** A write that is rolled back: it fails on a read-only file (F05), and changes nothing. */
  async refusal(): Promise<undefined> {
    const rollback = new Error("rolled back");
    await this.exclusively(async (session) => {
      await session.run("PRAGMA user_version = 0", []);
      throw rollback;
    }).catch((error) => {
      if (error !== rollback) throw error;
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    this.#batch.flush();
    // The writer closes last: it merges the write-ahead log into the file.
    for (const connection of new Set([this.#reader, this.#counter, this.#writer])) connection.close();
  }

  /** In one read transaction: to begin and end one for each lookup costs as much as the lookup. */
  #answerTogether(sql: string, lookups: Lookup[]): void {
    const reader = this.#reader;
    if (lookups.length >= LEAST_GROUP) {
      try {
        reader.run("BEGIN", []);
        const rows = lookups.map(({ values }) => reader.get(sql, values));
        reader.run("COMMIT", []);
        lookups.forEach(({ resolve }, index) => resolve(rows[index]));
        return;
      } catch {
        // Asked alone, each lookup gets its own answer or error.
        reader.rollBack();
      }
    }
    for (const { values, resolve } of lookups) resolve(this.#lookUpAlone(sql, values));
  }

  /** Queues the work. It is refused when its turn does not come within the time, in milliseconds. */
  #inTurn<T>(work: (waits: Waits) => Promise<T>, longest = WRITE_TIMEOUT): Promise<T> {
    if (this.#queued > MOST_WAITING) return Promise.reject(new DatabaseUnavailable("too many writes wait"));
    const asked = performance.now();
    if (this.#queued++ === 0) this.#written = Math.max(0, this.#written - (asked - this.#emptyAt));
    const isInTime = (): boolean => performance.now() - asked < longest;
    const patience = this.#patience;
    const waits: Waits = {
      get lasts() {
        return patience.lasts && isInTime();
      },
      renew: () => patience.renew(),
    };
    const turn = this.#last.then(() => this.#makeRoom()).then(() => {
      const start = performance.now();
      if (!isInTime()) throw new DatabaseUnavailable("the writes before it took too long");
      return work(waits).finally(() => this.#written += performance.now() - start);
    }).finally(() => {
      if (--this.#queued > 0) return;
      this.#patience.renew();
      this.#emptyAt = performance.now();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /**
   * SQLite gives the lock to whoever asks at the right moment. A queue that never pauses would keep it from the other
   * threads and processes for as long as it is full. The pause also lets this thread answer requests that only read.
   */
  #makeRoom(): Promise<void> | undefined {
    if (this.#written < STINT) return undefined;
    this.#written = 0;
    // A database in memory has nobody else.
    const pause = this.#reader === this.#writer ? 0 : ROOM;
    return new Promise((resolve) => setTimeout(resolve, pause));
  }

  async #transaction<T>(
    waits: Waits,
    work: (session: Session) => Promise<T>,
    connection = this.#writer,
  ): Promise<T> {
    // IMMEDIATE takes the write lock at once: a read transaction that writes later could not be retried (F07).
    await attempted(waits, () => connection.run("BEGIN IMMEDIATE", []));
    const inside = <T>(action: () => T): Promise<T> =>
      attempted(new Patience(0), () => {
        // Some failures roll back automatically. A later statement would then be committed on its own.
        if (!connection.isTransaction) throw new Error("the transaction of this statement has ended");
        return action();
      });
    const session: Session = {
      all: (sql, values) => inside(() => connection.all(sql, values)),
      run: (sql, values) => inside(() => connection.run(sql, values)),
    };
    try {
      const result = await work(session);
      await attempted(waits, () => connection.run("COMMIT", []));
      return result;
    } catch (error) {
      // After a full disk, SQLite may have rolled back already.
      if (connection.isTransaction) connection.run("ROLLBACK", []);
      throw error;
    }
  }
}

/** Decides whether to try once more. */
interface Waits {
  readonly lasts: boolean;
  renew(): void;
}

/**
 * How long to wait for another's lock, from the first failure until the next success. With a version, the wait begins
 * anew whenever it changes: others are stored, so the lock goes round.
 */
class Patience implements Waits {
  readonly #most: number;
  readonly #version: () => number | undefined;
  #since: number | undefined;
  #seen: number | undefined;

  constructor(most: number, version: () => number | undefined = () => undefined) {
    this.#most = most;
    this.#version = version;
  }

  get lasts(): boolean {
    const now = performance.now(), version = this.#version();
    if (this.#since === undefined || (version !== undefined && version !== this.#seen)) this.#since = now;
    this.#seen = version ?? this.#seen;
    return now - this.#since < this.#most;
  }

  renew(): void {
    this.#since = undefined;
  }
}

/** A number that differs after each commit of another connection, or undefined when it cannot be read now. */
function versionOf(reader: Connection): number | undefined {
  try {
    return Number(reader.all("PRAGMA data_version", [])[0].data_version);
  } catch {
    return undefined;
  }
}

/** Runs the action, retries while the file is locked, and translates the driver's codes into our errors. */
async function attempted<T>(waits: Waits, action: () => T): Promise<T> {
  try {
    return await retried(waits, action);
  } catch (error) {
    if (UNIQUE.includes((error as { errcode?: number }).errcode ?? 0)) throw new UniqueViolation(error);
    const code = primaryCode(error);
    if (DAMAGED.includes(code)) throw new DatabaseDamaged(error as Error);
    const reason = UNAVAILABLE.get(code);
    throw reason === undefined ? error : new DatabaseUnavailable(reason, error);
  }
}

async function retried<T>(waits: Waits, action: () => T): Promise<T> {
  for (;;) {
    try {
      const result = action();
      waits.renew();
      return result;
    } catch (error) {
      if (primaryCode(error) !== BUSY || !waits.lasts) throw error;
    }
    // A random pause, so that processes which wait for the same lock do not retry at the same moment.
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * (LONGEST_TRY - 1)));
  }
}

function primaryCode(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}
