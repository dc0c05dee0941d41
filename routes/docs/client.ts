/**
 * A client for TypeScript, typed by the table of endpoints: `createClient("https://accounts.example.com")`, then
 * `await client.sessions.$post({ json: { email, password } })`. Must not be loaded by the service.
 *
 * @module
 */
import type { Hono } from "hono";
import { type ClientRequestOptions, hc } from "hono/client";
import type { ENDPOINTS } from "./endpoints.ts";

/** Every described endpoint. */
export type Described = (typeof ENDPOINTS)[number];

/** The body of every refusal. */
export interface RefusalBody {
  /** A sentence for people; the code for programs is in the header `error-code`. */
  message: string;
}

/** Statuses of refusals. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 408 | 413 | 415 | 429 | 500 | 503;

/** What a call takes: fields, parameters of the query, the varying part of the path. */
export type CallInput<E> =
  & (E extends { input: { _zod: { input: infer I } } } ? { json: I } : Record<never, never>)
  & (E extends { query: { _zod: { input: infer Q } } } ? { query: Q } : Record<never, never>)
  & (E extends { path: `${string}:id` } ? { param: { id: string } } : unknown);

/** What a call gives. */
export type CallAnswer<E> = E extends { output: { _zod: { output: infer O } } }
  ? { input: CallInput<E>; output: O; outputFormat: "json"; status: 200 }
  : { input: CallInput<E>; output: undefined; outputFormat: "redirect"; status: 302 };

/** What a refused call gives; an alias, since Hono's types take no interface for this. */
export type CallRefusal<E> = {
  /** What the call took. */
  input: CallInput<E>;
  /** Its body. */
  output: RefusalBody;
  /** How its body is written. */
  outputFormat: "json";
  /** Its status. */
  status: RefusalStatus;
};

/** The service's paths and methods, as Hono's client reads them. */
export type ApiSchema = {
  [P in Described["path"]]: {
    [E in Extract<Described, { path: P }> as `$${Lowercase<E["method"]>}`]: CallAnswer<E> | CallRefusal<E>;
  };
};

/**
 * The service as a type, for `hc<AppType>` of `hono/client`.
 *
 * @internal
 */
export type AppType = Hono<Record<never, never>, ApiSchema, "/">;

/**
 * A client for the service at this origin. Browsers keep the cookies; elsewhere hand in a `fetch` that does.
 *
 * @internal
 */
export function createClient(origin: string, options?: ClientRequestOptions): ReturnType<typeof hc<AppType>> {
  return hc<AppType>(origin, options);
}
