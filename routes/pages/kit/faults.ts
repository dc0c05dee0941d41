/**
 * What is wrong with a form: the message, and the field. Must not repeat what was typed.
 *
 * @module
 */
import { AuthError, type AuthErrorCode } from "../../../auth/errors.ts";
import { waitText } from "../../../auth/text.ts";
import { statusOf } from "../../http/errors.ts";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";

/** A message about a field. Without a field it is about the whole form. */
export interface Fault {
  field?: string;
  /** In the reader's language. */
  text: string;
  /** The status of the answer. */
  status: number;
  /** The code of the rule that refused. */
  code?: AuthErrorCode;
  /** Seconds until a retry can help, if that is known. */
  retryAfter?: number;
  /** The faults of further fields. */
  more?: FieldFault[];
  /** A page that helps. */
  link?: { href: string; text: string };
}

interface FieldFault {
  field: string;
  text: string;
}

/** The form field of each code. */
type FaultFields = Partial<Record<AuthErrorCode, string>>;

/** Longest value of any field, in UTF-16 units, as for programs (V40). */
const MOST = 4_096;

/** Codes that are not about the form. They have their own page. */
const PAGE_ERRORS: AuthErrorCode[] = ["client_gone", "database_unavailable", "no_session"];

/** All fields that are empty or too long, as one fault about the first of them. Undefined when there are none. */
export function missing(view: View, ...fields: string[]): Fault | undefined {
  const faults = fields.flatMap((field): FieldFault[] => {
    const { length } = view.given(field);
    if (length > 0 && length <= MOST) return [];
    return [{ field, text: view.say(length === 0 ? "error.missing" : "error.too_long") }];
  });
  const [first, ...more] = faults;
  return first && { ...first, status: 400, more };
}

/** The message for this field, if it has one. */
export function faultAt(fault: Fault | undefined, field: string): string | undefined {
  return fault?.field === field ? fault.text : fault?.more?.find((each) => each.field === field)?.text;
}

/**
 * Turns a rule's refusal into a fault, with the message for its code, reason and field. Throws the error again when it
 * is not about a form.
 */
export function faultOf(view: View, error: unknown, fields: FaultFields = {}): Fault {
  if (!(error instanceof AuthError) || PAGE_ERRORS.includes(error.code)) throw error;
  const { code, reason } = error;
  const word = [`error.${code}.${reason}`, `error.${code}.${fields[code]}`, `error.${code}`].find(isWord);
  const values = { count: view.auth.config.passwordMinLength, when: waitText(error.retryAfter ?? 60, view.locale) };
  return {
    field: fields[code],
    text: view.say(word ?? "error.title", values),
    status: statusOf(code),
    code,
    retryAfter: error.retryAfter,
    link: helpLink(view, code),
  };
}

function helpLink(view: View, code: AuthErrorCode): Fault["link"] {
  const known = { email: view.given("email"), return_to: view.returnTo };
  if (code === "throttled") return { href: view.href("/forgot", known), text: view.say("error.throttled.link") };
  if (code === "login_required") {
    return { href: view.href("/login", { again: "yes", return_to: "/account" }), text: view.say("logIn") };
  }
  return code === "email_taken" ? { href: view.href("/login", known), text: view.say("logIn") } : undefined;
}
