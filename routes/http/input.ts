/**
 * Turns fields into an endpoint's typed input, with the zod schemas that all endpoints share. Must not read bytes.
 *
 * @module
 */
import type { Context } from "hono";
import * as z from "zod";
import { readCode } from "../../auth/credentials/mail_codes.ts";
import type { MailProof } from "../../auth/credentials/mail_tokens.ts";
import type { RequestEnv } from "./answers.ts";
import { readFields } from "./body.ts";
import { RequestError } from "./errors.ts";

/** Reads the input from the body. Unknown fields are ignored (S13). Throws `invalid_field` and as `readFields`. */
export async function readInput<S extends z.ZodType>(c: Context<RequestEnv>, schema: S): Promise<z.output<S>> {
  const fields = await readFields(c.req, c.var.bodyDeadline);
  return parse(schema, Object.fromEntries(fields));
}

/** Reads the input from the query. As in a body, each name may come only once (S15). Throws `invalid_field`. */
export function readQuery<S extends z.ZodType>(c: Context<RequestEnv>, schema: S): z.output<S> {
  const queries = c.req.queries();
  const doubled = Object.keys(queries).find((name) => queries[name].length > 1);
  if (doubled !== undefined) throw new RequestError("invalid_field", "a parameter is given more than once");
  return parse(schema, c.req.query());
}

/** A token alone, or a code with its address. `name` is the token's field. Throws `invalid_field`. */
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

/** A required text of at most `most` UTF-16 units (V40). Messages do not repeat the value. */
function text(most: number): z.ZodString {
  return z.string({ error: (issue) => issue.input === undefined ? "is missing" : "must be text" })
    .min(1, "is missing")
    .max(most, `is longer than ${most} characters`);
}

/** An e-mail address as typed. A rule decides whether it is valid. */
export const emailField = text(1024);

/** A password as typed. A rule decides whether it is valid. */
export const passwordField = text(4096);

/** A one-time token as sent. */
export const tokenField = text(256);

/** A password that proves who the user is. A missing one counts as a wrong one. */
export const passwordProofField = z.string("must be text").max(4096, "is longer than 4096 characters").default("");

/**
 * A code as typed or pasted, read as eight digits. Anything else is refused here, before a rule counts it as a try.
 */
export const codeField = text(100).transform((typed, context) => {
  const code = readCode(typed);
  if (code === undefined) context.addIssue({ code: "custom", message: "must have 8 digits" });
  return code ?? z.NEVER;
});
