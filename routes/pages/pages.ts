/**
 * Every address of the web pages, and the rule by which a browser gets a page where a program gets JSON.
 *
 * - A path that only pages have is a page for everybody: programs that read mail and open its links see what it is.
 * - `GET /`, `GET /account` and `GET /dev/mailbox` are both. The page is for requests whose `Accept` names text/html,
 *   as browsers' do; all others, `*`/`*` among them, get the JSON as if there were no pages.
 * - Forms never post where programs do. Some HTTP libraries (Java's own) name text/html in each request without meaning
 *   it, so `Accept` must not decide about a change: forms of `/undo`, `/reopen` and `/account` post to paths below.
 * - What is nowhere is 404 for both; a browser reads it as a page.
 *
 * GET changes nothing on any page, since programs open the links of mails too; a button posts. The origin check stands
 * in front of all of this, in `app.ts`.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { hasMailbox } from "../api/dev_mailbox.ts";
import { namesHtml } from "../http/accept.ts";
import { file, redirect, type RequestEnv } from "../http/answers.ts";
import { accountPages } from "./account/account.tsx";
import { changeEmailPages } from "./change_email.tsx";
import { forgotPages } from "./forgot.tsx";
import { explain, page } from "./kit/page.tsx";
import { siteOf } from "./kit/site.ts";
import { viewOf } from "./kit/view.ts";
import { loginPages, logoutPages } from "./login.tsx";
import { mailboxPages } from "./mailbox.tsx";
import { registerPages } from "./register.tsx";
import { reopenPages } from "./reopen.tsx";
import { resetPages } from "./reset.tsx";
import { undoPages } from "./undo.tsx";
import { verifyPages } from "./verify.tsx";

/** All pages, to be mounted before the routes whose paths some of them share. */
export function pages(auth: Auth): Hono<RequestEnv> {
  const site = siteOf(auth);
  const app = new Hono<RequestEnv>();
  app.route("/login", loginPages(site));
  app.route("/logout", logoutPages(site));
  app.route("/register", registerPages(site));
  app.route("/verify", verifyPages(site));
  app.route("/forgot", forgotPages(site));
  app.route("/reset", resetPages(site));
  app.route("/change-email", changeEmailPages(site));
  app.route("/undo", undoPages(site));
  app.route("/reopen", reopenPages(site));
  app.route("/account", accountPages(site));
  if (hasMailbox(auth)) app.route("/dev/mailbox", mailboxPages(site));
  // What browsers and password managers look for (W3C, "A Well-Known URL for Changing Passwords").
  app.get(
    "/.well-known/change-password",
    page(site, (view) => {
      const here = "/account#password";
      return redirect(view.c, view.user ? here : view.href("/login", { return_to: here }));
    }),
  );
  const start = page(site, (view) => redirect(view.c, view.user ? "/account" : view.href("/login")));
  app.get("/", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? start(c) : next());
  for (const asset of [site.style, site.script, site.icon]) app.get(asset.path, (c) => file(c, asset.text, asset.type));
  return app;
}

/** What is said before any route is chosen, and so to people as well as to programs. */
const TO_ALL = ["host_refused", "method_not_allowed", "not_found", "origin_refused"];

/**
 * Turns the answer to what no route takes into a page, for a browser; what a route for programs says stays as it is.
 */
export function orPage(auth: Auth): (c: Context<RequestEnv>, plain: Response) => Response {
  const site = siteOf(auth);
  return (c, plain) =>
    TO_ALL.includes(plain.headers.get("error-code") ?? "") && namesHtml(c) ? explain(viewOf(site, c), plain) : plain;
}
