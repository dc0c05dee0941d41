/**
 * Short facts in one line, with points between them. Must not know what they are about.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";

/** The facts that there are; a line breaks between two of them, not inside one that fits. */
export function Facts(...facts: Child[]): JSX.Element {
  const there = facts.filter(Boolean);
  return <p class="faint facts">{there.map((fact, index) => Fact(fact, index < there.length - 1))}</p>;
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
