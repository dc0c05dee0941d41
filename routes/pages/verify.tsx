/**
 * `/verify`: verifies a mailbox by the link or the code of its mail, and sends that mail again. Opening the link
 * changes nothing: programs that read mail open it too (S36).
 *
 * @module
 */
import { Hono } from "hono";
import type { Proven } from "../../auth/account/verify_email.ts";
import { isLive } from "../../auth/credentials/mail_tokens.ts";
import { proofSession, resendVerificationAction, verifyEmailAction } from "../api/verify_email.ts";
import type { RequestEnv } from "../http/answers.ts";
import { form } from "./kit/action_form.ts";
import { deadLink } from "./kit/dead_link.tsx";
import type { Fault } from "./kit/faults.ts";
import { CodeField, EmailField } from "./kit/fields.tsx";
import { Done, Form } from "./kit/forms.tsx";
import { page, seeOther, show } from "./kit/page.tsx";
import { setReturnCookie } from "./kit/return_cookie.ts";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET` and `POST /verify`, and `POST /verify/again`. */
export function verifyPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();

  app.get(
    "/",
    page(site, async (view) => {
      const token = view.given("token");
      if (token === "") return codePage(view);
      return await isLive(view.auth, ["register", "verify"], token) ? linkPage(view, token) : deadLinkPage(view);
    }),
  );

  app.post(
    "/",
    form(site, verifyEmailAction, {
      required: (view) => view.given("token") === "" ? ["email", "code"] : [],
      input: (view) => {
        const [token, email, code] = ["token", "email", "code"].map(view.given);
        return token === "" ? { email, code } : { verification_token: token };
      },
      word: wordOf,
      next: (view, word) => provenPlace(view, word, view.given("email"), view.user !== undefined),
      done: (view, proven) => {
        const place = provenPlace(view, wordOf(proven), proven.email, proven.session !== undefined);
        return proofSession(view.auth, seeOther(view, place), proven);
      },
      again: (view, fault) => view.given("token") === "" ? codePage(view, fault) : deadLinkPage(view),
    }),
  );

  app.get("/again", page(site, (view) => seeOther(view, view.href("/verify"))));

  app.post(
    "/again",
    form(site, resendVerificationAction, {
      required: () => ["email"],
      next: sentPlace,
      done: (view) => seeOther(view, sentPlace(view), ...setReturnCookie(view)),
      again: codePage,
    }),
  );

  return app;
}

/** What a second copy of the form is told. */
function wordOf({ hasPassword, session }: Proven): string {
  return hasPassword ? session ? "confirmed" : "verified" : "unset";
}

/**
 * Where the browser goes after a proof: to the login, to the account, or to choosing a first password. A second copy of
 * the form may have no session, because the browser dropped the answer that had it.
 */
function provenPlace(view: View, word: string, email: string, hasSession: boolean): string {
  const { returnTo } = view;
  if (word === "unset") {
    return hasSession
      ? view.href("/account/password", { done: "unset", return_to: returnTo })
      : view.href("/forgot", { email, return_to: returnTo });
  }
  if (word === "confirmed" && hasSession) return returnTo ?? view.href("/account?done=confirmed#email");
  return view.href("/login", { done: "verified", email, return_to: returnTo });
}

function sentPlace(view: View): string {
  return view.href("/verify", { email: view.given("email"), done: "sent", return_to: view.returnTo });
}

function linkPage(view: View, token: string): Response {
  const { say } = view;
  const title = say("verify.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <p>{say("verify.text")}</p>
      <Form view={view} action="/verify" hidden={{ token }}>
        <button type="submit" class="button">{say("verify.action")}</button>
      </Form>
      <p class="faint">{say("verify.notYou")}</p>
    </section>
  );
  return show(view, { title, body, self: "/verify" });
}

function codePage(view: View, fault?: Fault): Response {
  const { say } = view;
  const email = view.given("email");
  // The text already names the address. A field shows it again only when it is wrong.
  const known = email !== "" && fault?.field !== "email";
  const title = say(email === "" ? "verify.title" : "checkMail");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <Done view={view} />
      <p>{email === "" ? say("verify.enter") : say("verify.sent", { email })}</p>
      <Form view={view} action="/verify" fault={fault} hidden={known ? { email } : {}}>
        {!known && <EmailField view={view} fault={fault} focus={email === ""} />}
        <CodeField view={view} fault={fault} focus={email !== ""} />
        <button type="submit" class="button">{say("verify.action")}</button>
      </Form>
      {email !== "" && (
        <div class="below">
          <p>{say("noMail")}</p>
          <Form view={view} action="/verify/again" hidden={{ email }}>
            <button type="submit" class="link">{say("sendAgain")}</button>
          </Form>
        </div>
      )}
    </section>
  );
  return show(view, { title, body, self: "/verify", fault });
}

function deadLinkPage(view: View): Response {
  const help = (
    <>
      <p>
        <a class="button" href={view.href("/login", { return_to: view.returnTo })}>{view.say("logIn")}</a>
      </p>
      <hr />
      <Form view={view} action="/verify/again">
        <EmailField view={view} />
        <button type="submit" class="button plain">{view.say("sendAgain")}</button>
      </Form>
    </>
  );
  return deadLink(view, "/verify", "dead.verify", help);
}
