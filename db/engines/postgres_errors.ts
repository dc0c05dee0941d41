/**
 * Translates PostgreSQL's errors by SQLSTATE (PostgreSQL, appendix A). Must not use the text of a message, which
 * differs between languages and engines. Must not decide what happens next.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import { DatabaseUnavailable, UniqueViolation } from "../errors.ts";

/**
 * Classes and codes that mean "not now": the same request may work later. 28 and 3D000: the server does not accept us;
 * after the start, this means that an operator is at work. 25006: a standby that is not promoted yet. 40003: nobody
 * knows whether the COMMIT took effect.
 */
const UNAVAILABLE = /^(?:08|28|53|57P|58)|^(?:25006|25P03|3D000|40001|40003|40P01|55P03|57014)/;
/** A named statement exists already, or does not exist: a sign of a transaction-pooling proxy. */
const PROXIED = ["42P05", "26000"];
const UNIQUE_VIOLATION = "23505";

/** The server's SQLSTATE for an error, or undefined when the error did not come from a server. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code ?? "";
  return error instanceof Error && error.cause !== undefined ? sqlState(error.cause) : undefined;
}

/** Whether the server lost our named statements, or has those of another process. */
export function isProxied(error: unknown): boolean {
  return PROXIED.includes(sqlState(error) ?? "");
}

/** Translates a driver's error into ours. An error that is our own fault stays as it is. */
export function translated(error: unknown): unknown {
  const code = sqlState(error);
  // No code: the connection was refused, reset or too slow.
  if (code === undefined) return new DatabaseUnavailable("it cannot be reached", error);
  if (code === UNIQUE_VIOLATION) return new UniqueViolation(error);
  if (isProxied(error)) {
    const hint = "behind a transaction-pooling proxy, add pgbouncer=true to DATABASE_URL";
    return new DatabaseUnavailable(`${code}; ${hint}`, error);
  }
  return UNAVAILABLE.test(code) ? new DatabaseUnavailable(code, error) : error;
}

/** Why a connection failed, for the operator: one reason per address that was tried, with advice about TLS. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  if (error instanceof DatabaseUnavailable && error.cause) return reasonOf(error.cause);
  const { message } = error as Error;
  // Only texts of the package and of Deno are searched. A server's text may be in any language.
  if (/does not support SSL/.test(message)) return `${message}; on a network of your own add sslmode=disable`;
  if (!/certificate/i.test(message) || sqlState(error) !== undefined) return message;
  return `${message}; sslrootcert names an authority of your own, sslmode=require encrypts without looking`;
}
