/**
 * The only access to the database: raw SQL with bound values, for the engine that `DATABASE_URL` names. Must not know a
 * table, a rule or HTTP.
 *
 * @module
 */
import type { Driver, OpenOptions, OuterSession, Row, Session, Value } from "./engines/driver.ts";
import { DatabaseRefused, DatabaseUnavailable } from "./errors.ts";

/**
 * A database. Statements are the same for all engines: `$1` placeholders, text ids, times in milliseconds. Every method
 * throws `DatabaseUnavailable` when the engine cannot answer, `UniqueViolation` when a unique key exists already, and a
 * TypeError for a value that the two engines would store differently.
 */
export class DB {
  readonly #driver: Driver;
  readonly #session: Session;
  /** Begins transactions. Undefined inside one. */
  readonly #outer: OuterSession | undefined;
  readonly #onStatement: OpenOptions["onStatement"];
  readonly #onAnswer: OpenOptions["onAnswer"];
  readonly #kept: (() => void)[] | undefined;

  private constructor(
    driver: Driver,
    session: Session,
    options: Pick<OpenOptions, "onStatement" | "onAnswer"> & { outer?: OuterSession; kept?: (() => void)[] } = {},
  ) {
    this.#driver = driver;
    this.#session = session;
    this.#outer = options.outer;
    this.#onStatement = options.onStatement;
    this.#onAnswer = options.onAnswer;
    this.#kept = options.kept;
  }

  /** Opens the database of a URL (`sqlite:<file>`, `sqlite::memory:`, `postgres://…`). Throws `DatabaseRefused`. */
  static async open(url: string, options: OpenOptions): Promise<DB> {
    const driver = await openDriver(url, options);
    return new DB(driver, driver, { ...options, outer: driver });
  }

  /** The engine, for migrations and for people. Queries must not depend on it. */
  get engine(): Driver["engine"] {
    return this.#driver.engine;
  }

  /** Where the data is, for people to read. Never contains a password. */
  get place(): string {
    return this.#driver.place;
  }

  /**
   * The same database for writes that no caller relies on, such as counters. On SQLite they do not wait for the disk: a
   * power failure may lose those after the last commit of another write. On PostgreSQL they are writes like all others.
   * Not inside a transaction.
   */
  get relaxed(): DB {
    this.#requireOutside();
    const outer = this.#driver.relaxed;
    return new DB(this.#driver, outer, { outer, onStatement: this.#onStatement, onAnswer: this.#onAnswer });
  }

  async get<T extends Row>(sql: string, ...values: Value[]): Promise<T | undefined> {
    return (await this.all<T>(sql, ...values))[0];
  }

  /**
   * As {@linkcode get} for a SELECT that is asked very often. Lookups that arrive at the same moment are answered
   * together. Not inside a transaction.
   */
  async lookUp<T extends Row>(sql: string, ...values: Value[]): Promise<T | undefined> {
    this.#requireOutside();
    this.#onStatement?.(sql);
    checkValues(values);
    const start = this.#onAnswer && performance.now();
    try {
      const row = await this.#driver.lookUp(sql, values);
      if (start !== undefined) this.#answered(start);
      return row as T | undefined;
    } catch (error) {
      throw this.#failed(start, error);
    }
  }

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

  /** Gives the number of changed rows. */
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
   * Runs the work in one transaction: all of it is committed, or nothing. The engine may demand a repetition. So the
   * work must do nothing but use the DB that it gets, and it must never hash. Statements without `await` run in their
   * order and in one round trip. A failed statement ends the transaction, even if the work continues.
   */
  async transaction<T>(work: (db: DB) => Promise<T>): Promise<T> {
    if (!this.#outer) return await work(this);
    let kept: (() => void)[] = [];
    const start = performance.now();
    let result: T;
    try {
      result = await this.#outer.transaction((session) => {
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

  /** Calls back after the commit, and never after a rollback. Outside a transaction it calls at once. */
  onKept(tell: () => void): void {
    if (this.#kept) this.#kept.push(tell);
    else tell();
  }

  /**
   * Runs reads that all see the database at one moment. The work must not write. As in a transaction, it may run again
   * from its beginning. On SQLite writers wait meanwhile, on PostgreSQL they do not.
   */
  snapshot<T>(work: (db: DB) => Promise<T>): Promise<T> {
    return this.#driver.snapshot((session) => work(new DB(this.#driver, session)));
  }

  /** The names of the existing tables, for code that checks a database before it uses it. */
  async tables(): Promise<string[]> {
    return (await this.#session.all(this.#driver.listTables, [])).map((row) => String(row.name));
  }

  /** The names of a table's columns; empty when the table does not exist. */
  async columns(table: string): Promise<string[]> {
    return (await this.#session.all(this.#driver.listColumns, [table])).map((row) => String(row.name));
  }

  /** Throws `DatabaseRefused`, with what to do, when the service cannot keep its rows here. */
  async requireFit(): Promise<void> {
    const reason = await this.#driver.refusal();
    if (reason !== undefined) throw new DatabaseRefused(`${this.place} cannot be used: ${reason}`);
  }

  /**
   * Runs the work in a transaction that excludes schema changes by other processes. On PostgreSQL it waits until they
   * are done, and repeats the work while a lock is taken.
   */
  exclusively<T>(work: (db: DB) => Promise<T>): Promise<T> {
    return this.#driver.exclusively((session) => this.#whole(session, work, {}));
  }

  /** Ends all connections. SQLite then merges its write-ahead log into the file. */
  close(): Promise<void> {
    return this.#driver.close();
  }

  /** As {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOutside(): void {
    if (this.#outer === undefined) throw new Error("this must not be asked inside a transaction");
  }

  /** Each method calls this itself. A common wrapper would add a promise, which costs a tenth of a lookup. */
  #answered(start: number): void {
    this.#onAnswer?.(performance.now() - start, false);
  }

  #failed(start: number | undefined, error: unknown): unknown {
    if (start !== undefined) this.#onAnswer?.(performance.now() - start, error instanceof DatabaseUnavailable);
    return error;
  }

  /** After a failed statement, PostgreSQL answers COMMIT with a silent rollback. Nobody may take that for a commit. */
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
 * Allows only values that both engines store alike. SQLite cuts text at a NUL and takes an object for named parameters;
 * pg turns undefined into NULL. The message does not repeat the value.
 */
function checkValues(values: readonly unknown[]): void {
  const bad = values.findIndex((value) =>
    !(value === null || Number.isSafeInteger(value) ||
      (typeof value === "string" && !value.includes("\0") && value.isWellFormed()))
  );
  if (bad >= 0) throw new TypeError(`$${bad + 1} is not text without NUL, a whole number or null`);
}

/** Loads only the driver that is used, so that no start pays for the other. */
async function openDriver(url: string, options: OpenOptions): Promise<Driver> {
  if (url.startsWith("sqlite:")) {
    const { openSqlite } = await import("./engines/sqlite.ts");
    return await openSqlite(url, options);
  }
  const { openPostgres } = await import("./engines/postgres.ts");
  return await openPostgres(url, options);
}
