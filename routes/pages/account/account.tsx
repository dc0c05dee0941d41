/**
 * `/account`: everything of one's own account on one page. Forms post to paths below it, since `PATCH` and `DELETE
 * /account` are for programs; each changes by the same rule as those.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import { exportAccount } from "../../../auth/account/account.ts";
import { AuthError } from "../../../auth/errors.ts";
import { listAccountEvents } from "../../../auth/events.ts";
import { noSession } from "../../../auth/sign_in/current_user.ts";
import { listSessions } from "../../../auth/sign_in/sessions.ts";
import { answerExport, closeAccountAction, updateAccountAction } from "../../api/account.ts";
import { requestEmailChangeAction } from "../../api/change_email.ts";
import { changePasswordAction } from "../../api/password.ts";
import { endOtherSessionsAction, endSessionAction } from "../../api/sessions.ts";
import { namesHtml } from "../../http/accept.ts";
import { redirect, type RequestEnv } from "../../http/answers.ts";
import { setSessionCookie, signedOut } from "../../http/cookies.ts";
import { form } from "../kit/action_form.ts";
import type { Fault } from "../kit/faults.ts";
import { goOn, page, show, toLogin } from "../kit/page.tsx";
import type { Site } from "../kit/site.ts";
import type { View } from "../kit/view.ts";
import { AccountBody } from "./account_body.tsx";

/** How many events a page shows. */
const EVENTS = 30;
/** Each form, and the part of the page where it stands. */
const FORMS: Record<string, string> = {
  "/profile": "profile",
  "/password": "password",
  "/email": "email",
  "/devices": "devices",
  "/devices/others": "devices",
  "/close": "close",
};

/** `GET /account` for browsers, the forms below it, and `GET /account/download`. */
export function accountPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();
  const show = page(site, (view) => accountPage(view));

  app.get("/", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? show(c) : next());

  app.post(
    "/profile",
    form(site, updateAccountAction, {
      // An empty name takes the name away.
      input: (view) => ({ name: view.given("name"), locale: view.given("locale") }),
      wrong: { field: "name", word: "error.invalid_name" },
      done: (view) => doneIn(view, "profile", "profile"),
      again: againIn("profile"),
    }),
  );

  app.post(
    "/password",
    form(site, changePasswordAction, {
      required: () => ["current_password", "new_password"],
      done: (view, session) => doneIn(view, "password", "password", setSessionCookie(view.auth, session)),
      again: againIn("password"),
    }),
  );

  app.post(
    "/email",
    form(site, requestEmailChangeAction, {
      required: () => ["new_email", "password"],
      done: (view, _, { new_email }) => goOn(view, view.href("/change-email", { email: new_email })),
      again: againIn("email"),
    }),
  );

  app.post(
    "/devices",
    form(site, endSessionAction, {
      input: (view) => ({ id: view.given("id") }),
      done: (view) => doneIn(view, "session", "devices"),
      again: againIn("devices"),
    }),
  );

  app.post(
    "/devices/others",
    form(site, endOtherSessionsAction, {
      done: (view) => doneIn(view, "others", "devices"),
      again: againIn("devices"),
    }),
  );

  app.post(
    "/close",
    form(site, closeAccountAction, {
      required: () => ["password"],
      done: (view) => signedOut(view.auth, goOn(view, view.href("/login", { done: "closed" }))),
      again: againIn("close"),
    }),
  );

  for (const [path, part] of Object.entries(FORMS)) {
    // Where somebody lands who opens the address of a form that was refused.
    app.get(path, page(site, (view) => redirect(view.c, `/account#${part}`)));
  }

  app.get(
    "/download",
    page(site, async (view) => {
      // Back on the page it can be downloaded; sent to the file itself, people would be left on the login.
      if (!view.user) return toLogin(view, "/account#data");
      try {
        return answerExport(view.c, await exportAccount(view.auth, view.user));
      } catch (error) {
        if (!(error instanceof AuthError && error.code === "login_required")) throw error;
        const back = "/account?done=export#data";
        return redirect(view.c, view.href("/login", { again: "yes", done: "fresh", return_to: back }));
      }
    }),
  );

  return app;
}

function doneIn(view: View, word: string, part: string, ...cookies: string[]): Response {
  return goOn(view, `/account?done=${word}#${part}`, ...cookies);
}

function againIn(part: string): (view: View, fault: Fault) => Promise<Response> {
  return (view, fault) => accountPage(view, fault, part);
}

/** The page; a fault belongs to the form of one part. */
async function accountPage(view: View, fault?: Fault, part?: string): Promise<Response> {
  const { auth, user, account } = view;
  if (!user || !account) throw noSession();
  const before = /^[0-9a-f-]{36}$/.exec(view.given("before"))?.[0];
  const [sessions, events] = await Promise.all([
    listSessions(auth, user),
    // Each mail follows from something that stands there already.
    listAccountEvents(auth, account.id, EVENTS, before, "mail_sent"),
  ]);
  const next = events.length < EVENTS ? undefined : events.at(-1)!.id;
  const body = AccountBody({ view, account, sessions, events, next, before, fault, part });
  return show(view, { title: view.say("account.title"), body, wide: true, fault });
}
