/**
 * Database errors that do not depend on the engine. Their `cause` is the driver's error, for the log only. Must not
 * name HTTP.
 *
 * @module
 */

/** The database cannot answer now: locked, full, read-only or unreachable. The same request may work later. */
export class DatabaseUnavailable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`the database cannot answer: ${reason}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** The engine read damaged data: no retry helps, only a backup (F06). */
export class DatabaseDamaged extends Error {
  constructor(cause: Error) {
    super(`the database is damaged: ${cause.message}`, { cause });
    this.name = "DatabaseDamaged";
  }
}

/** A row would break a unique key. Recognised by the driver's code, never by the text of its message. */
export class UniqueViolation extends Error {
  constructor(cause: unknown) {
    super("a row with this key exists", { cause });
    this.name = "UniqueViolation";
  }
}

/** The database cannot be used in its present state. The message tells the operator what to do. Ends the start. */
export class DatabaseRefused extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "DatabaseRefused";
  }
}
