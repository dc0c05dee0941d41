/**
 * `/login`, `/logout` and `/logout/done`: logs in, sends the browser to its return address, and logs out.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import { logOutAction, signInAction } from "../api/sessions.ts";
import { namesHtml } from "../http/accept.ts";
import { redirect, type RequestEnv } from "../http/answers.ts";
import { signedIn, type SignedInCookies, signedOut } from "../http/cookies.ts";
import { statusOf } from "../http/errors.ts";
import { form } from "./kit/action_form.ts";
import type { Fault } from "./kit/faults.ts";
import { EmailField, PasswordField } from "./kit/fields.tsx";
import { Done, Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import { clearReturnCookie } from "./kit/return_cookie.ts";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET` and `POST /login`. */
export function loginPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, (view) => {
      // `again` makes a signed-in user enter the password once more, for example before the export.
      const signedIn = view.given("again") === "" && view.user;
      return signedIn ? redirect(view.c, view.returnTo ?? "/account") : loginPage(view);
    }),
  );

  app.post(
    "/",
    form(site, signInAction, {
      required: () => ["email", "password"],
      done: signedInPage,
      // What no hash can hold is a wrong password like any other: nobody learns more.
      again: (view, fault) => loginPage(view, fault.code === "invalid_password" ? wrong(view) : fault),
    }),
  );

  return app;
}

/** Answers a login: sets its cookies, and redirects to the return address or to the account. */
export function signedInPage(view: View, login: SignedInCookies): Response {
  const response = seeOther(view, view.returnTo ?? "/account", ...clearReturnCookie(view));
  return signedIn(view.auth, response, login);
}

/** Handles `POST /logout`, the form for `DELETE /sessions`, and `/logout/done` for browsers. */
export function logoutPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();
  const done = page(site, (view) => view.user ? redirect(view.c, "/account") : loggedOutPage(view));

  app.on(["GET", "DELETE"], "/done", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? done(c) : next());

  app.post(
    "/",
    form(site, logOutAction, {
      done: (view) => signedOut(view.auth, seeOther(view, view.href("/login", { done: "logged_out" }))),
      again: (view, fault) => loginPage(view, fault),
    }),
  );

  return app;
}

function loggedOutPage(view: View): Response {
  const { say } = view;
  const title = say("logout.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("logout.text")}</p>
      <p>
        <a class="button" href={view.href("/login")}>{say("logIn")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, self: "/logout/done" });
}

function wrong(view: View): Fault {
  return { field: "password", text: view.say("error.wrong_credentials"), status: statusOf("wrong_credentials") };
}

function loginPage(view: View, fault?: Fault): Response {
  const { say, returnTo } = view;
  const email = view.given("email");
  const title = say("login.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <Done view={view} />
      <Form view={view} action="/login" fault={fault}>
        <EmailField view={view} fault={fault} focus={email === ""} />
        <PasswordField view={view} fault={fault} name="password" label={say("password")} focus={email !== ""} />
        <p class="beside">
          <a href={view.href("/forgot", { email, return_to: returnTo })}>{say("login.forgot")}</a>
        </p>
        <button type="submit" class="button">{say("logIn")}</button>
      </Form>
      {view.auth.config.signUp === "open" && (
        <p class="below">
          {say("login.new")} <a href={view.href("/register", { return_to: returnTo })}>{say("login.register")}</a>
        </p>
      )}
    </section>
  );
  return show(view, { title, body, self: "/login", fault });
}
