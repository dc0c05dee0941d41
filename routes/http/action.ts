/**
 * An action is something that a person can do. It has an input, a rule, and a form field for each refusal. The JSON
 * route and the form of the page use the same action. Must not know how a result is shown.
 *
 * @module
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import type { Caller } from "../../auth/caller.ts";
import type { AuthErrorCode } from "../../auth/errors.ts";
import { getUserFromSessionId, noSession, type SignedIn } from "../../auth/sign_in/current_user.ts";
import type { RequestEnv } from "./answers.ts";
import { callerOf } from "./caller.ts";
import type { ErrorCode } from "./errors.ts";
import { readInput } from "./input.ts";

/** Looks up the user who is signed in. */
type FindUser = () => Promise<SignedIn | undefined>;

/** What an action knows about its request. */
interface ActionContext<U> {
  auth: Auth;
  caller: Caller;
  /** Looked up once for the request. */
  user: U;
}

/** The part of an {@linkcode Action} that its author writes. */
interface ActionDefinition<S extends z.ZodObject, R, U> {
  /** One line for `/docs`. */
  summary: string;
  /** Further facts for `/docs`. */
  text?: string;
  /** The fields of the JSON route and of the form. */
  input: S;
  work(context: ActionContext<U>, input: z.output<S>): Promise<R>;
  /** The field at which a form shows each refusal. */
  fields?: Partial<Record<AuthErrorCode, string>>;
  /** The codes that `work` throws. */
  errors: readonly ErrorCode[];
  /** Further codes of the local profile. In public they would tell strangers who has an account. */
  localErrors?: readonly ErrorCode[];
}

/** Something that a person can do, by a JSON route or by a form. */
export interface Action<S extends z.ZodObject, R, U> extends ActionDefinition<S, R, U> {
  /** True when it needs a session, "read" when it only uses one that exists. */
  session: true | "read" | undefined;
  /** The user for `work`. `find` looks up who is signed in. Throws `no_session`. */
  userOf(find: FindUser): Promise<U> | U;
}

/** Defines an action for everybody. */
export function action<S extends z.ZodObject, R>(
  definition: ActionDefinition<S, R, undefined>,
): Action<S, R, undefined> {
  return { ...definition, session: undefined, userOf: () => undefined };
}

/** Defines an action for a signed-in user. */
export function userAction<S extends z.ZodObject, R>(
  definition: ActionDefinition<S, R, SignedIn>,
): Action<S, R, SignedIn> {
  return {
    ...definition,
    session: true,
    userOf: async (find) => {
      const found = await find();
      if (!found) throw noSession();
      return found;
    },
  };
}

/** Defines an action for everybody that looks up the signed-in user only if it needs one. */
export function anyUserAction<S extends z.ZodObject, R>(
  definition: ActionDefinition<S, R, FindUser>,
): Action<S, R, FindUser> {
  return { ...definition, session: "read", userOf: (find) => find };
}

/**
 * The handler of a JSON route. It checks the user first: without a session the answer is `no_session`, whatever else is
 * wrong.
 */
export function answers<S extends z.ZodObject, R, U>(
  auth: Auth,
  action: Action<S, R, U>,
  respond: (c: Context<RequestEnv>, result: R, input: z.output<S>, context: ActionContext<U>) => Response,
  read: (c: Context<RequestEnv>) => Promise<z.output<S>> | z.output<S> = (c) => readInput(c, action.input),
): (c: Context<RequestEnv>) => Promise<Response> {
  return async (c) => {
    const caller = callerOf(auth, c);
    const user = await action.userOf(() => getUserFromSessionId(auth, caller.session));
    const context = { auth, caller, user };
    const input = await read(c);
    return respond(c, await action.work(context, input), input, context);
  };
}
