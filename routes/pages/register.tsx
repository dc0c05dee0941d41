/**
 * `/register`: signing up. In public the same page follows whoever has an account and whoever has none (S16); locally
 * the account is there at once.
 *
 * @module
 */
import { Hono } from "hono";
import { registerUser } from "../../auth/account/register.ts";
import { getUserFromSessionId } from "../../auth/sign_in/sessions.ts";
import { logIn } from "../../auth/sign_in/sign_in.ts";
import { redirect, type RequestEnv } from "../http/answers.ts";
import { setDeviceCookie, setSessionCookie } from "../http/cookies.ts";
import { type Fault, faultOf, missing } from "./kit/faults.ts";
import { EmailField, PasswordField } from "./kit/fields.tsx";
import { Form } from "./kit/forms.tsx";
import { goOn, page, show } from "./kit/page.tsx";
import { setReturnCookie } from "./kit/return_cookie.ts";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/**
 * `GET` and `POST /register`.
 *
 * @internal
 */
export function registerPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      const user = await getUserFromSessionId(view.auth, view.caller.session);
      if (user) return redirect(view.c, view.returnTo ?? "/account");
      return view.auth.config.signUp === "open" ? registerPage(view) : closedPage(view);
    }),
  );

  app.post(
    "/",
    page(site, async (view) => {
      const { auth, caller, returnTo } = view;
      const [email, password] = [view.given("email"), view.given("password")];
      const fault = missing(view, "email", "password");
      if (fault) return registerPage(view, fault);
      try {
        const user = await registerUser(auth, email, password, caller);
        if (!user) return goOn(view, view.href("/verify", { email, return_to: returnTo }), ...setReturnCookie(view));
        const login = await logIn(auth, email, password, caller);
        const cookies = [setSessionCookie(auth, login), setDeviceCookie(auth, login.device)];
        return goOn(view, returnTo ?? "/account", ...cookies);
      } catch (error) {
        return registerPage(
          view,
          faultOf(view, error, {
            email_taken: "email",
            invalid_email: "email",
            invalid_password: "password",
            weak_password: "password",
          }),
        );
      }
    }),
  );

  return app;
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
