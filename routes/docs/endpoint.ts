/**
 * How an endpoint is described: once, in a form from which the OpenAPI document, the page `/docs`, the client's types and
 * the tests are made. Must not be needed by a request: a handler reads its schema, nothing else.
 *
 * @module
 */
import type * as z from "zod";
import { type ErrorCode, STATUS } from "../http/errors.ts";

/** What an answer has beside its JSON body. */
export interface Answer {
  /** Its status; 200 unless given. 302 has no body. */
  status?: 302;
  /** Cookies and headers that it may set, in words. */
  sets?: string;
}

/**
 * One endpoint.
 *
 * @internal
 */
export interface Endpoint {
  /** The method. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The pattern of its path, `:id` for a part that varies. */
  path: string;
  /** One line: what it does. */
  summary: string;
  /** What else a caller must know. */
  text?: string;
  /** Which profile has it; both unless given. */
  profile?: "local" | "public";
  /** Whether it needs the session cookie, or reads it where there is one. */
  session?: true | "read";
  /** The fields of its body. */
  input?: z.ZodObject;
  /** The parameters of its query. */
  query?: z.ZodObject;
  /** Values with which it is shown. */
  example?: Record<string, string>;
  /** The body of its answer; absent for a redirect. */
  output?: z.ZodType;
  /** What else its answer has. */
  answer?: Answer;
  /** The codes with which it may be refused, without those of {@linkcode commonErrors}. */
  errors: readonly ErrorCode[];
  /** Codes with which only the local profile refuses it, since they would tell strangers who has an account. */
  localErrors?: readonly ErrorCode[];
}

/**
 * The endpoint as it is, with its literal types kept for the client.
 *
 * @internal
 */
export function endpoint<const E extends Endpoint>(described: E): E {
  return described;
}

/** What an action says of itself, for the endpoint that does it. */
type ActionText = Pick<Endpoint, "summary" | "text" | "session" | "errors" | "localErrors">;

/** The part of an endpoint's description that its action has. */
export function described<S extends z.ZodObject>(action: ActionText & { input: S }): ActionText & { input: S } {
  return { ...describedWithoutBody(action), input: action.input };
}

/** As {@linkcode described}, for an endpoint that takes no body. */
export function describedWithoutBody({ summary, text, session, errors, localErrors }: ActionText): ActionText {
  return { summary, text, session, errors, localErrors };
}

/** Codes that only one profile gives; see the table of what PUBLIC_URL changes. */
const PROFILE_OF: { readonly [C in ErrorCode]?: "local" | "public" } = {
  host_refused: "local",
  rate_limited: "public",
  weak_password: "public",
};

/** The codes that come of what an endpoint is: reading a body, acting for a browser, asking the database. */
export function commonErrors({ method, path, input, query }: Endpoint): ErrorCode[] {
  const codes: ErrorCode[] = ["host_refused"];
  if (method !== "GET") codes.push("origin_refused");
  if (input) codes.push("invalid_body", "invalid_field", "body_too_large", "body_too_slow", "unsupported_media_type");
  if (query) codes.push("invalid_field");
  if (!["/", "/healthz", "/dev/mailbox", "/openapi.json"].includes(path)) {
    codes.push("database_unavailable", "internal_error");
  }
  return codes;
}

/** All codes with which an endpoint may be refused in a profile, by their status and then by name. */
export function errorsOf(endpoint: Endpoint, profile: "local" | "public"): [code: ErrorCode, status: number][] {
  const local = profile === "local" ? endpoint.localErrors ?? [] : [];
  const all = new Set([...endpoint.errors, ...local, ...commonErrors(endpoint)]);
  const codes = [...all].filter((code) => (PROFILE_OF[code] ?? profile) === profile);
  return codes.map((code): [ErrorCode, number] => [code, statusOf(code)]).sort(([a, one], [b, other]) =>
    one - other || (a < b ? -1 : 1)
  );
}

function statusOf(code: ErrorCode): number {
  return code === "internal_error" ? 500 : STATUS[code];
}
