/**
 * The page for a link that no longer works. It says what to do next.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import { show } from "./page.tsx";
import type { View } from "./view.ts";
import type { PageWord } from "../words/en.ts";

/** Answers with the page for a used, old or broken link. `help` shows what to do next. */
export function deadLink(view: View, self: string, word: PageWord, help: Child): Response {
  const { say } = view;
  const hasToken = view.given("token") !== "";
  const title = say(hasToken ? "dead.title" : "dead.missingTitle");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say(hasToken ? "dead.text" : "dead.missing")}</p>
      <p>{say(word)}</p>
      {help}
    </section>
  );
  // 403, as for programs: the token is wrong, used or too old.
  return show(view, { title, body, self, status: hasToken ? 403 : 200 });
}
