/**
 * A page's surroundings: who asks, in which language, with what typed. Must not answer.
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
import { readReturnCookie } from "./return_cookie.ts";
import type { Site } from "./site.ts";
import { type Say, speaker } from "./words.ts";

/** All that a page needs to know of a request. */
export interface View {
  /** What all pages share. */
  site: Site;
  /** The rules' context. */
  auth: Auth;
  /** The request, for answers. */
  c: Context<RequestEnv>;
  /** Who asks; its language is the page's, so that mails come in it too. */
  caller: Caller;
  /** The user who is signed in, looked up once for the request. */
  user: SignedIn | undefined;
  /** The user's account, where it was looked up for its language. */
  account: Account | undefined;
  /** The language. */
  locale: Locale;
  /** The language that was asked for by `lang`, to be kept from page to page. */
  lang: Locale | undefined;
  /** Says things in it. */
  say: Say;
  /** A field of the form, or a parameter of the address; a missing one is "". */
  given(name: string): string;
  /** An address of a page here, with the language kept; empty parameters are left out. */
  href(path: string, parameters?: Record<string, string | undefined>): string;
  /** The page at this path as it was asked for, to be opened in another language: with its link, address and way back. */
  here(path: string, locale: Locale): string;
  /** Where to go after a login, when that is a place to which people may be sent. */
  returnTo: string | undefined;
}

/**
 * The surroundings of a request, with the fields of its form. A form takes nothing from the address, so that nobody's
 * link fills it in.
 */
export function viewOf(site: Site, c: Context<RequestEnv>, form: Map<string, unknown> = new Map()): View {
  const { auth } = site;
  const given = (name: string): string => {
    const value = c.req.method === "POST" ? form.get(name) : c.req.query(name);
    if (typeof value !== "string") return "";
    // A link must not make a page say a sentence of the link's author where an address belongs.
    return name === "email" && c.req.method !== "POST" && emailKeyOrUndefined(value) === undefined ? "" : value;
  };
  const caller = callerOf(auth, c);
  // A link out of a mail says no way back; the browser that asked for the mail does.
  const way = given("return_to") || (given("token") === "" ? undefined : readReturnCookie(auth, c));
  const returnTo = safeReturnTo(way, site.origins);
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
    say: speaker(locale, auth.config.appName),
    given,
    href: (path, parameters = {}) => address(path, { ...parameters, lang }),
    here: (path, lang) => address(path, { ...keptParameters(c, given), return_to: returnTo, lang }),
    returnTo,
  };
}

/**
 * The same with the user who is signed in, and in the language that the user has chosen. On pages that are not about the
 * account, `lang` goes first: it is what somebody chose just now.
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
  return { ...view, user, account, locale, lang: undefined, say: speaker(locale, view.auth.config.appName) };
}

/** What tells a page what to show; an address typed into a form goes along, what is no address does not. */
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
