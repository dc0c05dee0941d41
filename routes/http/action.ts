/**
 * An action is something that a person can do: its input, its rule, and the field to which each refusal belongs. The JSON
 * route and the page's form use the same one. Must not know how a result is shown.
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

/** Who asks. */
export interface Ask<U> {
  auth: Auth;
  caller: Caller;
  /** The user who is signed in, looked up once for the request. */
  user: U;
}

/** What is said of an action; see {@linkcode Action}. */
export interface Described<S extends z.ZodObject, R, U> {
  /** One line for `/docs`. */
  summary: string;
  /** What else a caller must know. */
  text?: string;
  /** The fields, also of the form. */
  input: S;
  /** The rule. */
  work(ask: Ask<U>, input: z.output<S>): Promise<R>;
  /** The field at which a form shows a refusal. */
  fields?: Partial<Record<AuthErrorCode, string>>;
  /** The codes with which the rule refuses. */
  errors: readonly ErrorCode[];
  /** Codes of the local profile alone, since they would tell strangers who has an account. */
  localErrors?: readonly ErrorCode[];
}

/** Something that a person can do. */
export interface Action<S extends z.ZodObject, R, U> extends Described<S, R, U> {
  /** Whether it needs the session, or reads it where there is one. */
  session: true | "read" | undefined;
  /** The user as the rule gets it, out of the one that was found. Throws `no_session`. */
  userOf(found: SignedIn | undefined): U;
}

/** An action for everybody. */
export function action<S extends z.ZodObject, R>(described: Described<S, R, undefined>): Action<S, R, undefined> {
  return { ...described, session: undefined, userOf: () => undefined };
}

/** An action for a user who is signed in. */
export function userAction<S extends z.ZodObject, R>(described: Described<S, R, SignedIn>): Action<S, R, SignedIn> {
  return {
    ...described,
    session: true,
    userOf: (found) => {
      if (!found) throw noSession();
      return found;
    },
  };
}

/** An action for everybody that looks who is signed in. */
export function anyUserAction<S extends z.ZodObject, R>(
  described: Described<S, R, SignedIn | undefined>,
): Action<S, R, SignedIn | undefined> {
  return { ...described, session: "read", userOf: (found) => found };
}

/**
 * The handler of a JSON route: looks up who asks, reads the input, does the action, and answers. The user comes first:
 * who is not signed in is told so whatever else is wrong.
 */
export function answers<S extends z.ZodObject, R, U>(
  auth: Auth,
  action: Action<S, R, U>,
  respond: (c: Context<RequestEnv>, result: R, input: z.output<S>, ask: Ask<U>) => Response,
  read: (c: Context<RequestEnv>) => Promise<z.output<S>> | z.output<S> = (c) => readInput(c, action.input),
): (c: Context<RequestEnv>) => Promise<Response> {
  return async (c) => {
    const caller = callerOf(auth, c);
    const found = action.session === undefined ? undefined : await getUserFromSessionId(auth, caller.session);
    const ask = { auth, caller, user: action.userOf(found) };
    const input = await read(c);
    return respond(c, await action.work(ask, input), input, ask);
  };
}
