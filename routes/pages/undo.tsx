/**
 * `/undo`: undoes a change that the user did not make, by the link of its mail. Opening the link changes nothing. The
 * form posts to `/undo/confirm`, because `POST /undo` is for programs.
 *
 * @module
 */
import { Hono } from "hono";
import { undoNeedsPassword } from "../../auth/account/undo_change.ts";
import { AuthError } from "../../auth/errors.ts";
import { undoChangeAction } from "../api/undo.ts";
import type { RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import { deadLink } from "./kit/dead_link.tsx";
import type { Fault } from "./kit/faults.ts";
import { PasswordField } from "./kit/fields.tsx";
import { Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET /undo` and `POST /undo/confirm`. */
export function undoPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      const done = view.given("done");
      return done === "restored" || done === "kept" ? donePage(view, done) : await undoPage(view);
    }),
  );

  app.get("/confirm", page(site, (view) => seeOther(view, view.href("/undo"))));

  app.post(
    "/confirm",
    form(site, undoChangeAction, {
      input: (view) => ({ undo_token: view.given("token"), password: view.given("password") }),
      word: ({ restored }) => restored ? "restored" : "kept",
      next: (view, done) => view.href("/undo", { done }),
      again: undoPage,
    }),
  );

  return app;
}

async function undoPage(view: View, fault?: Fault): Promise<Response> {
  const { say } = view;
  const token = view.given("token");
  const needsPassword = await undoNeedsPassword(view.auth, token).catch((error) => {
    if (error instanceof AuthError && error.code === "invalid_token") return undefined;
    throw error;
  });
  if (needsPassword === undefined) return deadLinkPage(view);
  const title = say("undo.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("undo.text")}</p>
      <Form view={view} action="/undo/confirm" fault={fault} hidden={{ token }}>
        {needsPassword && <p>{say("undo.passwordText")}</p>}
        {needsPassword && (
          <PasswordField
            view={view}
            fault={fault}
            name="password"
            label={say("undo.password")}
            hint={say("undo.passwordHint")}
            focus
            optional
          />
        )}
        <button type="submit" class="button">{say("undo.action")}</button>
      </Form>
      <p class="below">
        <a href="/account">{say("undo.cancel")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/undo", fault });
}

function donePage(view: View, done: "restored" | "kept"): Response {
  const { say } = view;
  const title = say("undo.doneTitle");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p role="status">{say(`undo.done.${done}`)}</p>
      <p>
        <a class="button" href={view.href("/reset")}>{say("undo.next")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/undo" });
}

function deadLinkPage(view: View): Response {
  const help = (
    <p>
      <a class="button" href={view.href("/forgot")}>{view.say("dead.undoAction")}</a>
    </p>
  );
  return deadLink(view, "/undo", "dead.undo", help);
}
