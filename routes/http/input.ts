/**
 * From fields to the typed input of an endpoint: the zod pieces that all endpoints share. Must not read bytes.
 *
 * @module
 */
import type { Context } from "hono";
import * as z from "zod";
import type { MailProof } from "../../auth/credentials/mail_tokens.ts";
import type { RequestEnv } from "./answers.ts";
import { readFields } from "./body.ts";
import { RequestError } from "./errors.ts";

/**
 * The endpoint's input out of the request's body; fields that it does not know are ignored (S13).
 *
 * @internal
 */
export async function readInput<S extends z.ZodType>(c: Context<RequestEnv>, schema: S): Promise<z.output<S>> {
  const fields = await readFields(c.req, c.var.bodyDeadline);
  return parse(schema, Object.fromEntries(fields));
}

/**
 * The input of an endpoint that reads: one value a name out of the query; the same rules as for a body (S15).
 *
 * @internal
 */
export function readQuery<S extends z.ZodType>(c: Context<RequestEnv>, schema: S): z.output<S> {
  const queries = c.req.queries();
  const doubled = Object.keys(queries).find((name) => queries[name].length > 1);
  if (doubled !== undefined) throw new RequestError("invalid_field", "a parameter is given more than once");
  return parse(schema, c.req.query());
}

/** A token by itself, or a code with its address; the name is that of the token's field. */
export function mailProof(name: string, token?: string, email?: string, code?: string): MailProof {
  if (token !== undefined) return { token };
  if (code === undefined) throw new RequestError("invalid_field", `${name} is missing`);
  if (email === undefined) throw new RequestError("invalid_field", "email is missing");
  return { email, code };
}

function parse<S extends z.ZodType>(schema: S, given: Record<string, unknown>): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RequestError("invalid_field", `${String(issue.path[0])} ${issue.message}`);
}

/**
 * A required text of at most this many UTF-16 units; every field has a bound (V40). Its faults name no value.
 *
 * @internal
 */
export function text(most: number): z.ZodString {
  return z.string({ error: (issue) => issue.input === undefined ? "is missing" : "must be text" })
    .min(1, "is missing")
    .max(most, `is longer than ${most} characters`);
}

/**
 * An e-mail address as typed; a rule says what is valid.
 *
 * @internal
 */
export const emailField = text(1024);

/**
 * A password as typed; a rule says what is valid.
 *
 * @internal
 */
export const passwordField = text(4096);

/**
 * A one-time token as sent.
 *
 * @internal
 */
export const tokenField = text(256);

/**
 * A password that proves somebody, where a missing one is as wrong as a wrong one.
 *
 * @internal
 */
export const provenField = z.string("must be text").max(4096, "is longer than 4096 characters").default("");

/**
 * A code as typed, perhaps with spaces.
 *
 * @internal
 */
export const codeField = text(32);
