/**
 * `/forgot`: requests the mail that resets a password. In public the next page is the same for every address (S16).
 * Locally the browser goes to the reset at once, because `POST /reset_password` returns the token there.
 *
 * @module
 */
import { Hono } from "hono";
import { requestResetAction } from "../api/reset_password.ts";
import type { RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import type { Fault } from "./kit/faults.ts";
import { EmailField } from "./kit/fields.tsx";
import { Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import { setReturnCookie } from "./kit/return_cookie.ts";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET` and `POST /forgot`. */
export function forgotPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get("/", page(site, (view) => forgotPage(view)));

  app.post(
    "/",
    form(site, requestResetAction, {
      required: () => ["email"],
      // A token is a secret, so a second copy gets one of its own.
      word: (token) => token === undefined ? "asked" : undefined,
      next: askedPlace,
      done: (view, token) => {
        if (token !== undefined) return seeOther(view, view.href("/reset", { token, return_to: view.returnTo }));
        return seeOther(view, askedPlace(view), ...setReturnCookie(view));
      },
      again: forgotPage,
    }),
  );

  return app;
}

function askedPlace(view: View): string {
  const done = view.given("again") === "" ? undefined : "resent";
  return view.href("/reset", { email: view.given("email"), done, return_to: view.returnTo });
}

function forgotPage(view: View, fault?: Fault): Response {
  const { say } = view;
  const title = say("forgot.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("forgot.text")}</p>
      <Form view={view} action="/forgot" fault={fault}>
        <EmailField view={view} fault={fault} focus />
        <button type="submit" class="button">{say("forgot.action")}</button>
      </Form>
      <p class="below">
        <a href={view.href("/login", { return_to: view.returnTo })}>{say("forgot.back")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/forgot", fault });
}
