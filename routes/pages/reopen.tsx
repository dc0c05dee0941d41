/**
 * `/reopen`: reopens a closed account by the link of its mail. Opening the link changes nothing. The form posts to
 * `/reopen/confirm`, because `POST /reopen` is for programs.
 *
 * @module
 */
import { Hono } from "hono";
import { isLive } from "../../auth/credentials/mail_tokens.ts";
import { reopenAccountAction } from "../api/reopen.ts";
import type { RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import { deadLink } from "./kit/dead_link.tsx";
import { Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET /reopen` and `POST /reopen/confirm`. */
export function reopenPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      const token = view.given("token");
      return await isLive(view.auth, ["reopen"], token) ? reopenPage(view, token) : deadLinkPage(view);
    }),
  );

  app.get("/confirm", page(site, (view) => seeOther(view, view.href("/reopen"))));

  app.post(
    "/confirm",
    form(site, reopenAccountAction, {
      input: (view) => ({ reopen_token: view.given("token") }),
      next: (view) => view.href("/login", { done: "reopened" }),
      done: (view, email) => seeOther(view, view.href("/login", { done: "reopened", email })),
      again: deadLinkPage,
    }),
  );

  return app;
}

function reopenPage(view: View, token: string): Response {
  const { say } = view;
  const title = say("reopen.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("reopen.text")}</p>
      <Form view={view} action="/reopen/confirm" hidden={{ token }}>
        <button type="submit" class="button">{say("reopen.action")}</button>
      </Form>
    </section>
  );
  return show(view, { title, body, self: "/reopen" });
}

function deadLinkPage(view: View): Response {
  const help = (
    <p>
      <a class="button" href={view.href("/login")}>{view.say("logIn")}</a>
    </p>
  );
  return deadLink(view, "/reopen", "dead.reopen", help);
}
