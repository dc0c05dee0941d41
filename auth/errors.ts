/**
 * The ways in which a rule says no: one error type, one closed list of codes. Must not know a status.
 *
 * @module
 */
import { DatabaseUnavailable } from "../db/errors.ts";

/** Every reason that a rule may give. Stable: clients may rely on it (header `error-code`). */
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

/** A rule said no. The message is a sentence for the person or program that asked, and never holds a secret. */
export class AuthError extends Error {
  /** Which rule. */
  readonly code: AuthErrorCode;
  /** Seconds after which it is worth trying again, where that is known. */
  readonly retryAfter: number | undefined;
  /** One word more where a code has several reasons, for pages that say them in the reader's language. */
  readonly reason: string | undefined;

  /** Takes the code, the sentence, and what was behind it, for the log. */
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

/** What an error means to whoever asked: itself, the database being away, or undefined for a fault of ours. */
export function asAuthError(error: unknown): AuthError | undefined {
  if (error instanceof AuthError) return error;
  if (error instanceof DatabaseUnavailable) {
    return new AuthError("database_unavailable", "the database cannot answer now, try again", { cause: error });
  }
  return undefined;
}
