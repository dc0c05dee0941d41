/**
 * What PostgreSQL's errors mean to this service, by SQLSTATE (PostgreSQL, appendix A), never by the text of a message,
 * which differs between languages and engines. Must not decide what happens next.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import { DatabaseUnavailable, UniqueViolation } from "../errors.ts";

/**
 * Classes and codes that mean "not now": the same request may work later. Class 28 and 3D000 are a server that does not
 * let us in, which after the start is an operator at work; 25006 is a standby that is not promoted yet; after 40003
 * nobody knows what came of a COMMIT.
 */
const UNAVAILABLE = /^(?:08|28|53|57P|58)|^(?:25006|25P03|3D000|40001|40003|40P01|55P03|57014)/;
/** A named statement is already there, or is not: what a transaction-pooling proxy makes of named statements. */
const PROXIED = ["42P05", "26000"];
const UNIQUE_VIOLATION = "23505";

/** The server's code for an error, or undefined when the error did not come from a server. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code ?? "";
  return error instanceof Error && error.cause !== undefined ? sqlState(error.cause) : undefined;
}

/** Whether the server lost its named statements, or has those of somebody else. */
export function isProxied(error: unknown): boolean {
  return PROXIED.includes(sqlState(error) ?? "");
}

/** An error of the driver in our own words; one that is a fault of ours stays as it is. */
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

/**
 * What went wrong with a connection, for the operator, with what helps where it is about TLS; where several addresses
 * were tried, for each.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  if (error instanceof DatabaseUnavailable && error.cause) return reasonOf(error.cause);
  const { message } = error as Error;
  // No server's words, which may be of any language, but those of the package and of Deno.
  if (/does not support SSL/.test(message)) return `${message}; on a network of your own add sslmode=disable`;
  if (!/certificate/i.test(message) || sqlState(error) !== undefined) return message;
  return `${message}; sslrootcert names an authority of your own, sslmode=require encrypts without looking`;
}
