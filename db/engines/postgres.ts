/**
 * PostgreSQL, and engines that speak its protocol, by the `pg` package. Must not send a timeout as a start parameter:
 * transaction-pooling proxies refuse them.
 *
 * @module
 */
import { createHash } from "node:crypto";
// @ts-types="@types/pg"
import pg from "pg";
import type { Driver, OpenOptions, Row, Session, Value } from "./driver.ts";
import { DatabaseRefused, DatabaseUnavailable } from "../errors.ts";
import { isProxied, reasonOf, sqlState, translated } from "./postgres_errors.ts";
import { parsePostgresUrl, shownPostgresUrl } from "./postgres_url.ts";

/** Connections of one worker. */
export const MOST_CONNECTIONS = 10;
/** Connections of all workers of a process: on a machine of many cores the server, which takes 100, has room for others. */
export const MOST_TOGETHER = 40;
/** How many statements may wait for a connection; whoever comes later is told to try again. */
const MOST_WAITING = 1_000;
/** How long to wait for a connection, in milliseconds (F09). */
const CONNECT_TIMEOUT = 2_000;
/** How long to wait for an answer, in milliseconds (F09). */
export const QUERY_TIMEOUT = 5_000;
/** How long to wait for another process that migrates, in milliseconds. */
const EXCLUSIVE_TIMEOUT = 30_000;
/** How long one statement of a migration may take, in milliseconds: an index on a large table takes its time. */
const MIGRATION_TIMEOUT = 30 * 60_000;
/** How often work that the engine gave up in favour of other work is done again. */
const MOST_TRIES = 5;
/** Any number, the same in all versions: the advisory lock of migrations. */
const MIGRATION_LOCK = 620_726_115;

/** Serialization failure and deadlock: the engine gave this work up in favour of other work. */
const DO_AGAIN = ["40001", "40P01"];
/** Another instance's migration changed a table, and what the server knows by a name gives other columns now. */
const STALE_PLAN = "0A000";

// Times in milliseconds stay below 2^53, so BIGINT can be a number, as it is in SQLite.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Connects to the database that a `postgres:` URL names. Throws `DatabaseRefused` when it cannot be reached. */
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

/** The driver: a pool, with one connection checked out for each transaction. */
class Postgres implements Driver {
  readonly engine = "postgres";
  readonly place: string;
  readonly listTables =
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()";
  readonly listColumns = "SELECT column_name AS name FROM information_schema.columns " +
    "WHERE table_schema = current_schema() AND table_name = $1";
  /** The server writes each commit to disk for many clients at once, so that counters need no way of their own. */
  readonly relaxed: Session = this;
  readonly #pool: pg.Pool;
  readonly #names = new Map<string, string>();
  readonly #named: boolean;
  readonly #warn: (sentence: string) => void;
  #generation = 0;
  #warned = false;

  constructor(url: string, { warn = () => {}, workers = 1 }: OpenOptions) {
    const { named, password, ...connection } = parsePostgresUrl(url);
    this.place = shownPostgresUrl(url);
    this.#named = named;
    this.#warn = warn;
    this.#pool = new pg.Pool({
      ...connection,
      // A function, since pg takes an empty text for none at all and then looks for a file of passwords.
      password: () => password,
      // Two at least, so that a statement goes on beside a transaction.
      max: Math.max(2, Math.min(MOST_CONNECTIONS, Math.floor(MOST_TOGETHER / workers))),
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      query_timeout: QUERY_TIMEOUT,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: "bienvenue",
      // A statement need not wait for the answer to the one before it: BEGIN costs no round trip of its own.
      pipeline: true,
    });
    // Without these two a connection that dies while idle, or in a transaction, would end the process.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Asks for nothing, to see whether anybody answers. */
  async check(): Promise<void> {
    await this.#asked(this.#pool.query("SELECT 1"));
  }

  all(sql: string, values: Value[]): Promise<Row[]> {
    return this.#tried(async () => (await this.#single(sql, values)).rows);
  }

  run(sql: string, values: Value[]): Promise<number> {
    return this.#tried(async () => (await this.#single(sql, values)).rowCount ?? 0);
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#limited("BEGIN", work);
  }

  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#limited("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work);
  }

  #limited<T>(start: string, work: (session: Session) => Promise<T>): Promise<T> {
    // One message; SET LOCAL ends with the transaction, on whichever connection it was.
    const text =
      `${start}; SET LOCAL statement_timeout = ${QUERY_TIMEOUT}; SET LOCAL lock_timeout = ${QUERY_TIMEOUT}; ` +
      `SET LOCAL idle_in_transaction_session_timeout = ${2 * QUERY_TIMEOUT}`;
    const begin = { text, timeout: QUERY_TIMEOUT, statementTimeout: QUERY_TIMEOUT, named: true };
    return this.#tried(() => this.#transaction(begin, work));
  }

  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const text = `BEGIN; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT}; ` +
      `SET LOCAL lock_timeout = ${EXCLUSIVE_TIMEOUT}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    const timeout = EXCLUSIVE_TIMEOUT + QUERY_TIMEOUT;
    const begin = { text, timeout, statementTimeout: MIGRATION_TIMEOUT, named: false };
    return this.#tried(() => this.#transaction(begin, work));
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #single(sql: string, values: Value[]): Promise<pg.QueryResult> {
    this.#refuseCrowd();
    return await this.#asked(this.#pool.query(this.#query(sql, values)));
  }

  async #transaction<T>(begin: Begin, work: (session: Session) => Promise<T>): Promise<T> {
    this.#refuseCrowd();
    const client = await this.#asked(this.#pool.connect());
    const ask = (query: Query, query_timeout: number): Promise<pg.QueryResult> => {
      const config: Query & { query_timeout: number } = { ...query, query_timeout };
      return this.#asked(client.query(config));
    };
    let open = true, sound = false;
    const statement = async (sql: string, values: Value[]): Promise<pg.QueryResult> => {
      // Outside its transaction a statement would be kept by itself.
      if (!open) throw new Error("the transaction of this statement has ended");
      return await ask(begin.named ? this.#query(sql, values) : { text: sql, values }, begin.statementTimeout);
    };
    const session: Session = {
      all: async (sql, values) => (await statement(sql, values)).rows,
      run: async (sql, values) => (await statement(sql, values)).rowCount ?? 0,
    };
    try {
      // BEGIN is not waited for: when it fails, the statements behind it fail too, and its error is the one that says why.
      const [began, done] = await Promise.allSettled([
        ask({ text: begin.text }, begin.timeout),
        (async () => await work(session))(),
      ]);
      open = false;
      if (began.status === "rejected") throw began.reason;
      if (done.status === "rejected") throw done.reason;
      // The engine answers COMMIT by ROLLBACK, without an error, when a statement failed and the work went on.
      const { command } = await ask({ text: "COMMIT" }, QUERY_TIMEOUT);
      if (command !== "COMMIT") throw new Error("a statement of a transaction failed, and its work went on");
      sound = true;
      return done.value;
    } catch (error) {
      // A connection that was lost, or gave no answer in time, is not asked again: that would double the wait (F09).
      const lost = error instanceof DatabaseUnavailable && sqlState(error) === undefined;
      sound = !lost && await ask({ text: "ROLLBACK" }, QUERY_TIMEOUT).then(() => true, () => false);
      throw error;
    } finally {
      client.release(!sound);
    }
  }

  /** A crowd that waits for connections is bounded, so that a database which stands still fills no memory (F09). */
  #refuseCrowd(): void {
    if (this.#pool.waitingCount < MOST_WAITING) return;
    throw new DatabaseUnavailable("too many requests wait for a connection");
  }

  /**
   * The name of a statement is made from its text: through a proxy that hands a connection from one process to another,
   * a name that is merely counted would run whatever the other process had prepared under it.
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

  /** Runs the work, and does it again when the engine says so. */
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

  /** Waits for the engine, and turns the driver's errors into ours. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const ours = translated(error);
      if (isProxied(error) && !this.#warned) {
        this.#warned = true;
        this.#warn((ours as Error).message);
      }
      throw ours;
    }
  }
}

/** How a transaction begins. */
interface Begin {
  text: string;
  /** How long its beginning may take, in milliseconds. */
  timeout: number;
  /** How long each of its statements may take, in milliseconds. */
  statementTimeout: number;
  /** Whether its statements will be used again, and so are worth a name. */
  named: boolean;
}

interface Query {
  text: string;
  values?: Value[];
  name?: string;
}
