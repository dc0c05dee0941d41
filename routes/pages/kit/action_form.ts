/**
 * The HTML form of an action. It has the input and the rule of the JSON route, and answers with a page instead of a
 * status and a code. Must not show anything itself.
 *
 * @module
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Action } from "../../http/action.ts";
import type { RequestEnv } from "../../http/answers.ts";
import type { PageWord } from "../words/en.ts";
import { type Fault, faultOf, missing } from "./faults.ts";
import { page } from "./page.tsx";
import type { Site } from "./site.ts";
import type { View } from "./view.ts";

/** How a form shows its action. */
interface FormOf<S extends z.ZodObject, R> {
  /** The names of the fields that must be filled in. */
  required?: (view: View) => string[];
  /** The action's input, if the form names its fields differently. Default: every field under its own name. */
  input?: (view: View) => Record<string, string | undefined>;
  /** The message when a field is invalid by itself. Default: see {@linkcode wrongField}. */
  wrong?: { field: string; word: PageWord };
  done: (view: View, result: R, input: z.output<S>) => Promise<Response> | Response;
  /** Shows the form again, with its fault. */
  again: (view: View, fault: Fault) => Promise<Response> | Response;
}

/** The handler of a form: checks for missing fields, runs the action, and shows the result or the form again. */
export function form<S extends z.ZodObject, R, U>(
  site: Site,
  action: Action<S, R, U>,
  options: FormOf<S, R>,
): (c: Context<RequestEnv>) => Promise<Response> {
  return page(site, async (view) => {
    const user = await action.userOf(() => Promise.resolve(view.user));
    const fault = missing(view, ...options.required?.(view) ?? []);
    if (fault) return await options.again(view, fault);
    const parsed = action.input.safeParse((options.input ?? inputOf(action.input))(view));
    if (!parsed.success) {
      const { field, word } = options.wrong ?? wrongField(String(parsed.error.issues[0].path[0]));
      return await options.again(view, { field, text: view.say(word), status: 400 });
    }
    try {
      const result = await action.work({ auth: view.auth, caller: view.caller, user }, parsed.data);
      return await options.done(view, result, parsed.data);
    } catch (error) {
      return await options.again(view, faultOf(view, error, action.fields));
    }
  });
}

/** The message about a field that is invalid by itself. A code must be eight digits; all others can only be too long. */
function wrongField(field: string): { field: string; word: PageWord } {
  return { field, word: field === "code" ? "error.no_code" : "error.too_long" };
}

/** An empty field of a form counts as absent. */
function inputOf(schema: z.ZodObject): (view: View) => Record<string, string | undefined> {
  return (view) => Object.fromEntries(Object.keys(schema.shape).map((name) => [name, view.given(name) || undefined]));
}
