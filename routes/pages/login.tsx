/**
 * `/login` and `/logout`: in, to where one came from, and out.
 *
 * @module
 */
import { Hono } from "hono";
import { logIn } from "../../auth/sign_in/sign_in.ts";
import { destroySession, getUserFromSessionId } from "../../auth/sign_in/sessions.ts";
import { redirect, type RequestEnv } from "../http/answers.ts";
import { clearSessionCookie, setDeviceCookie, setSessionCookie } from "../http/cookies.ts";
import { type Fault, faultOf, missing } from "./kit/faults.ts";
import { EmailField, PasswordField } from "./kit/fields.tsx";
import { Done, Form } from "./kit/forms.tsx";
import { goOn, page, show } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";
import { clearReturnCookie } from "./kit/return_cookie.ts";

/**
 * `GET` and `POST /login`.
 *
 * @internal
 */
export function loginPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      // `again` asks somebody who is logged in for the password, as the export does.
      const user = view.given("again") === "" && await getUserFromSessionId(view.auth, view.caller.session);
      return user ? redirect(view.c, view.returnTo ?? "/account") : loginPage(view);
    }),
  );

  app.post(
    "/",
    page(site, async (view) => {
      const fault = missing(view, "email", "password");
      if (fault) return loginPage(view, fault);
      try {
        const login = await logIn(view.auth, view.given("email"), view.given("password"), view.caller);
        const cookies = [
          setSessionCookie(view.auth, login),
          setDeviceCookie(view.auth, login.device),
          ...clearReturnCookie(view),
        ];
        return goOn(view, view.returnTo ?? "/account", ...cookies);
      } catch (error) {
        const fields = { wrong_credentials: "password", invalid_password: "password" };
        const fault = faultOf(view, error, fields);
        // What cannot be a password is a wrong one here: nobody learns more.
        return loginPage(view, fault.field === "password" ? wrong(view) : fault);
      }
    }),
  );

  return app;
}

/**
 * `POST /logout`: a form's way to `DELETE /sessions`.
 *
 * @internal
 */
export function logoutPages(site: Site): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post(
    "/",
    page(site, async (view) => {
      await destroySession(view.auth, view.caller.session, view.caller);
      const response = goOn(view, view.href("/login", { done: "logged_out" }), clearSessionCookie(view.auth));
      // Only storage: clearing all cookies would make this a strange device (S43).
      response.headers.set("clear-site-data", '"storage"');
      return response;
    }),
  );
}

function wrong(view: View): Fault {
  return { field: "password", text: view.say("error.wrong_credentials"), status: 401 };
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
