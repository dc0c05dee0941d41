/**
 * How a page is answered. Every page goes through here, so that none misses its headers or leaves an error unexplained.
 *
 * @module
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { AuthError } from "../../../auth/errors.ts";
import { html, redirect, type RequestEnv, withCookies } from "../../http/answers.ts";
import { readFields } from "../../http/body.ts";
import { answerError } from "../../http/errors.ts";
import { ErrorPage } from "./error_page.tsx";
import type { Fault } from "./faults.ts";
import { Layout } from "./layout.tsx";
import type { Site } from "./site.ts";
import { type View, viewOf, withUser } from "./view.ts";

/** What a page is made of. */
export interface PageContent {
  /** For the browser's tab. */
  title: string;
  /** What stands on it. */
  body: Child;
  /** The page's own path, for the links to other languages; an account has its own language. */
  self?: string;
  /** 200 unless something is wrong. */
  status?: number;
  /** What is wrong with its form. */
  fault?: Fault;
  /** Whether it takes the whole width. */
  wide?: boolean;
}

/** Makes the answer to a request for a page. */
export type PageWork = (view: View) => Promise<Response> | Response;

/** A route's handler out of a page's work: reads the form, finds the language, and explains what goes wrong. */
export function page(site: Site, work: PageWork): (c: Context<RequestEnv>) => Promise<Response> {
  return async (c) => {
    let view = viewOf(site, c);
    try {
      if (c.req.method === "POST") view = viewOf(site, c, await readFields(c.req));
      view = await withUser(view);
      return await work(view);
    } catch (error) {
      if (error instanceof AuthError && error.code === "no_session") return toLogin(view, c.req.path);
      return explain(view, answerError(site.auth, c, error));
    }
  };
}

/** Tells a person what programs get as JSON: the same status, in words. */
export function explain(view: View, plain: Response): Response {
  const { title, body } = ErrorPage(view, plain.headers.get("error-code") ?? "internal_error");
  const kept = [...plain.headers].filter(([name]) => ["error-code", "retry-after", "allow"].includes(name));
  return show(view, { title, body, self: ownPath(view), status: plain.status }, Object.fromEntries(kept));
}

/** Where the same error may be read in another language; a form cannot be opened. */
function ownPath({ c }: View): string {
  const { path, method } = c.req;
  return method === "GET" && /^\/(?:[\w.-]+(?:\/|$))*$/.test(path) ? path : "/login";
}

/** Answers with a page. */
export function show(view: View, content: PageContent, more: Record<string, string> = {}): Response {
  const { title, self, wide, body, fault, status = fault?.status ?? 200 } = content;
  const page = <Layout view={view} title={title} self={self} wide={wide}>{body}</Layout>;
  const wait: Record<string, string> = fault?.retryAfter ? { "retry-after": String(fault.retryAfter) } : {};
  return html(view.c, `<!DOCTYPE html>${page}`, status, { ...view.site.headers, ...wait, ...more });
}

/** Sends the browser on after a form, by GET, so that loading again repeats nothing. */
export function goOn(view: View, location: string, ...cookies: string[]): Response {
  return withCookies(redirect(view.c, location, {}, 303), ...cookies);
}

/**
 * Sends somebody to the login, and afterwards where they wanted to go: after a form to its page, since what they typed is
 * not kept. Who was logged in, or has a form open, is told that this ended.
 */
export function toLogin(view: View, back: string): Response {
  const { method } = view.c.req;
  const done = method === "POST" ? "unsaved" : view.caller.session === undefined ? undefined : "ended";
  const target = back === "/account" ? undefined : back;
  return redirect(view.c, view.href("/login", { done, return_to: target }), {}, method === "GET" ? 302 : 303);
}
