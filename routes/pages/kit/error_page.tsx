/**
 * The page for an error. It says what to do next. Must not say more than the error code does.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { View } from "./view.ts";
import { isWord } from "./words.ts";

/** Codes after which a retry may help. */
const RETRYABLE = ["overloaded", "database_unavailable", "internal_error"];

/** The title and the content of the page for an error code. */
export function ErrorPage(view: View, code: string): { title: string; body: Child } {
  const { say } = view;
  // For a person, a path without GET does not exist.
  const isMissing = code === "not_found" || code === "method_not_allowed";
  const word = isMissing ? "error.not_found" : `error.${code}`;
  const title = say(isMissing ? "error.lostTitle" : "error.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say(isWord(word) ? word : "error.invalid_body")}</p>
      {code === "internal_error" && (
        <p class="faint">
          {say("error.id")} <code>{view.c.var.requestId}</code>
        </p>
      )}
      {RETRYABLE.includes(code) && view.c.req.method === "GET" && (
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
