/**
 * PostgreSQL, and engines that speak its protocol, through the `pg` package. Must not send a timeout as a start
 * parameter: transaction-pooling proxies refuse it.
 *
 * @module
 */
import { createHash } from "node:crypto";
// @ts-types="@types/pg"
import pg from "pg";
import { Batch, LEAST_GROUP, type Lookup } from "./batch.ts";
import type { Answer, Driver, OpenOptions, OuterSession, Row, Session, Value } from "./driver.ts";
import { DatabaseRefused, DatabaseUnavailable, UniqueViolation } from "../errors.ts";
import { isProxied, reasonOf, sqlState, translated } from "./postgres_errors.ts";
import { lookUpAll } from "./postgres_lookups.ts";
import { parsePostgresUrl, shownPostgresUrl } from "./postgres_url.ts";
import { Slots } from "./slots.ts";

/** Maximum number of connections per worker. */
export const MOST_CONNECTIONS = 10;
/** Maximum for all workers of a process: a PostgreSQL server takes 100, and others need some of them. */
export const MOST_TOGETHER = 40;
/** How many statements may wait for a connection. Further ones fail with `DatabaseUnavailable`. */
const MOST_WAITING = 1_000;
/** Limit for getting a connection from a server that answers nobody, in milliseconds (F09). */
const CONNECT_TIMEOUT = 2_000;
/** Limit for getting a connection while the server answers others, in milliseconds. */
const POOL_TIMEOUT = 5_000;
/** Limit for an answer, in milliseconds (F09). */
export const QUERY_TIMEOUT = 5_000;
/** Limit for one statement of a migration, in milliseconds: an index on a large table takes long. */
const MIGRATION_TIMEOUT = 30 * 60_000;
/** Limit for one try to get the lock of migrations, in milliseconds. A server that died meanwhile is noticed then. */
const EXCLUSIVE_TIMEOUT = 30_000;
/**
 * Limit for a lock on a table or row that a migration needs, in milliseconds. PostgreSQL makes every later request for
 * that table wait behind the migration, so one long transaction would stop all instances.
 */
const STEP_LOCK_TIMEOUT = 1_000;
/** The shortest pause between two tries of a step, in milliseconds; the longest is twice that. */
const STEP_PAUSE = 2_000;
/** How often work is tried when the engine cancels it in favour of other work. */
const MOST_TRIES = 5;
/** Advisory lock of migrations. The number is arbitrary, but the same in all versions. */
const MIGRATION_LOCK = 620_726_115;

/** Serialization failure and deadlock: the engine cancelled this work in favour of other work. */
const DO_AGAIN = ["40001", "40P01"];
/** A lock was not granted within `lock_timeout`. */
const LOCK_TIMEOUT = "55P03";
/** The level that all statements are written for. A server may have another default, under which more are cancelled. */
const LEVEL = "read committed";
/** Another instance's migration changed a table, so that a named statement would now give other columns. */
const STALE_PLAN = "0A000";

// Times in milliseconds stay below 2^53, so BIGINT is read as a number, as in SQLite.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Connects to the database of a `postgres:` URL. Throws `DatabaseRefused` when it cannot be reached. */
export async function openPostgres(url: string, options: OpenOptions): Promise<Driver> {
  const driver = new Postgres(url, options);
  try {
    await driver.check();
  } catch (error) {
    await driver.close();
    throw new DatabaseRefused(`${driver.place} cannot be reached: ${reasonOf(error)}`);
  }
  return driver;
}

/** The driver: a connection pool. Each transaction has one connection for itself. */
class Postgres implements Driver {
  readonly engine = "postgres";
  readonly place: string;
  readonly listTables =
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()";
  readonly listColumns = "SELECT column_name AS name FROM information_schema.columns " +
    "WHERE table_schema = current_schema() AND table_name = $1";
  /** The server writes the commits of many clients to disk together, so these need no special treatment. */
  readonly relaxed: OuterSession = this;
  readonly #pool: pg.Pool;
  readonly #slots: Slots;
  readonly #batch: Batch = new Batch((sql, lookups) => this.#answerTogether(sql, lookups));
  readonly #names = new Map<string, string>();
  readonly #named: boolean;
  readonly #warn: (sentence: string) => void;
  #generation = 0;
  #warned = false;
  /** Whether a statement outside a transaction would run at another level than ours. */
  #otherLevel = false;

  constructor(url: string, { warn = () => {}, workers = 1 }: OpenOptions) {
    const { named, password, ...connection } = parsePostgresUrl(url);
    this.place = shownPostgresUrl(url);
    this.#named = named;
    this.#warn = warn;
    // At least two, so that a statement can run beside a transaction.
    const max = Math.max(2, Math.min(MOST_CONNECTIONS, Math.floor(MOST_TOGETHER / workers)));
    this.#slots = new Slots(max, { most: MOST_WAITING, silent: CONNECT_TIMEOUT, longest: POOL_TIMEOUT });
    this.#pool = new pg.Pool({
      ...connection,
      // A function: pg takes an empty string for a missing password, and then looks for a password file.
      password: () => password,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      query_timeout: QUERY_TIMEOUT,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: "bienvenue",
      // Statements are sent without waiting for earlier answers, so BEGIN costs no extra round trip.
      pipeline: true,
    });
    // Without these handlers, a connection that dies while idle or in a transaction would end the process.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => {
      client.on("error", () => {});
      // Sent together with the first statement. A pooling proxy would keep the setting for its other clients.
      if (named) client.query(`SET default_transaction_isolation = '${LEVEL}'`).catch(() => {});
    });
  }

  async check(): Promise<void> {
    const text = "SELECT current_setting('default_transaction_isolation') AS level";
    const { rows: [{ level }] } = await this.#once((client) => client.query({ text }));
    this.#otherLevel = level !== LEVEL;
  }

  async refusal(): Promise<string | undefined> {
    const text = "SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, " +
      "current_setting('transaction_read_only') AS read_only";
    const { rows: [found] } = await this.#once((client) => client.query({ text }));
    if (found.standby) return "it is a standby, which takes no writes; name the primary in DATABASE_URL";
    if (found.read_only === "on") {
      return "it is read-only by default; ALTER DATABASE … SET default_transaction_read_only = off, " +
        "and the same for the role (ALTER ROLE) or the server (postgresql.conf) if it is set there";
    }
    // SQL_ASCII stores the bytes as they come.
    if (["UTF8", "SQL_ASCII"].includes(found.encoding)) return undefined;
    return `its encoding is ${found.encoding}, which lacks most letters of the world; ` +
      "make another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and move the rows there: " +
      "deno task move --to <database>";
  }

  all(sql: string, values: Value[]): Promise<Row[]> {
    return this.#tried(async () => (await this.#single(sql, values)).rows);
  }

  lookUp(sql: string, values: Value[]): Answer {
    return this.#batch.takeAlone() ? this.#lookUpAlone(sql, values) : this.#batch.add(sql, values);
  }

  async #lookUpAlone(sql: string, values: Value[]): Promise<Row | undefined> {
    return (await this.all(sql, values))[0];
  }

  async #answerTogether(sql: string, lookups: Lookup[]): Promise<void> {
    const alone = async (): Promise<void> => {
      const answers = lookups.map(({ values }) => this.#lookUpAlone(sql, values));
      lookups.forEach(({ resolve }, index) => resolve(answers[index]));
      await Promise.allSettled(answers);
    };
    if (lookups.length < LEAST_GROUP || this.#needsTransaction) return await alone();
    try {
      const values = lookups.map((lookup) => lookup.values);
      const rows = await this.#tried(() => this.#once((client) => lookUpAll(client, this.#query(sql, []), values)));
      lookups.forEach(({ resolve }, index) => resolve(rows[index]));
    } catch (error) {
      if (error instanceof DatabaseUnavailable) lookups.forEach(({ reject }) => reject(error));
      // The error of one is the error of all. Asked alone, each gets its own.
      else await alone();
    }
  }

  run(sql: string, values: Value[]): Promise<number> {
    return this.#tried(async () => (await this.#single(sql, values)).rowCount ?? 0);
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#limited("BEGIN ISOLATION LEVEL READ COMMITTED", work);
  }

  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#limited("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work);
  }

  #limited<T>(start: string, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#tried(() => this.#transaction(limited(start), work));
  }

  async exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const text = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT}; ` +
      `SET LOCAL lock_timeout = ${EXCLUSIVE_TIMEOUT}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK}); ` +
      `SET LOCAL lock_timeout = ${STEP_LOCK_TIMEOUT}`;
    const timeout = EXCLUSIVE_TIMEOUT + QUERY_TIMEOUT;
    const begin = { text, timeout, statementTimeout: MIGRATION_TIMEOUT, named: false };
    const end = performance.now() + MIGRATION_TIMEOUT;
    for (;;) {
      try {
        return await this.#tried(() => this.#transaction(begin, (session) => this.#patiently(session, work)));
      } catch (error) {
        // Another process migrates, for as long as it takes.
        if (sqlState(error) !== LOCK_TIMEOUT || performance.now() > end) throw error;
      }
    }
  }

  /**
   * Repeats the work while a lock that it needs is taken. Between two tries it holds only the lock of migrations, so
   * that requests go on, and no second process begins to try.
   */
  async #patiently<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
    const end = performance.now() + MIGRATION_TIMEOUT;
    for (let tries = 1;; tries++) {
      await session.run("SAVEPOINT step", []);
      try {
        return await work(session);
      } catch (error) {
        if (sqlState(error) !== LOCK_TIMEOUT) throw error;
        if (performance.now() > end) {
          throw new DatabaseUnavailable("another transaction keeps a table from the migration; see pg_stat_activity");
        }
      }
      await session.run("ROLLBACK TO SAVEPOINT step", []);
      if (tries === 1) {
        this.#warn("a migration waits until a long transaction ends (pg_stat_activity shows it); requests go on");
      }
      await new Promise((resolve) => setTimeout(resolve, STEP_PAUSE * (1 + Math.random())));
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  /** Behind a pooling proxy nothing can be set for a connection, only for a transaction. */
  get #needsTransaction(): boolean {
    return !this.#named && this.#otherLevel;
  }

  #single(sql: string, values: Value[]): Promise<pg.QueryResult> {
    if (!this.#needsTransaction) return this.#once((client) => client.query(this.#query(sql, values)));
    return this.#transaction(limited("BEGIN ISOLATION LEVEL READ COMMITTED"), (_session, ask) => ask(sql, values));
  }

  /** Runs a statement outside a transaction. */
  async #once<T>(ask: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connected();
    try {
      const result = await this.#asked(ask(client));
      this.#release(client);
      return result;
    } catch (error) {
      // After a refused row the connection is as good as before. After other errors a new one may be better.
      this.#release(client, !(error instanceof UniqueViolation || DO_AGAIN.includes(sqlState(error) ?? "")));
      throw error;
    }
  }

  async #connected(): Promise<pg.PoolClient> {
    const end = performance.now() + POOL_TIMEOUT;
    const turn = this.#slots.take();
    if (turn) await turn;
    for (;;) {
      const start = performance.now();
      try {
        return await this.#asked(this.#pool.connect());
      } catch (error) {
        const now = performance.now();
        // A busy server lets a new connection in late, while it answers those that it has.
        if (now - start < CONNECT_TIMEOUT || now > end || !this.#slots.isAlive) {
          this.#slots.give();
          throw error;
        }
      }
    }
  }

  #release(client: pg.PoolClient, broken = false): void {
    client.release(broken);
    this.#slots.give();
  }

  async #transaction<T>(
    begin: Begin,
    work: (session: Session, statement: (sql: string, values: Value[]) => Promise<pg.QueryResult>) => Promise<T>,
  ): Promise<T> {
    const client = await this.#connected();
    const ask = (query: Query, query_timeout: number): Promise<pg.QueryResult> => {
      const config: Query & { query_timeout: number } = { ...query, query_timeout };
      return this.#asked(client.query(config));
    };
    let open = true, sound = false;
    const statement = async (sql: string, values: Value[]): Promise<pg.QueryResult> => {
      // After its transaction has ended, a statement would be committed on its own.
      if (!open) throw new Error("the transaction of this statement has ended");
      return await ask(begin.named ? this.#query(sql, values) : { text: sql, values }, begin.statementTimeout);
    };
    const session: Session = {
      all: async (sql, values) => (await statement(sql, values)).rows,
      run: async (sql, values) => (await statement(sql, values)).rowCount ?? 0,
    };
    try {
      // BEGIN is not awaited. When it fails, the statements after it fail too, and only its error says why.
      const [began, done] = await Promise.allSettled([
        ask({ text: begin.text }, begin.timeout),
        (async () => await work(session, statement))(),
      ]);
      open = false;
      if (began.status === "rejected") throw began.reason;
      if (done.status === "rejected") throw done.reason;
      // If a statement failed and the work continued, the engine answers COMMIT with ROLLBACK and no error.
      const { command } = await ask({ text: "COMMIT" }, QUERY_TIMEOUT);
      if (command !== "COMMIT") throw new Error("a statement of a transaction failed, and its work went on");
      sound = true;
      return done.value;
    } catch (error) {
      // A lost or silent connection is not asked again: that would double the wait (F09).
      const lost = error instanceof DatabaseUnavailable && sqlState(error) === undefined;
      sound = !lost && await ask({ text: "ROLLBACK" }, QUERY_TIMEOUT).then(() => true, () => false);
      throw error;
    } finally {
      this.#release(client, !sound);
    }
  }

  /**
   * The name of a statement is a hash of its text, because a proxy may pass a connection from one process to another.
   * With counted names, a process could run a statement that another process prepared under the same name.
   */
  #query(sql: string, values: Value[]): Query {
    if (!this.#named) return { text: sql, values };
    let name = this.#names.get(sql);
    if (name === undefined) {
      name = `${createHash("sha256").update(sql).digest("base64url")}.${this.#generation}`;
      this.#names.set(sql, name);
    }
    return { text: sql, values, name };
  }

  /** Runs the work, and repeats it when the engine cancelled it or a named statement is stale. */
  async #tried<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await work();
      } catch (error) {
        const state = sqlState(error) ?? "";
        const stale = state === STALE_PLAN && this.#named;
        if (!(stale || DO_AGAIN.includes(state)) || tries === MOST_TRIES) throw error;
        if (stale) this.#forgetNames();
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * tries));
    }
  }

  #forgetNames(): void {
    this.#generation++;
    this.#names.clear();
  }

  /** Waits for the engine, and translates the driver's errors into ours. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      const result = await answer;
      this.#slots.noteAnswer();
      return result;
    } catch (error) {
      const ours = translated(error);
      if (sqlState(error) !== undefined) this.#slots.noteAnswer();
      if (isProxied(error) && !this.#warned) {
        this.#warned = true;
        this.#warn((ours as Error).message);
      }
      throw ours;
    }
  }
}

function limited(start: string): Begin {
  // One message. SET LOCAL ends with the transaction, so no connection keeps these limits.
  const text = `${start}; SET LOCAL statement_timeout = ${QUERY_TIMEOUT}; SET LOCAL lock_timeout = ${QUERY_TIMEOUT}; ` +
    `SET LOCAL idle_in_transaction_session_timeout = ${2 * QUERY_TIMEOUT}`;
  return { text, timeout: QUERY_TIMEOUT, statementTimeout: QUERY_TIMEOUT, named: true };
}

interface Begin {
  text: string;
  /** Limit for the BEGIN message, in milliseconds. */
  timeout: number;
  /** Limit for each statement, in milliseconds. */
  statementTimeout: number;
  /** Whether the statements will run again, so that a name for them saves time. */
  named: boolean;
}

interface Query {
  text: string;
  values?: Value[];
  name?: string;
}
