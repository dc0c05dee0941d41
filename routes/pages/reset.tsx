/**
 * `/reset`: sets a new password by the link or the code of a mail. Logs nobody in (S29). Opening the link does not use
 * it up.
 *
 * @module
 */
import { Hono } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import { emailOfLink } from "../../auth/credentials/mail_tokens.ts";
import { resetPasswordAction } from "../api/reset_password.ts";
import type { RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import { deadLink } from "./kit/dead_link.tsx";
import type { Fault } from "./kit/faults.ts";
import { CodeField, EmailField, PasswordField, UserName } from "./kit/fields.tsx";
import { Done, Form } from "./kit/forms.tsx";
import { page, show } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET` and `POST /reset`. */
export function resetPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get("/", page(site, (view) => resetPage(view)));

  app.post(
    "/",
    form(site, resetPasswordAction, {
      required: (view) => view.given("token") === "" ? ["email", "code", "new_password"] : ["new_password"],
      input: (view) => {
        const [token, email, code, new_password] = ["token", "email", "code", "new_password"].map(view.given);
        return token === "" ? { email, code, new_password } : { reset_token: token, new_password };
      },
      next: (view) => view.href("/login", { done: "reset", email: view.given("email"), return_to: view.returnTo }),
      again: (view, fault) => {
        if (fault.field !== "code") return resetPage(view, fault);
        return view.given("token") === "" ? codePage(view, fault) : deadLinkPage(view);
      },
    }),
  );

  return app;
}

async function resetPage(view: View, fault?: Fault): Promise<Response> {
  const token = view.given("token");
  if (token === "") return codePage(view, fault);
  const email = await emailOfLink(view.auth, "reset", token);
  return email === undefined ? deadLinkPage(view) : linkPage(view, token, email, fault);
}

/** Shows the address: people see whose password this is, and password managers know where to save it. */
function linkPage(view: View, token: string, email: string, fault?: Fault): Response {
  const { say } = view;
  const title = say("reset.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("reset.for", { email })}</p>
      <Form view={view} action="/reset" fault={fault} hidden={{ token }}>
        <UserName email={email} name="email" />
        <NewPassword view={view} fault={fault} focus />
      </Form>
    </section>
  );
  return show(view, { title, body, self: "/reset", fault });
}

/** With a known address the page says where the mail was sent. Otherwise the form asks for the address. */
function codePage(view: View, fault?: Fault): Response {
  const { say } = view;
  const email = view.given("email");
  const known = email !== "" && fault?.field !== "email";
  const title = say(known ? "checkMail" : "reset.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <Done view={view} />
      <p>{known ? say("reset.sent", { email }) : say("reset.enter")}</p>
      <Form view={view} action="/reset" fault={fault}>
        {known ? <UserName email={email} name="email" /> : <EmailField view={view} fault={fault} focus />}
        <CodeField view={view} fault={fault} focus={known} />
        <NewPassword view={view} fault={fault} />
      </Form>
      <div class="below">
        {known ? <Again view={view} email={email} /> : <a href={view.href("/forgot")}>{say("sendAgain")}</a>}
      </div>
    </section>
  );
  return show(view, { title, body, self: "/reset", fault });
}

function NewPassword({ view, fault, focus }: { view: View; fault?: Fault; focus?: boolean }): JSX.Element {
  const { say } = view;
  return (
    <>
      <PasswordField view={view} fault={fault} name="new_password" label={say("newPassword")} fresh focus={focus} />
      <p class="faint">{say("reset.text")}</p>
      <button type="submit" class="button">{say("reset.action")}</button>
    </>
  );
}

function Again({ view, email }: { view: View; email: string }): JSX.Element {
  return (
    <>
      <p>{view.say("noMail")}</p>
      <Form view={view} action="/forgot" hidden={{ email, again: "yes" }}>
        <button type="submit" class="link">{view.say("sendAgain")}</button>
      </Form>
    </>
  );
}

function deadLinkPage(view: View): Response {
  const { say } = view;
  const help = (
    <Form view={view} action="/forgot">
      <EmailField view={view} focus />
      <button type="submit" class="button">{say("dead.reset")}</button>
    </Form>
  );
  return deadLink(view, "/reset", "dead.resetText", help);
}
