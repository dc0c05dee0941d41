/**
 * What can go wrong between a query and its rows, in words that do not depend on the engine. Must not name HTTP.
 *
 * @module
 */

/** The database cannot answer now: locked, full, read-only, unreachable. The same request may work later. */
export class DatabaseUnavailable extends Error {
  /** Keeps the driver's error as the cause, for the log only. */
  constructor(reason: string, cause?: unknown) {
    super(`the database cannot answer: ${reason}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** What the engine read makes no sense: no later try helps, only a backup (F06). */
export class DatabaseDamaged extends Error {
  /** Takes the driver's words, and its error for the log. */
  constructor(cause: Error) {
    super(`the database is damaged: ${cause.message}`, { cause });
    this.name = "DatabaseDamaged";
  }
}

/** A row would break a unique key. Told by the driver's code, never by the text of its message. */
export class UniqueViolation extends Error {
  /** Keeps the driver's error as the cause, for the log only. */
  constructor(cause: unknown) {
    super("a row with this key exists", { cause });
    this.name = "UniqueViolation";
  }
}

/** The database cannot be used as it stands; the sentence tells the operator what to do. Ends the start. */
export class DatabaseRefused extends Error {
  /** Takes the sentence that the operator reads. */
  constructor(sentence: string) {
    super(sentence);
    this.name = "DatabaseRefused";
  }
}
