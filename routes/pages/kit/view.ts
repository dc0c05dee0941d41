/**
 * The context of a page: the caller, the language, and the values that were sent. Must not answer.
 *
 * @module
 */
import type { Context } from "hono";
import { type Account, getAccount } from "../../../auth/account/account.ts";
import type { Auth } from "../../../auth/auth.ts";
import type { Caller } from "../../../auth/caller.ts";
import { emailKeyOrUndefined } from "../../../auth/email_addresses.ts";
import { AuthError } from "../../../auth/errors.ts";
import { type Locale, LOCALES } from "../../../auth/languages.ts";
import { getUserFromSessionId, type SignedIn } from "../../../auth/sign_in/current_user.ts";
import type { RequestEnv } from "../../http/answers.ts";
import { callerOf } from "../../http/caller.ts";
import { safeReturnTo } from "../../http/return_to.ts";
import type { FormIds } from "./form_ids.ts";
import { readReturnCookie } from "./return_cookie.ts";
import type { Site } from "./site.ts";
import { type Say, translator } from "./words.ts";

/** All that a page needs to know about its request. */
export interface View {
  site: Site;
  auth: Auth;
  c: Context<RequestEnv>;
  /** Has the language of the page, so that mails are in this language too. */
  caller: Caller;
  /** The signed-in user, looked up once for the request. */
  user: SignedIn | undefined;
  /** Present if it was looked up for its language. */
  account: Account | undefined;
  locale: Locale;
  /** The language that the parameter `lang` chose. Links keep it. */
  lang: Locale | undefined;
  say: Say;
  /** The fields of the posted form. */
  fields: ReadonlyMap<string, unknown>;
  /** Gives the forms of the page their id, if it can. */
  formIds: FormIds | undefined;
  /** A field of the form, or a parameter of the query. "" when it is missing. */
  given(name: string): string;
  /** The address of a page here, with the language kept. Leaves empty parameters out. */
  href(path: string, parameters?: Record<string, string | undefined>): string;
  /** The same page in another language, with its token, address and return address. */
  here(path: string, locale: Locale): string;
  /** The return address after a login, if it is allowed. */
  returnTo: string | undefined;
}

/**
 * Makes the context of a request from the fields of its form. A form takes no value from the query, so that a link
 * cannot fill it in.
 */
export function viewOf(site: Site, c: Context<RequestEnv>, form: Map<string, unknown> = new Map()): View {
  const { auth } = site;
  const given = (name: string): string => {
    const value = c.req.method === "POST" ? form.get(name) : c.req.query(name);
    if (typeof value !== "string") return "";
    // An attacker's link must not make a page show the attacker's text in place of an address.
    return name === "email" && c.req.method !== "POST" && emailKeyOrUndefined(value) === undefined ? "" : value;
  };
  const caller = callerOf(auth, c);
  // A link in a mail has no return address. The browser that requested the mail has kept it.
  const target = given("return_to") || (given("token") === "" ? undefined : readReturnCookie(auth, c));
  const returnTo = safeReturnTo(target, site.origins);
  const lang = LOCALES.find((locale) => locale === given("lang"));
  const locale = lang ?? caller.locale ?? LOCALES[0];
  return {
    site,
    auth,
    c,
    caller: { ...caller, locale },
    user: undefined,
    account: undefined,
    locale,
    lang,
    say: translator(locale, auth.config.appName),
    fields: form,
    formIds: undefined,
    given,
    href: (path, parameters = {}) => address(path, { ...parameters, lang }),
    here: (path, lang) => address(path, { ...keptParameters(c, given), return_to: returnTo, lang }),
    returnTo,
  };
}

/**
 * Adds the signed-in user, and changes to the language of the user's account. On other pages than the account's, `lang`
 * has priority, because it was chosen just now.
 */
export async function withUser(view: View): Promise<View> {
  const user = await getUserFromSessionId(view.auth, view.caller.session);
  const own = view.c.req.path.startsWith("/account");
  if (!user || (view.lang && !own)) return { ...view, user };
  const account = await getAccount(view.auth, user).catch((error) => {
    if (error instanceof AuthError) return undefined;
    throw error;
  });
  const locale = LOCALES.find((locale) => locale === account?.locale);
  if (!locale) return { ...view, user, account };
  return { ...view, user, account, locale, lang: undefined, say: translator(locale, view.auth.config.appName) };
}

/** The parameters that decide what a page shows. A typed address is kept, but only if it is valid. */
function keptParameters(c: Context<RequestEnv>, given: View["given"]): Record<string, string | undefined> {
  const [token, email] = [given("token"), given("email")];
  const shown = c.req.method === "GET" ? { done: plainWord(given("done")), again: plainWord(given("again")) } : {};
  return { token, email: emailKeyOrUndefined(email) === undefined ? undefined : email, ...shown };
}

function plainWord(word: string): string | undefined {
  return /^[a-z_]{1,20}$/.test(word) ? word : undefined;
}

function address(path: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => Boolean(pair[1]));
  if (given.length === 0) return path;
  const [before, fragment] = path.split("#");
  const query = String(new URLSearchParams(given));
  return before + (before.includes("?") ? "&" : "?") + query + (fragment === undefined ? "" : `#${fragment}`);
}
