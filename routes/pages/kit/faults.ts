/**
 * What is wrong with a form: which sentence, at which field. Must not repeat what was typed.
 *
 * @module
 */
import { AuthError, type AuthErrorCode } from "../../../auth/errors.ts";
import type { Locale } from "../../../auth/languages.ts";
import { statusOf } from "../../http/errors.ts";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";

/** A sentence, and the name of the field that it is about; without one it is about the whole form. */
export interface Fault {
  /** The field. */
  field?: string;
  /** The sentence in the reader's language. */
  text: string;
  /** The status of the answer. */
  status: number;
  /** Seconds after which to try again, where that is known. */
  retryAfter?: number;
  /** What else is wrong, at further fields. */
  more?: FieldFault[];
  /** The way out, where there is one. */
  link?: { href: string; text: string };
}

/** A sentence about one field. */
export interface FieldFault {
  /** The field. */
  field: string;
  /** The sentence. */
  text: string;
}

/** The fields to which codes belong on a page. */
export type FaultFields = Partial<Record<AuthErrorCode, string>>;

/** Longest input of any field, in UTF-16 units, as for programs (V40). */
const MOST = 4_096;

/** Codes that are not about the form: they have a page of their own. */
const ELSEWHERE: AuthErrorCode[] = ["client_gone", "database_unavailable", "no_session"];

/** All fields that are empty or too long, as one fault about the first of them; undefined when all are there. */
export function missing(view: View, ...fields: string[]): Fault | undefined {
  const faults = fields.flatMap((field): FieldFault[] => {
    const { length } = view.given(field);
    if (length > 0 && length <= MOST) return [];
    return [{ field, text: view.say(length === 0 ? "error.missing" : "error.too_long") }];
  });
  const [first, ...more] = faults;
  return first && { ...first, status: 400, more };
}

/** What is wrong at this field, if anything is. */
export function faultAt(fault: Fault | undefined, field: string): string | undefined {
  return fault?.field === field ? fault.text : fault?.more?.find((each) => each.field === field)?.text;
}

/**
 * What a rule's refusal means for a form, and for the field to which it belongs: a code has words of its own. Throws the
 * error again when it is not about a form.
 */
export function faultOf(view: View, error: unknown, fields: FaultFields = {}): Fault {
  if (!(error instanceof AuthError) || ELSEWHERE.includes(error.code)) throw error;
  const { code, reason } = error;
  const word = [`error.${code}.${reason}`, `error.${code}.${fields[code]}`, `error.${code}`].find(isWord);
  const values = { count: view.auth.config.passwordMinLength, when: whenOf(error.retryAfter, view.locale) };
  return {
    field: fields[code],
    text: view.say(word ?? "error.title", values),
    status: statusOf(code),
    retryAfter: error.retryAfter,
    link: wayOut(view, code),
  };
}

function wayOut(view: View, code: AuthErrorCode): Fault["link"] {
  const known = { email: view.given("email"), return_to: view.returnTo };
  if (code === "throttled") return { href: view.href("/forgot", known), text: view.say("error.throttled.link") };
  return code === "email_taken" ? { href: view.href("/login", known), text: view.say("logIn") } : undefined;
}

/** "in 15 minutes": never sooner than it is. */
function whenOf(seconds = 60, locale: Locale): string {
  const [amount, unit] = seconds < 60
    ? [seconds, "seconds"] as const
    : seconds < 5_400
    ? [Math.ceil(seconds / 60), "minutes"] as const
    : [Math.ceil(seconds / 3_600), "hours"] as const;
  return new Intl.RelativeTimeFormat(locale).format(amount, unit);
}
