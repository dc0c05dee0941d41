/**
 * What an engine must be able to do for {@linkcode DB}. Two drivers fulfil it; nothing but `db.ts` uses them.
 *
 * @module
 */

/** A value that both engines bind without conversion. */
export type Value = string | number | null;

/** A row as both engines give it back. */
export type Row = Record<string, Value>;

/** Something that runs statements: the driver itself, or one transaction of it. */
export interface Session {
  /** Runs a statement and gives its rows. */
  all(sql: string, values: Value[]): Promise<Row[]>;
  /** Runs a statement and gives the number of rows that it changed. */
  run(sql: string, values: Value[]): Promise<number>;
}

/** One engine. */
export interface Driver extends Session {
  /** The engine's name. */
  readonly engine: "sqlite" | "postgres";
  /** Where the data is, for people to read; never with a password. */
  readonly place: string;
  /** The statement that gives the `name` of every table that is there; the two catalogues have nothing in common. */
  readonly listTables: string;
  /** The statement that gives the `name` of every column of the table `$1`. */
  readonly listColumns: string;
  /** For counters: what it wrote last may be lost with the machine's power, never with the process. */
  readonly relaxed: Session;
  /** Runs the work in one transaction. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs the work in a transaction whose reads all see one moment; the work must not write. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs the work in a transaction under the lock that keeps schema changes apart; waits up to 30 seconds. */
  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Options of `DB.open`. */
export interface OpenOptions {
  /** The folder against which a relative file in the URL is read. */
  folder: string;
  /** Refuses to make a file where there is none: what is read from must exist. */
  existing?: boolean;
  /** Told the text of every statement that runs; tests ask the engine for its plan. */
  onStatement?: (sql: string) => void;
  /** Told how long a statement or a transaction took, in milliseconds, and whether the engine could not answer. */
  onAnswer?: (milliseconds: number, failed: boolean) => void;
  /** How many workers of the process open the database as this one does; 1 unless given. */
  workers?: number;
  /** Told what the operator should know of the connection. */
  warn?: (sentence: string) => void;
}
