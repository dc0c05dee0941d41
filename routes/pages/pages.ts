/**
 * Mounts all web pages, and decides when a browser gets a page where a program gets JSON.
 *
 * - A path that only pages have is a page for everybody. Programs that open the links of mails get it too.
 * - `GET /`, `/logout/done`, `GET /account` and `GET /dev/mailbox` are both. Requests whose `Accept` names text/html get the page, as
 *   those of browsers do. All others get JSON, also with `*`/`*`.
 * - Forms never post to a path of a JSON route. Some HTTP libraries (Java's own) name text/html in every request, so
 *   `Accept` must not decide about a change. The forms of `/undo`, `/reopen` and `/account` post to paths below these.
 * - An unknown path is 404 for both. A browser gets it as a page.
 *
 * GET changes nothing on any page, because programs open the links of mails too. A button sends a POST. `app.ts` checks
 * the origin of every request first.
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

/** All pages. They must be mounted before the JSON routes, because they share some paths. */
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
  // Browsers and password managers open this path (W3C, "A Well-Known URL for Changing Passwords").
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

/** Errors that are answered before any route is chosen, to people and to programs. */
const ROUTING_ERRORS = ["host_refused", "method_not_allowed", "not_found", "origin_refused"];

/** For a browser, turns the answer to a request without a route into a page. Errors of JSON routes stay JSON. */
export function errorPageOrJson(auth: Auth): (c: Context<RequestEnv>, plain: Response) => Response {
  const site = siteOf(auth);
  return (c, plain) =>
    ROUTING_ERRORS.includes(plain.headers.get("error-code") ?? "") && namesHtml(c)
      ? explain(viewOf(site, c), plain)
      : plain;
}
