/**
 * How an error becomes an answer: each code has its status here, and nowhere else.
 *
 * @module
 */
import type { Context } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { asAuthError, AuthError, type AuthErrorCode } from "../../auth/errors.ts";
import { answer, type RequestEnv, thenClosed } from "./answers.ts";

/** Reasons to refuse a request before a rule sees it. */
export type RequestErrorCode =
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

/** A request that cannot be read or may not be made; the message names the field and never repeats its value. */
export class RequestError extends Error {
  /** Why. */
  readonly code: RequestErrorCode;

  /** Takes the code and a sentence for whoever asked. */
  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}

/** A field's name for a message: the names that we know are short and plain, anything else is not repeated. */
export function fieldToText(name: string): string {
  return /^[a-z_]{1,32}$/.test(name) ? name : "a field";
}

/**
 * The status of every code; a new code without one does not pass the type check.
 *
 * @internal
 */
export const STATUS = {
  body_too_large: 413,
  body_too_slow: 408,
  // Nobody reads this answer; the number is nginx's for the same case.
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
  // What a gatekeeper must say (nginx auth_request); the contract says 403 everywhere else.
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

/** A code with which a request is refused. */
export type ErrorCode = keyof typeof STATUS | "internal_error";

/** Every code that an answer may carry in its header `error-code`. */
export const ERROR_CODES: readonly string[] = [...Object.keys(STATUS), "internal_error"];

/** Codes behind which a part of the service is broken: the operator must hear of it. */
const BROKEN_PARTS: readonly string[] = ["database_unavailable", "hashing_unavailable"] satisfies AuthErrorCode[];

/** Where the contract's wording over HTTP differs from the one in code. */
const MESSAGE: Partial<Record<AuthErrorCode, string>> = {
  email_taken: "email already registered",
};

/** Seconds after which to try again, with every 503 and 429 (RFC 9110 10.2.3), where the error does not say. */
const RETRY_AFTER = 2;

/** The status of a code. */
export function statusOf(code: AuthErrorCode): number {
  return STATUS[code];
}

/**
 * Answers an error: a code's status with its message, or 500 with nothing of the inside (S69).
 *
 * @internal
 */
export function answerError(auth: Auth, c: Context<RequestEnv>, error: unknown): Response {
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
  if (BROKEN_PARTS.includes(known.code)) {
    // At the door an outage is met once a request, which must not fill the log.
    auth.faults.report(known.code, known.cause ?? known, { request_id: c.get("requestId") });
  }
  const status: number = STATUS[known.code];
  const message = known instanceof AuthError ? MESSAGE[known.code] ?? known.message : known.message;
  const response = answer(c, { message }, status, {
    "error-code": known.code,
    ...((status === 503 || status === 429) && { "retry-after": retryAfter(known) }),
  });
  return status === 408 ? thenClosed(response) : response;
}

function retryAfter(error: AuthError | RequestError): string {
  return String(error instanceof AuthError ? error.retryAfter ?? RETRY_AFTER : RETRY_AFTER);
}
