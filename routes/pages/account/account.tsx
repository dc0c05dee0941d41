/**
 * `/account`: everything of one's own account on one page. Forms post to paths below it, since `PATCH` and `DELETE
 * /account` are for programs; each changes by the same rule as those.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import { exportAccount, getAccount, updateAccount } from "../../../auth/account/account.ts";
import { requestEmailChange } from "../../../auth/account/change_email.ts";
import { changePassword } from "../../../auth/account/change_password.ts";
import { closeAccount } from "../../../auth/account/close_account.ts";
import { AuthError } from "../../../auth/errors.ts";
import { listAccountEvents } from "../../../auth/events.ts";
import { endOtherSessions, endSession, listSessions } from "../../../auth/sign_in/sessions.ts";
import { answerExport, UpdateAccount } from "../../api/account.ts";
import { redirect, type RequestEnv } from "../../http/answers.ts";
import { clearSessionCookie, setSessionCookie } from "../../http/cookies.ts";
import { namesHtml } from "../../http/accept.ts";
import { AccountBody } from "./account_body.tsx";
import { type Fault, faultOf, missing } from "../kit/faults.ts";
import { goOn, page, type PageWork, show, toLogin } from "../kit/page.tsx";
import type { Site } from "../kit/site.ts";
import type { View } from "../kit/view.ts";

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

/**
 * `GET /account` for browsers, the forms below it, and `GET /account/download`.
 *
 * @internal
 */
export function accountPages(site: Site): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>();
  const show = page(site, (view) => accountPage(view));

  app.get("/", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? show(c) : next());

  for (const [path, work] of Object.entries({ profile, password, email, devices, "devices/others": others, close })) {
    app.post(`/${path}`, page(site, work));
  }
  for (const [path, part] of Object.entries(FORMS)) {
    // Where somebody lands who opens the address of a form that was refused.
    app.get(path, page(site, (view) => redirect(view.c, `/account#${part}`)));
  }

  app.get(
    "/download",
    page(site, async (view) => {
      try {
        return answerExport(view.c, await exportAccount(view.auth, view.caller));
      } catch (error) {
        // Back on the page it can be downloaded; sent to the file itself, people would be left on the login.
        if (error instanceof AuthError && error.code === "no_session") return toLogin(view, "/account#data");
        if (!(error instanceof AuthError && error.code === "login_required")) throw error;
        const back = "/account?done=export#data";
        return redirect(view.c, view.href("/login", { again: "yes", done: "fresh", return_to: back }));
      }
    }),
  );

  return app;
}

const profile: PageWork = async (view) => {
  const given = UpdateAccount.safeParse({ name: view.given("name"), locale: view.given("locale") });
  if (!given.success) {
    return accountPage(view, { field: "name", text: view.say("error.invalid_name"), status: 400 }, "profile");
  }
  const { name, locale } = given.data;
  await updateAccount(view.auth, { name: name === "" ? null : name, locale }, view.caller);
  return done("profile", "profile")(view);
};

const password: PageWork = async (view) => {
  const fault = missing(view, "current_password", "new_password");
  if (fault) return accountPage(view, fault, "password");
  try {
    const [current, fresh] = [view.given("current_password"), view.given("new_password")];
    const session = await changePassword(view.auth, current, fresh, view.caller);
    return done("password", "password", setSessionCookie(view.auth, session))(view);
  } catch (error) {
    const fields = {
      wrong_password: "current_password",
      invalid_password: "new_password",
      weak_password: "new_password",
    };
    return accountPage(view, faultOf(view, error, fields), "password");
  }
};

const email: PageWork = async (view) => {
  const fault = missing(view, "new_email", "password");
  if (fault) return accountPage(view, fault, "email");
  try {
    await requestEmailChange(view.auth, view.given("new_email"), view.given("password"), view.caller);
    return goOn(view, view.href("/change-email", { email: view.given("new_email") }));
  } catch (error) {
    const fields = { invalid_email: "new_email", wrong_password: "password", invalid_password: "password" };
    return accountPage(view, faultOf(view, error, fields), "email");
  }
};

const devices: PageWork = async (view) => {
  try {
    await endSession(view.auth, view.given("id"), view.caller);
    return done("session", "devices")(view);
  } catch (error) {
    return accountPage(view, faultOf(view, error), "devices");
  }
};

const others: PageWork = async (view) => {
  await endOtherSessions(view.auth, view.caller);
  return done("others", "devices")(view);
};

const close: PageWork = async (view) => {
  const fault = missing(view, "password");
  if (fault) return accountPage(view, fault, "close");
  try {
    await closeAccount(view.auth, view.given("password"), view.caller);
    const response = goOn(view, view.href("/login", { done: "closed" }), clearSessionCookie(view.auth));
    response.headers.set("clear-site-data", '"storage"');
    return response;
  } catch (error) {
    const fields = { wrong_password: "password", invalid_password: "password" };
    return accountPage(view, faultOf(view, error, fields), "close");
  }
};

function done(word: string, part: string, ...cookies: string[]): (view: View) => Response {
  return (view) => goOn(view, `/account?done=${word}#${part}`, ...cookies);
}

/** The page; a fault belongs to the form of one part. */
async function accountPage(view: View, fault?: Fault, part?: string): Promise<Response> {
  const { auth, caller } = view;
  const account = await getAccount(auth, caller);
  const before = /^[0-9a-f-]{36}$/.exec(view.given("before"))?.[0];
  const [sessions, events] = await Promise.all([
    listSessions(auth, caller),
    // Each mail follows from something that stands there already.
    listAccountEvents(auth, account.id, EVENTS, before, "mail_sent"),
  ]);
  const next = events.length < EVENTS ? undefined : events.at(-1)!.id;
  const body = AccountBody({ view, account, sessions, events, next, before, fault, part });
  return show(view, { title: view.say("account.title"), body, wide: true, fault });
}
