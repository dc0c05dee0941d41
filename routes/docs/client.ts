/**
 * A client for TypeScript, typed by the table of endpoints: `createClient("https://accounts.example.com")`, then
 * `await client.sessions.$post({ json: { email, password } })`. Must not be loaded by the service.
 *
 * @module
 */
import type { Hono } from "hono";
import { type ClientRequestOptions, hc } from "hono/client";
import type { ENDPOINTS } from "./endpoints.ts";

type Described = (typeof ENDPOINTS)[number];

interface RefusalBody {
  /** A sentence for people; the code for programs is in the header `error-code`. */
  message: string;
}

type RefusalStatus = 400 | 401 | 403 | 404 | 408 | 413 | 415 | 429 | 500 | 503;

/** The input of a call: fields, parameters of the query, the variable part of the path. */
type CallInput<E> =
  & (E extends { input: { _zod: { input: infer I } } } ? { json: I } : Record<never, never>)
  & (E extends { query: { _zod: { input: infer Q } } } ? { query: Q } : Record<never, never>)
  & (E extends { path: `${string}:id` } ? { param: { id: string } } : unknown);

/** The answer of a call. */
type CallAnswer<E> = E extends { output: { _zod: { output: infer O } } }
  ? { input: CallInput<E>; output: O; outputFormat: "json"; status: 200 }
  : { input: CallInput<E>; output: undefined; outputFormat: "redirect"; status: 302 };

/** The answer of a refused call. A type alias, because Hono's types accept no interface here. */
type CallRefusal<E> = {
  input: CallInput<E>;
  output: RefusalBody;
  outputFormat: "json";
  status: RefusalStatus;
};

/** Paths and methods of the service, in the form that Hono's client reads. */
type ApiSchema = {
  [P in Described["path"]]: {
    [E in Extract<Described, { path: P }> as `$${Lowercase<E["method"]>}`]: CallAnswer<E> | CallRefusal<E>;
  };
};

/** The type of the service, for `hc<AppType>` of `hono/client`. */
export type AppType = Hono<Record<never, never>, ApiSchema, "/">;

/**
 * Makes a client for the service at this origin. Browsers keep the cookies. Elsewhere pass a `fetch` that keeps them.
 */
export function createClient(origin: string, options?: ClientRequestOptions): ReturnType<typeof hc<AppType>> {
  return hc<AppType>(origin, options);
}
