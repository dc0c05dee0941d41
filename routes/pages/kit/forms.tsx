/**
 * The form around fields with its hidden values, and notices of what was refused or done. Must not know a field.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "./faults.ts";
import { FORM_ID } from "./form_ids.ts";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";
import type { PageWord } from "../words/en.ts";

/** A form of a page. It also sends its id, the language and the return address. */
export function Form(
  { view, action, children, fault, hidden = {}, name }: {
    view: View;
    action: string;
    children?: Child;
    fault?: Fault;
    hidden?: Record<string, string | undefined>;
    name?: string;
  },
): JSX.Element {
  const always = { [FORM_ID]: view.formIds?.id(), lang: view.lang, return_to: view.returnTo };
  const kept = Object.entries({ ...hidden, ...always }).filter(([, value]) => value);
  return (
    <form method="post" action={action} aria-label={name}>
      {kept.map(hiddenField)}
      {fault && fault.field === undefined && <Refusal fault={fault} />}
      {children}
    </form>
  );
}

/** The notice of what is wrong with the whole form. */
export function Refusal({ fault }: { fault: Fault }): JSX.Element {
  return (
    <p class="notice bad" role="alert" tabindex={-1} autofocus>
      {fault.text}
      <HelpLink fault={fault} />
    </p>
  );
}

/** The link that helps, after the message of a fault. */
export function HelpLink({ fault: { link } }: { fault: Fault }): JSX.Element | null {
  return link
    ? (
      <>
        {" "}
        <a href={link.href}>{link.text}</a>
      </>
    )
    : null;
}

function hiddenField([name, value]: [string, string | undefined]): JSX.Element {
  return <input type="hidden" name={name} value={value} />;
}

/** Notices that are no success. */
const NEUTRAL: readonly PageWord[] = ["done.ended", "done.unsaved", "done.fresh"];

/** Shows what was done before this page, as the parameter `done` says. Shows nothing for an unknown value. */
export function Done({ view }: { view: View }): JSX.Element | null {
  const word = `done.${view.c.req.method === "GET" ? view.given("done") : ""}`;
  if (!isWord(word)) return null;
  return <p class={NEUTRAL.includes(word) ? "notice" : "notice good"} role="status">{view.say(word)}</p>;
}
