/**
 * The rules' context with a database that records its statements, for tests that compare work. Must not change them.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import type { DB } from "../../db/db.ts";

/** A context, and the statements that ran outside transactions, in order. */
interface TracedStatements {
  /** The given context with a recording database. */
  auth: Auth;
  /** The statements' texts; a transaction is one entry with its own name. */
  texts: string[];
}

/** Replaces the database of a context by a recording one. */
export function traceStatements(auth: Auth): TracedStatements {
  const texts: string[] = [];
  const traced = (db: DB): DB =>
    new Proxy(db, {
      get: (target, name) => {
        if (name === "relaxed") return traced(target.relaxed);
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (first: unknown, ...rest: unknown[]) => {
          texts.push(typeof first === "string" ? first : String(name));
          return value.call(target, first, ...rest);
        };
      },
    });
  return { auth: { ...auth, db: traced(auth.db) }, texts };
}
