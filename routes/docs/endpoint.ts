/**
 * The description of an endpoint. From it come the OpenAPI document, the page `/docs`, the client's types and tests.
 * Must not be needed by a request: a handler uses its schema and nothing else.
 *
 * @module
 */
import type * as z from "zod";
import { type ErrorCode, STATUS } from "../http/errors.ts";

interface Answer {
  /** 200 unless given. A 302 has no body. */
  status?: 302;
  /** Cookies and headers that it may set, in words. */
  sets?: string;
}

/** The description of one endpoint. */
export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path, with `:id` for a variable part. */
  path: string;
  /** What it does, in one line. */
  summary: string;
  /** What else a caller must know. */
  text?: string;
  /** The only profile that has it; both profiles unless given. */
  profile?: "local" | "public";
  /** `true`: it needs the session cookie. `read`: it uses the cookie if there is one. */
  session?: true | "read";
  input?: z.ZodObject;
  query?: z.ZodObject;
  /** Values of the fields, for the examples. */
  example?: Record<string, string>;
  /** Body of the answer; absent for a redirect. */
  output?: z.ZodType;
  answer?: Answer;
  /** Error codes, without those of {@linkcode commonErrors}. */
  errors: readonly ErrorCode[];
  /** Error codes of the local profile only. In public they would show who has an account. */
  localErrors?: readonly ErrorCode[];
}

/** Returns the description unchanged, with its literal types kept for the client. */
export function endpoint<const E extends Endpoint>(described: E): E {
  return described;
}

/** The status of a refusal. */
export type RefusalStatus = (typeof STATUS)[keyof typeof STATUS] | 500;

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

/** Codes that follow from what an endpoint does: read a body, act for a browser, ask the database. */
function commonErrors({ method, path, input, query }: Endpoint): ErrorCode[] {
  const codes: ErrorCode[] = ["host_refused"];
  if (method !== "GET") codes.push("origin_refused");
  if (input) codes.push("invalid_body", "invalid_field", "body_too_large", "body_too_slow", "unsupported_media_type");
  if (query) codes.push("invalid_field");
  if (!["/", "/logout/done", "/healthz", "/dev/mailbox", "/openapi.json"].includes(path)) {
    codes.push("database_unavailable", "internal_error");
  }
  return codes;
}

/** All error codes of an endpoint in one profile, sorted by status and then by name. */
export function errorsOf(endpoint: Endpoint, profile: "local" | "public"): [code: ErrorCode, status: RefusalStatus][] {
  const local = profile === "local" ? endpoint.localErrors ?? [] : [];
  const all = new Set([...endpoint.errors, ...local, ...commonErrors(endpoint)]);
  const codes = [...all].filter((code) => (PROFILE_OF[code] ?? profile) === profile);
  return codes.map((code): [ErrorCode, RefusalStatus] => [code, statusOf(code)]).sort(([a, one], [b, other]) =>
    one - other || (a < b ? -1 : 1)
  );
}

function statusOf(code: ErrorCode): RefusalStatus {
  return code === "internal_error" ? 500 : STATUS[code];
}
