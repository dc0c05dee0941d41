/**
 * What a person reads when something went wrong, and what to do next. Must not say more than the code does.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";

/** Codes after which trying the same again may help. */
const PASSING = ["overloaded", "database_unavailable", "internal_error"];

/** The page of an error's code. */
export function ErrorPage(view: View, code: string): { title: string; body: Child } {
  const { say } = view;
  // To a person a path that takes no GET is as good as none.
  const lost = code === "not_found" || code === "method_not_allowed";
  const word = lost ? "error.not_found" : `error.${code}`;
  const title = say(lost ? "error.lostTitle" : "error.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say(isWord(word) ? word : "error.invalid_body")}</p>
      {code === "internal_error" && (
        <p class="faint">
          {say("error.id")} <code>{view.c.var.requestId}</code>
        </p>
      )}
      {PASSING.includes(code) && view.c.req.method === "GET" && (
        <p>
          <a class="button" href="">{say("error.retry")}</a>
        </p>
      )}
      <p>
        <a class="button plain" href="/account">{say("error.home")}</a>
      </p>
    </section>
  );
  return { title, body };
}
