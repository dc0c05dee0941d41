/**
 * `/register`: registers a user. In public the next page is the same with and without an account (S16). Locally the
 * account exists at once.
 *
 * @module
 */
import { Hono } from "hono";
import { signInAction } from "../api/sessions.ts";
import { registerAction } from "../api/users.ts";
import { redirect, type RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import type { Fault } from "./kit/faults.ts";
import { EmailField, PasswordField } from "./kit/fields.tsx";
import { Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import { setReturnCookie } from "./kit/return_cookie.ts";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";
import { signedInPage } from "./login.tsx";

/** Handles `GET` and `POST /register`. */
export function registerPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, (view) => {
      if (view.user) return redirect(view.c, view.returnTo ?? "/account");
      return view.auth.config.signUp === "open" ? registerPage(view) : closedPage(view);
    }),
  );

  app.post(
    "/",
    form(site, registerAction, {
      required: () => ["email", "password"],
      word: (user) => user ? "made" : "asked",
      next: (view, word) => {
        if (word === "asked") return askedPlace(view);
        if (view.user) return view.returnTo ?? "/account";
        return view.href("/login", { done: "registered", email: view.given("email"), return_to: view.returnTo });
      },
      done: async (view, user, { email, password }) => {
        if (!user) return seeOther(view, askedPlace(view), ...setReturnCookie(view));
        const context = { auth: view.auth, caller: view.caller, user: undefined };
        return signedInPage(view, await signInAction.work(context, { email, password }));
      },
      again: registerPage,
    }),
  );

  return app;
}

function askedPlace(view: View): string {
  return view.href("/verify", { email: view.given("email"), return_to: view.returnTo });
}

function registerPage(view: View, fault?: Fault): Response {
  const { say, returnTo } = view;
  const title = say("register.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <Form view={view} action="/register" fault={fault}>
        <EmailField view={view} fault={fault} focus />
        <PasswordField view={view} fault={fault} name="password" label={say("password")} fresh />
        <button type="submit" class="button">{say("register.action")}</button>
      </Form>
      <p class="below">
        {say("register.have")} <a href={view.href("/login", { return_to: returnTo })}>{say("logIn")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/register", fault });
}

function closedPage(view: View): Response {
  const { say } = view;
  const title = say("register.closed");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("register.closedText")}</p>
      <p>
        <a class="button" href={view.href("/login")}>{say("logIn")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/register", status: 403 });
}
