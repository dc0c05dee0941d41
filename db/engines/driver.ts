/**
 * The interface that each database engine implements for {@linkcode DB}. Only `db.ts` uses the two drivers.
 *
 * @module
 */

/** A value that both engines bind without conversion. */
export type Value = string | number | null;

/** A row as both engines return it. */
export type Row = Record<string, Value>;

/** The answer to a lookup, at once or later. */
export type Answer = Row | undefined | Promise<Row | undefined>;

/** Runs statements: the driver itself, or one of its transactions. */
export interface Session {
  all(sql: string, values: Value[]): Promise<Row[]>;
  /** Gives the number of changed rows. */
  run(sql: string, values: Value[]): Promise<number>;
}

/** A session outside any transaction, which can begin one. */
export interface OuterSession extends Session {
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

/** One database engine. */
export interface Driver extends OuterSession {
  readonly engine: "sqlite" | "postgres";
  /** Where the data is, for people to read. Never contains a password. */
  readonly place: string;
  /** SQL for the `name` of every table. The catalogues of the two engines have nothing in common. */
  readonly listTables: string;
  /** SQL for the `name` of every column of the table `$1`. */
  readonly listColumns: string;
  /**
   * The first row of a SELECT, outside any transaction. Lookups of one turn of the event loop may be answered together,
   * each as if it were asked alone. Errors reject the promise.
   */
  lookUp(sql: string, values: Value[]): Answer;
  /**
   * For writes that no caller relies on. A power failure may lose those after the last commit of another write. The end
   * of the process loses none.
   */
  readonly relaxed: OuterSession;
  /** A transaction whose reads all see the same moment. The work must not write. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Why the service cannot keep its rows here, and what to do; undefined when it can. */
  refusal(): Promise<string | undefined>;
  /**
   * A transaction under the lock that separates schema changes. Waits for it up to 30 seconds on SQLite, and as long as
   * a migration may take on PostgreSQL. The work may run again from its beginning.
   */
  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Options of `DB.open`. */
export interface OpenOptions {
  /** A relative file in the URL is relative to this folder. */
  folder: string;
  /** Refuses to create a missing file: a database to read from must exist. */
  existing?: boolean;
  /** Called with the text of every statement. Tests use it to ask the engine for its plan. */
  onStatement?: (sql: string) => void;
  /** Called after a statement or a transaction: milliseconds, and whether the engine could not answer. */
  onAnswer?: (milliseconds: number, failed: boolean) => void;
  /** How many workers of the process open the same database; default 1. */
  workers?: number;
  /** Called with a warning about the connection, for the operator. */
  warn?: (sentence: string) => void;
}
