/**
 * What stands around fields: the form with what travels along, and notices of what was refused or done. Must not know a
 * field.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "./faults.ts";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";
import type { PageWord } from "../words/en.ts";

/** A form of a page; language and way back travel along. */
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
  const kept = Object.entries({ ...hidden, lang: view.lang, return_to: view.returnTo }).filter(([, value]) => value);
  return (
    <form method="post" action={action} aria-label={name}>
      {kept.map(hiddenField)}
      {fault && fault.field === undefined && <Refusal fault={fault} />}
      {children}
    </form>
  );
}

/** What is wrong with a form as a whole. */
export function Refusal({ fault }: { fault: Fault }): JSX.Element {
  return (
    <p class="notice bad" role="alert" tabindex={-1} autofocus>
      {fault.text}
      <WayOut fault={fault} />
    </p>
  );
}

/** What helps, behind a sentence about a fault. */
export function WayOut({ fault: { link } }: { fault: Fault }): JSX.Element | null {
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

/** What is no success. */
const ENDED: readonly PageWord[] = ["done.ended", "done.unsaved", "done.fresh"];

/** Says what was done before this page, by the word that stands in `done`; other words say nothing. */
export function Done({ view }: { view: View }): JSX.Element | null {
  const word = `done.${view.c.req.method === "GET" ? view.given("done") : ""}`;
  if (!isWord(word)) return null;
  return <p class={ENDED.includes(word) ? "notice" : "notice good"} role="status">{view.say(word)}</p>;
}
