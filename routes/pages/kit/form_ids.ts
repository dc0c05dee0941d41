/**
 * The one id of all forms on a page, signed for the cookie of its browser. Must not be needed: a form works without its
 * id, and a page is shown when no id can be made.
 *
 * @module
 */
import type { Context } from "hono";
import type { Auth } from "../../../auth/auth.ts";
import { formIds, formPostOf } from "../../../auth/limits/form_posts.ts";
import type { RequestEnv } from "../../http/answers.ts";
import { browserCookie, setBrowserCookie } from "../../http/cookies.ts";

/** The name of the hidden field. */
export const FORM_ID = "form_id";

/** A request and what it was sent to. */
interface Request {
  auth: Auth;
  c: Context<RequestEnv>;
}

/** Gives the forms of one page their id. */
export interface FormIds {
  /**
   * One id for all forms of the page: their paths and values tell them apart. A signature for each of a hundred devices
   * would cost a quarter of the page.
   */
  id(): string;
  /** The browser's cookie, if it has none yet and a form needs it. */
  cookies(): string[];
}

/** The source of a page's id. Undefined when the database cannot give the key. */
export async function formIdsFor({ auth, c }: Request): Promise<FormIds | undefined> {
  const known = browserCookie(auth, c);
  let id: string | undefined;
  try {
    const { browser, next } = await formIds(auth, known);
    return {
      id: () => id ??= next(),
      cookies: () => id !== undefined && browser !== known ? [setBrowserCookie(auth, browser)] : [],
    };
  } catch {
    return undefined;
  }
}

/** The key of the form that was posted, or undefined when it has no id of ours for this browser. */
export async function postOf(
  { auth, c, fields }: Request & { fields: ReadonlyMap<string, unknown> },
): Promise<string | undefined> {
  const others = [...fields].filter(([name]) => name !== FORM_ID);
  const id = String(fields.get(FORM_ID) ?? "");
  return await formPostOf(auth, { browser: browserCookie(auth, c), id, path: c.req.path, fields: others });
}
