/**
 * The HTML form of an action. It has the input and the rule of the JSON route, and answers with a page instead of a
 * status and a code. A second copy of a form runs nothing: it leads to where the first one led. Must not show anything
 * itself.
 *
 * @module
 */
import type { Context } from "hono";
import type * as z from "zod";
import { beginFormPost, endFormPost } from "../../../auth/limits/form_posts.ts";
import type { Action } from "../../http/action.ts";
import type { RequestEnv } from "../../http/answers.ts";
import type { PageWord } from "../words/en.ts";
import { type Fault, faultOf, missing } from "./faults.ts";
import { postOf } from "./form_ids.ts";
import { page, seeOther } from "./page.tsx";
import type { Site } from "./site.ts";
import { type View, withUser } from "./view.ts";

/** How a form shows its action. */
interface FormOf<S extends z.ZodObject, R> {
  /** The names of the fields that must be filled in. */
  required?: (view: View) => string[];
  /** The action's input, if the form names its fields differently. Default: every field under its own name. */
  input?: (view: View) => Record<string, string | undefined>;
  /** The message when a field is invalid by itself. Default: see {@linkcode wrongField}. */
  wrong?: { field: string; word: PageWord };
  /** Shows the form again, with its fault. */
  again: (view: View, fault: Fault) => Promise<Response> | Response;
}

/** The answer of the first copy, with its cookies. */
type Done<S extends z.ZodObject, R> = (view: View, result: R, input: z.output<S>) => Promise<Response> | Response;

/**
 * Where a result leads. `next` gets the view of the copy that asks, whose session may have ended by the first copy. It
 * also gets the result's word: all that is stored of a result, so it must be no secret and name nobody. Default: "done".
 * Undefined: no copy can be told of this result, so each runs by itself.
 */
interface Told<S extends z.ZodObject, R> {
  word?: (result: R) => string | undefined;
  next: (view: View, word: string) => string;
  /** Default: a redirect to `next`. */
  done?: Done<S, R>;
}

/** For a form that may run twice. Its result is a cookie, which no second copy may get: each copy earns its own. */
interface Untold<S extends z.ZodObject, R> {
  next?: undefined;
  done: Done<S, R>;
}

/**
 * The handler of a form: checks for missing fields, runs the action, and shows the result or the form again. Copies of
 * one form run once, in whatever process, and all of them lead to the result.
 */
export function form<S extends z.ZodObject, R, U>(
  site: Site,
  action: Action<S, R, U>,
  options: FormOf<S, R> & (Told<S, R> | Untold<S, R>),
): (c: Context<RequestEnv>) => Promise<Response> {
  const { next } = options;
  return page(site, async (view) => {
    const post = next && await postOf(view);
    if (post === undefined) return (await run(view, action, options)).response;
    const told = await beginFormPost(view.auth, post, view.caller.signal);
    // The first copy may have ended the session that this one was sent with.
    if (told !== undefined) return seeOther(view, next!(await withUser(view), told));
    let word: string | undefined;
    try {
      const done = await run(view, action, options);
      word = done.word;
      return done.response;
    } finally {
      await endFormPost(view.auth, post, word);
    }
  });
}

/** Runs the action once. A refusal has no word. */
async function run<S extends z.ZodObject, R, U>(
  view: View,
  action: Action<S, R, U>,
  options: FormOf<S, R> & (Told<S, R> | Untold<S, R>),
): Promise<{ response: Response; word?: string }> {
  const user = await action.userOf(() => Promise.resolve(view.user));
  const fault = missing(view, ...options.required?.(view) ?? []);
  if (fault) return { response: await options.again(view, fault) };
  const parsed = action.input.safeParse((options.input ?? inputOf(action.input))(view));
  if (!parsed.success) {
    const { field, word } = options.wrong ?? wrongField(String(parsed.error.issues[0].path[0]));
    return { response: await options.again(view, { field, text: view.say(word), status: 400 }) };
  }
  try {
    const result = await action.work({ auth: view.auth, caller: view.caller, user }, parsed.data);
    if (!options.next) return { response: await options.done(view, result, parsed.data) };
    const word = options.word ? options.word(result) : "done";
    const response = options.done
      ? await options.done(view, result, parsed.data)
      : seeOther(view, options.next(view, word ?? ""));
    return { response, word };
  } catch (error) {
    return { response: await options.again(view, faultOf(view, error, action.fields)) };
  }
}

/** The message about a field that is invalid by itself. A code must be eight digits; all others can only be too long. */
function wrongField(field: string): { field: string; word: PageWord } {
  return { field, word: field === "code" ? "error.no_code" : "error.too_long" };
}

/** An empty field of a form counts as absent. */
function inputOf(schema: z.ZodObject): (view: View) => Record<string, string | undefined> {
  return (view) => Object.fromEntries(Object.keys(schema.shape).map((name) => [name, view.given(name) || undefined]));
}
