/**
 * Turns errors into answers. Each code has its status here, and nowhere else.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { asAuthError, AuthError, type AuthErrorCode } from "../../auth/errors.ts";
import { answer, closeAfter, type Exchange } from "./answers.ts";

/** Reasons to refuse a request before a rule of `auth/` sees it. */
type RequestErrorCode =
  | "body_too_large"
  | "body_too_slow"
  | "host_refused"
  | "invalid_body"
  | "invalid_field"
  | "method_not_allowed"
  | "not_logged_in"
  | "not_found"
  | "origin_refused"
  | "unsupported_media_type";

/** A request that cannot be read or is not allowed. The message names the field, and never repeats its value. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}

/** A field's name for a message. Known names are short and plain; no other name is repeated. */
export function fieldToText(name: string): string {
  return /^[a-z_]{1,32}$/.test(name) ? name : "a field";
}

/** The status of every code. A new code without a status fails the type check. */
export const STATUS = {
  body_too_large: 413,
  body_too_slow: 408,
  // Nobody reads this answer. nginx uses the same number for this case.
  client_gone: 499,
  database_unavailable: 503,
  email_taken: 400,
  hashing_unavailable: 503,
  host_refused: 403,
  invalid_body: 400,
  invalid_email: 400,
  invalid_field: 400,
  invalid_password: 400,
  invalid_token: 403,
  login_required: 403,
  method_not_allowed: 405,
  no_session: 403,
  not_found: 404,
  // nginx auth_request needs 401 here. The contract says 403 everywhere else.
  not_logged_in: 401,
  origin_refused: 403,
  overloaded: 503,
  rate_limited: 429,
  second_factor_required: 401,
  sign_up_closed: 403,
  stopping: 503,
  throttled: 429,
  too_many_attempts: 429,
  unknown_email: 403,
  unknown_session: 404,
  unsupported_media_type: 415,
  weak_password: 400,
  wrong_credentials: 401,
  wrong_password: 403,
} as const satisfies Record<AuthErrorCode | RequestErrorCode, number>;

/** The codes of a request that hashes a password. */
export const HASH_ERRORS = ["overloaded", "hashing_unavailable", "client_gone"] as const satisfies AuthErrorCode[];

/** The codes of a request that compares a password. */
export const GUESS_ERRORS = [...HASH_ERRORS, "throttled"] as const satisfies AuthErrorCode[];

/** Every code with which a request can be refused. */
export type ErrorCode = keyof typeof STATUS | "internal_error";

/** Every code that an answer may carry in its header `error-code`. */
export const ERROR_CODES: readonly string[] = [...Object.keys(STATUS), "internal_error"];

/** Codes that mean an outage of a part of the service. The operator must be told. */
const OUTAGES: readonly string[] = ["database_unavailable", "hashing_unavailable"] satisfies AuthErrorCode[];

/** Messages that the contract words differently over HTTP than in code. */
const MESSAGE: Partial<Record<AuthErrorCode, string>> = {
  email_taken: "email already registered",
};

/** Seconds in `Retry-After` of every 503 and 429, unless the error has its own (RFC 9110 10.2.3). */
const RETRY_AFTER = 2;

/** The HTTP status of a code. */
export function statusOf(code: AuthErrorCode): number {
  return STATUS[code];
}

/**
 * Answers an error with its code's status and message. Any other error is a 500 that says nothing about the inside
 * (S69).
 */
export function answerError(auth: Auth, c: Exchange, error: unknown): Response {
  const known = error instanceof RequestError ? error : asAuthError(error);
  if (!known) {
    auth.log.write({
      time: new Date().toISOString(),
      level: "error",
      request_id: c.get("requestId"),
      error: error instanceof Error ? error.stack ?? error.message : String(error),
    });
    return answer(c, { message: "something went wrong; the log knows more by the request id" }, 500, {
      "error-code": "internal_error",
    });
  }
  if (OUTAGES.includes(known.code)) {
    // Every request fails during an outage, and that must not fill the log.
    auth.faults.report(known.code, known.cause ?? known, { request_id: c.get("requestId") });
  }
  const status: number = STATUS[known.code];
  const message = known instanceof AuthError ? MESSAGE[known.code] ?? known.message : known.message;
  const response = answer(c, { message }, status, {
    "error-code": known.code,
    ...((status === 503 || status === 429) && { "retry-after": retryAfter(known) }),
  });
  return status === 408 ? closeAfter(response) : response;
}

function retryAfter(error: AuthError | RequestError): string {
  return String(error instanceof AuthError ? error.retryAfter ?? RETRY_AFTER : RETRY_AFTER);
}
