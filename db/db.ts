/**
 * The one way to the database: raw SQL with bound values, over whichever engine `DATABASE_URL` names. Must not know a
 * table, a rule or HTTP.
 *
 * @module
 */
import type { Driver, OpenOptions, Row, Session, Value } from "./engines/driver.ts";
import { DatabaseUnavailable } from "./errors.ts";

/**
 * A database and its few verbs. Statements are written once for all engines: `$1` placeholders, text ids, times as
 * milliseconds. Every method throws `DatabaseUnavailable` when the engine cannot answer and `UniqueViolation` when
 * a unique key stands in the way, and a TypeError for a value that the two engines would not store alike.
 */
export class DB {
  readonly #driver: Driver;
  readonly #session: Session;
  readonly #onStatement: OpenOptions["onStatement"];
  readonly #onAnswer: OpenOptions["onAnswer"];
  readonly #kept: (() => void)[] | undefined;

  private constructor(
    driver: Driver,
    session: Session,
    options: Pick<OpenOptions, "onStatement" | "onAnswer"> & { kept?: (() => void)[] } = {},
  ) {
    this.#driver = driver;
    this.#session = session;
    this.#onStatement = options.onStatement;
    this.#onAnswer = options.onAnswer;
    this.#kept = options.kept;
  }

  /** Opens the database that the URL names (`sqlite:<file>`, `sqlite::memory:`, `postgres://…`). Throws `DatabaseRefused`. */
  static async open(url: string, options: OpenOptions): Promise<DB> {
    const driver = await openDriver(url, options);
    return new DB(driver, driver, options);
  }

  /** Which engine answers, for what the schema runner and a person must know; queries never ask. */
  get engine(): Driver["engine"] {
    return this.#driver.engine;
  }

  /** Where the data is, for people to read; never with a password. */
  get place(): string {
    return this.#driver.place;
  }

  /** The same database for counters, which a loss of power may set back a little; not inside a transaction. */
  get relaxed(): DB {
    return new DB(this.#driver, this.#driver.relaxed, { onStatement: this.#onStatement, onAnswer: this.#onAnswer });
  }

  /** The first row, or undefined when there is none. */
  async get<T extends Row>(sql: string, ...values: Value[]): Promise<T | undefined> {
    return (await this.all<T>(sql, ...values))[0];
  }

  /** All rows. */
  async all<T extends Row>(sql: string, ...values: Value[]): Promise<T[]> {
    this.#onStatement?.(sql);
    checkValues(values);
    const start = this.#onAnswer && performance.now();
    try {
      const rows = await this.#session.all(sql, values);
      if (start !== undefined) this.#answered(start);
      return rows as T[];
    } catch (error) {
      throw this.#failed(start, error);
    }
  }

  /** How many rows the statement changed. */
  async run(sql: string, ...values: Value[]): Promise<number> {
    this.#onStatement?.(sql);
    checkValues(values);
    const start = this.#onAnswer && performance.now();
    try {
      const changed = await this.#session.run(sql, values);
      if (start !== undefined) this.#answered(start);
      return changed;
    } catch (error) {
      throw this.#failed(start, error);
    }
  }

  /**
   * Runs the work in one transaction: all of it is kept, or none. Work inside may be run again from its beginning
   * when the engine asks for it, so it must do nothing but talk to the DB that it is handed; it must never hash.
   * Statements that it does not wait for run in the order in which they were given, and all in one round trip.
   * A statement that fails ends the transaction, whether the work goes on or not.
   */
  async transaction<T>(work: (db: DB) => Promise<T>): Promise<T> {
    if (this.#session !== this.#driver) return await work(this);
    let kept: (() => void)[] = [];
    const start = performance.now();
    let result: T;
    try {
      result = await this.#driver.transaction((session) => {
        kept = [];
        return this.#whole(session, work, { onStatement: this.#onStatement, kept });
      });
      this.#answered(start);
    } catch (error) {
      throw this.#failed(start, error);
    }
    for (const tell of kept) tell();
    return result;
  }

  /** Calls back once the transaction is kept, and never when it is not; outside of one at once. */
  onKept(tell: () => void): void {
    if (this.#kept) this.#kept.push(tell);
    else tell();
  }

  /**
   * Runs reads that all see the database as it was at one moment; the work must not write. As in a transaction, it may
   * be run again from its beginning. On SQLite writers wait meanwhile, on PostgreSQL they do not.
   */
  snapshot<T>(work: (db: DB) => Promise<T>): Promise<T> {
    return this.#driver.snapshot((session) => work(new DB(this.#driver, session)));
  }

  /** The names of the tables that are there, for what looks at a database before it uses it. */
  async tables(): Promise<string[]> {
    return (await this.#session.all(this.#driver.listTables, [])).map((row) => String(row.name));
  }

  /** The names of a table's columns; none when it is not there. */
  async columns(table: string): Promise<string[]> {
    return (await this.#session.all(this.#driver.listColumns, [table])).map((row) => String(row.name));
  }

  /** Runs the work in a transaction that no other process's schema change can overlap; waits up to 30 seconds. */
  exclusively<T>(work: (db: DB) => Promise<T>): Promise<T> {
    return this.#driver.exclusively((session) => this.#whole(session, work, {}));
  }

  /** Ends all connections; on SQLite the write-ahead log is folded into the file. */
  close(): Promise<void> {
    return this.#driver.close();
  }

  /** As {@linkcode close}, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Written out at each caller instead of around it: another promise would cost a tenth of a lookup. */
  #answered(start: number): void {
    this.#onAnswer?.(performance.now() - start, false);
  }

  #failed(start: number | undefined, error: unknown): unknown {
    if (start !== undefined) this.#onAnswer?.(performance.now() - start, error instanceof DatabaseUnavailable);
    return error;
  }

  /** PostgreSQL turns the COMMIT after a failed statement into a rollback without a word; nobody may take it for kept. */
  async #whole<T>(
    session: Session,
    work: (db: DB) => Promise<T>,
    options: Pick<OpenOptions, "onStatement"> & { kept?: (() => void)[] },
  ): Promise<T> {
    let failure: unknown;
    const note = (error: unknown): never => {
      failure ??= error;
      throw error;
    };
    const noting: Session = {
      all: (sql, values) => session.all(sql, values).catch(note),
      run: (sql, values) => session.run(sql, values).catch(note),
    };
    const result = await work(new DB(this.#driver, noting, options));
    if (failure !== undefined) throw failure;
    return result;
  }
}

/**
 * What one engine refuses the other would quietly change: SQLite reads text only up to a NUL and takes an object for
 * named parameters, pg makes undefined NULL. So nothing but sound values goes in; the value itself is not repeated.
 */
function checkValues(values: readonly unknown[]): void {
  const bad = values.findIndex((value) =>
    !(value === null || Number.isSafeInteger(value) ||
      (typeof value === "string" && !value.includes("\0") && value.isWellFormed()))
  );
  if (bad >= 0) throw new TypeError(`$${bad + 1} is not text without NUL, a whole number or null`);
}

/** Each driver is loaded only where it is used, so that no start pays for the other. */
async function openDriver(url: string, options: OpenOptions): Promise<Driver> {
  if (url.startsWith("sqlite:")) return await (await import("./engines/sqlite.ts")).openSqlite(url, options);
  return await (await import("./engines/postgres.ts")).openPostgres(url, options);
}
