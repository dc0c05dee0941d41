/**
 * Short facts in one line, with dots between them. Must not know what they are about.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";

/** Shows the facts that are not empty. A line breaks between two facts, not inside one that fits. */
export function Facts(...facts: Child[]): JSX.Element {
  const shown = facts.filter(Boolean);
  return <p class="faint facts">{shown.map((fact, index) => Fact(fact, index < shown.length - 1))}</p>;
}

function Fact(fact: Child, more: boolean): JSX.Element {
  return (
    <>
      <span>
        {fact}
        {more && " ·"}
      </span>
      {" "}
    </>
  );
}
