/**
 * Answers with pages. Every page is made here, so that none lacks its headers and every error is explained.
 *
 * @module
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { AuthError } from "../../../auth/errors.ts";
import { closeAfter, html, redirect, type RequestEnv, withCookies } from "../../http/answers.ts";
import { readFields } from "../../http/body.ts";
import { answerError } from "../../http/errors.ts";
import { ErrorPage } from "./error_page.tsx";
import type { Fault } from "./faults.ts";
import { formIdsFor } from "./form_ids.ts";
import { Layout } from "./layout.tsx";
import type { Site } from "./site.ts";
import { type View, viewOf, withUser } from "./view.ts";

interface PageContent {
  /** For the browser's tab. */
  title: string;
  body: Child;
  /** The page's own path, for the links to other languages. The account page has none: an account has its language. */
  self?: string;
  /** Default: the status of the fault, or 200. */
  status?: number;
  fault?: Fault;
  wide?: boolean;
}

type PageWork = (view: View) => Promise<Response> | Response;

/** Makes the handler of a page: reads the form, chooses the language, and explains errors. */
export function page(site: Site, work: PageWork): (c: Context<RequestEnv>) => Promise<Response> {
  return async (c) => {
    let view = viewOf(site, c);
    try {
      if (c.req.method === "POST") view = viewOf(site, c, await readFields(c.req, c.var.bodyDeadline));
      view = { ...await withUser(view), formIds: await formIdsFor(view) };
      return await work(view);
    } catch (error) {
      if (error instanceof AuthError && error.code === "no_session") return toLogin(view, c.req.path);
      return explain(view, answerError(site.auth, c, error));
    }
  };
}

/** Shows a person the error that programs get as JSON, with the same status. */
export function explain(view: View, plain: Response): Response {
  const { title, body } = ErrorPage(view, plain.headers.get("error-code") ?? "internal_error");
  const kept = [...plain.headers].filter(([name]) => ["error-code", "retry-after", "allow"].includes(name));
  const shown = show(view, { title, body, self: ownPath(view), status: plain.status }, Object.fromEntries(kept));
  return plain.status === 408 ? closeAfter(shown) : shown;
}

/**
 * The path at which the error can be read in another language. A link cannot send a form again, so there it is the
 * login.
 */
function ownPath({ c }: View): string {
  const { path, method } = c.req;
  return method === "GET" && /^\/(?:[\w.-]+(?:\/|$))*$/.test(path) ? path : "/login";
}

/** Answers with a page. `more` holds further headers. */
export function show(view: View, content: PageContent, more: Record<string, string> = {}): Response {
  const { title, self, wide, body, fault, status = fault?.status ?? 200 } = content;
  const page = <Layout view={view} title={title} self={self} wide={wide}>{body}</Layout>;
  const wait: Record<string, string> = fault?.retryAfter ? { "retry-after": String(fault.retryAfter) } : {};
  const answer = html(view.c, `<!DOCTYPE html>${page}`, status, { ...view.site.headers, ...wait, ...more });
  return withCookies(answer, ...view.formIds?.cookies() ?? []);
}

/** Redirects after a form by 303, which makes the browser use GET. So a reload repeats nothing. */
export function seeOther(view: View, location: string, ...cookies: string[]): Response {
  return withCookies(redirect(view.c, location, {}, 303), ...cookies);
}

/**
 * Redirects to the login, with this return address. After a form it leads to the page of the form, because the typed
 * values are not kept. A user who was logged in or who sent a form is told that the session ended.
 */
export function toLogin(view: View, returnTo: string): Response {
  const { method } = view.c.req;
  const done = method === "POST" ? "unsaved" : view.caller.session === undefined ? undefined : "ended";
  const target = returnTo === "/account" ? undefined : returnTo;
  return redirect(view.c, view.href("/login", { done, return_to: target }), {}, method === "GET" ? 302 : 303);
}
