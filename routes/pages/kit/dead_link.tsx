/**
 * What a person reads who opens a link that does not work any more, and what to do next.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import { show } from "./page.tsx";
import type { View } from "./view.ts";
import type { PageWord } from "../words/en.ts";

/** The page for a used, old or broken link; what helps stands in it. */
export function deadLink(view: View, self: string, word: PageWord, help: Child): Response {
  const { say } = view;
  const whole = view.given("token") !== "";
  const title = say(whole ? "dead.title" : "dead.missingTitle");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say(whole ? "dead.text" : "dead.missing")}</p>
      <p>{say(word)}</p>
      {help}
    </section>
  );
  // 403 as for programs: the token is wrong, used or too old.
  return show(view, { title, body, self, status: whole ? 403 : 200 });
}
