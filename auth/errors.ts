/**
 * The refusals of the rules: one error type, one closed list of codes. Must not know an HTTP status.
 *
 * @module
 */
import { DatabaseUnavailable } from "../db/errors.ts";

/** Every reason for a refusal. Stable: clients may rely on it (header `error-code`). */
export type AuthErrorCode =
  | "client_gone"
  | "database_unavailable"
  | "email_taken"
  | "hashing_unavailable"
  | "invalid_email"
  | "invalid_password"
  | "invalid_token"
  | "login_required"
  | "no_session"
  | "overloaded"
  | "rate_limited"
  | "second_factor_required"
  | "sign_up_closed"
  | "stopping"
  | "throttled"
  | "too_many_attempts"
  | "unknown_email"
  | "unknown_session"
  | "weak_password"
  | "wrong_credentials"
  | "wrong_password";

/** A rule refused a request. The message is a sentence for the caller, and never holds a secret. */
export class AuthError extends Error {
  readonly code: AuthErrorCode;
  /** Seconds until a retry can help, if that is known. */
  readonly retryAfter: number | undefined;
  /** Tells several reasons of one code apart, for pages that translate them. */
  readonly reason: string | undefined;

  /** `cause` is for the log only. */
  constructor(
    code: AuthErrorCode,
    message: string,
    options: { cause?: unknown; retryAfter?: number; reason?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AuthError";
    this.code = code;
    this.retryAfter = options.retryAfter;
    this.reason = options.reason;
  }
}

/** The error for the caller: itself, `database_unavailable`, or undefined for a fault of our own. */
export function asAuthError(error: unknown): AuthError | undefined {
  if (error instanceof AuthError) return error;
  if (error instanceof DatabaseUnavailable) {
    return new AuthError("database_unavailable", "the database cannot answer now, try again", { cause: error });
  }
  return undefined;
}
