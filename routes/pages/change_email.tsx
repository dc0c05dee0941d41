/**
 * `/change-email`: confirms the new address of an account by the link of its mail. A signed-in user can also use the
 * mail's code. Opening the link changes nothing.
 *
 * @module
 */
import { Hono } from "hono";
import { isLive } from "../../auth/credentials/mail_tokens.ts";
import { changeEmailAction } from "../api/change_email.ts";
import type { RequestEnv } from "../http/answers.ts";
import { setSessionCookie } from "../http/cookies.ts";
import { form } from "./kit/action_form.ts";
import { deadLink } from "./kit/dead_link.tsx";
import type { Fault } from "./kit/faults.ts";
import { CodeField } from "./kit/fields.tsx";
import { Form } from "./kit/forms.tsx";
import { page, seeOther, show, toLogin } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET` and `POST /change-email`. */
export function changeEmailPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      const token = view.given("token");
      if (token !== "") {
        return await isLive(view.auth, ["change_email"], token) ? linkPage(view, token) : deadLinkPage(view);
      }
      // A code alone names no account, so the user must be signed in.
      return view.user ? codePage(view) : toLogin(view, "/change-email");
    }),
  );

  app.post(
    "/",
    form(site, changeEmailAction, {
      required: (view) => view.given("token") === "" ? ["code"] : [],
      input: (view) =>
        view.given("token") === "" ? { code: view.given("code") } : { change_token: view.given("token") },
      word: ({ session }) => session ? "own" : "other",
      next: (view, word) =>
        word === "own" && view.user ? "/account?done=email#email" : view.href("/login", { done: "email" }),
      done: (view, { email, session }) => {
        if (!session) return seeOther(view, view.href("/login", { done: "email", email }));
        return seeOther(view, "/account?done=email#email", setSessionCookie(view.auth, session));
      },
      again: (view, fault) => view.given("token") === "" ? codePage(view, fault) : deadLinkPage(view),
    }),
  );

  return app;
}

function linkPage(view: View, token: string): Response {
  const { say } = view;
  const title = say("change.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("change.text")}</p>
      <Form view={view} action="/change-email" hidden={{ token }}>
        <button type="submit" class="button">{say("change.action")}</button>
      </Form>
      <p class="faint">{say("change.notYou")}</p>
    </section>
  );
  return show(view, { title, body, self: "/change-email" });
}

/** Right after the request, the page says where the mail was sent. */
function codePage(view: View, fault?: Fault): Response {
  const { say } = view;
  const email = view.given("email");
  const title = say(email === "" ? "change.title" : "checkMail");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{email === "" ? say("change.enter") : say("verify.sent", { email })}</p>
      <Form view={view} action="/change-email" fault={fault} hidden={{ email }}>
        <CodeField view={view} fault={fault} focus />
        <p class="faint">{say("change.text")}</p>
        <button type="submit" class="button">{say("change.action")}</button>
      </Form>
      <div class="below">
        <p>{say("noMail")}</p>
        <a href="/account#email">{say("change.again")}</a>
      </div>
    </section>
  );
  return show(view, { title, body, self: "/change-email", fault });
}

function deadLinkPage(view: View): Response {
  const help = (
    <p>
      <a class="button" href="/account#email">{view.say("error.home")}</a>
    </p>
  );
  return deadLink(view, "/change-email", "dead.change", help);
}
