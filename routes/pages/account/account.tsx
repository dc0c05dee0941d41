/**
 * `/account`: everything about the user's own account on one page. The forms post to paths below it, because `PATCH`
 * and `DELETE /account` are for programs. Both use the same actions.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import { exportAccount } from "../../../auth/account/export_account.ts";
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
import { signedInCookies, signedOut } from "../../http/cookies.ts";
import { form } from "../kit/action_form.ts";
import type { Fault } from "../kit/faults.ts";
import { page, seeOther, show, toLogin } from "../kit/page.tsx";
import { clearReturnCookie } from "../kit/return_cookie.ts";
import type { Site } from "../kit/site.ts";
import type { View } from "../kit/view.ts";
import { AccountBody } from "./account_body.tsx";
import { firstPasswordPage } from "./first_password.tsx";

/** Events per page. */
const EVENTS = 30;
/** The path of each form, and the part of the page that holds it. */
const FORMS: Record<string, string> = {
  "/profile": "profile",
  "/password": "password",
  "/email": "email",
  "/devices": "devices",
  "/devices/others": "devices",
  "/close": "close",
};

/** Handles `GET /account` for browsers, the forms below it, and `GET /account/download`. */
export function accountPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();
  const show = page(site, (view) => accountPage(view));

  app.get("/", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? show(c) : next());

  app.post(
    "/profile",
    form(site, updateAccountAction, {
      // An empty name removes the name.
      input: (view) => ({ name: view.given("name"), locale: view.given("locale") }),
      wrong: { field: "name", word: "error.invalid_name" },
      next: () => placeIn("profile", "profile"),
      again: againIn("profile"),
    }),
  );

  app.post(
    "/password",
    form(site, changePasswordAction, {
      required: (view) => [...proofOf(view, "current_password"), "new_password"],
      // A copy whose session the change has ended: the browser dropped the answer that had the new one.
      next: (view) => view.user ? passwordPlace(view) : view.href("/login", { done: "reset" }),
      done: (view, changed) => {
        const cookies = signedInCookies(view.auth, changed);
        if (view.returnTo !== undefined) cookies.push(...clearReturnCookie(view));
        return seeOther(view, passwordPlace(view), ...cookies);
      },
      again: (view, fault) =>
        needsPassword(view) ? firstPasswordPage(view, fault) : accountPage(view, fault, "password"),
    }),
  );

  app.post(
    "/email",
    form(site, requestEmailChangeAction, {
      required: (view) => ["new_email", ...proofOf(view, "password")],
      next: (view) => view.href("/change-email", { email: view.given("new_email") }),
      again: againIn("email"),
    }),
  );

  app.post(
    "/devices",
    form(site, endSessionAction, {
      input: (view) => ({ id: view.given("id") }),
      next: () => placeIn("devices", "session"),
      again: againIn("devices"),
    }),
  );

  app.post(
    "/devices/others",
    form(site, endOtherSessionsAction, {
      next: () => placeIn("devices", "others"),
      again: againIn("devices"),
    }),
  );

  app.post(
    "/close",
    form(site, closeAccountAction, {
      required: (view) => proofOf(view, "password"),
      next: closedPlace,
      done: (view) => signedOut(view.auth, seeOther(view, closedPlace(view))),
      again: againIn("close"),
    }),
  );

  for (const [path, part] of Object.entries(FORMS)) {
    // After a refused form the browser shows this path, and people may open it again.
    const toPart = (view: View) => redirect(view.c, `/account#${part}`);
    const first = (view: View) => path === "/password" && needsPassword(view);
    app.get(path, page(site, (view) => first(view) ? firstPasswordPage(view) : toPart(view)));
  }

  app.get(
    "/download",
    page(site, async (view) => {
      // The return address is the page. With the file as return address, people would stay on the login page.
      if (!view.user) return toLogin(view, "/account#data");
      try {
        return answerExport(view.c, await exportAccount(view.auth, view.user, view.caller));
      } catch (error) {
        if (!(error instanceof AuthError && error.code === "login_required")) throw error;
        const returnTo = "/account?done=export#data";
        return redirect(view.c, view.href("/login", { again: "yes", done: "fresh", return_to: returnTo }));
      }
    }),
  );

  return app;
}

function needsPassword({ account }: View): boolean {
  return account?.hasPassword === false;
}

/** The password field, for an account that has a password. Without one, a recent sign-in is the proof. */
function proofOf({ account }: View, field: string): string[] {
  return account?.hasPassword ? [field] : [];
}

/** The part of the page that says what was done. */
function placeIn(part: string, word: string): string {
  return `/account?done=${word}#${part}`;
}

/** Where a new password leads: to the application that sent the browser, or to the part of the page. */
function passwordPlace({ returnTo }: View): string {
  return returnTo ?? placeIn("password", "password");
}

function closedPlace(view: View): string {
  return view.href("/login", { done: "closed" });
}

function againIn(part: string): (view: View, fault: Fault) => Promise<Response> {
  return (view, fault) => accountPage(view, fault, part);
}

/** Answers with the page. `fault` is about the form in `part`. */
async function accountPage(view: View, fault?: Fault, part?: string): Promise<Response> {
  const { auth, user, account } = view;
  if (!user || !account) throw noSession();
  const before = /^[0-9a-f-]{36}$/.exec(view.given("before"))?.[0];
  const [sessions, events] = await Promise.all([
    listSessions(auth, user),
    // Without `mail_sent`: every mail follows from an event that is already shown.
    listAccountEvents(auth, account.id, EVENTS, before, "mail_sent"),
  ]);
  const next = events.length < EVENTS ? undefined : events.at(-1)!.id;
  const body = AccountBody({ view, account, sessions, events, next, before, fault, part });
  return show(view, { title: view.say("account.title"), body, wide: true, fault });
}
