/**
 * The languages of the service, and the choice among them for a client. Must not hold translated text.
 *
 * @module
 */

/** A language that mails and pages can be written in. */
export type Locale = "en" | "fr" | "de" | "es" | "pt";

/** Every language. The first one is the default. */
export const LOCALES: readonly Locale[] = ["en", "fr", "de", "es", "pt"];

/** How many characters of the header are read. Browsers send a tenth of that. */
const MOST = 1_000;

/**
 * The best language for an `Accept-Language` header (RFC 9110 12.5.4): the highest quality, then the first in the
 * header. A region counts as its language (`pt-BR` as `pt`). Ignores what it cannot read, and never throws.
 */
export function pickLocale(acceptLanguage: string | undefined): Locale {
  const qualities = new Map<string, number>();
  for (const range of (acceptLanguage ?? "").slice(0, MOST).split(",")) {
    const [tag, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const language = tag.split("-", 1)[0];
    const quality = qualityOf(parameters);
    if (quality !== undefined) qualities.set(language, Math.max(quality, qualities.get(language) ?? 0));
  }
  // `*` means every language that the header does not name. LOCALES puts English first among them.
  const rest = qualities.get("*") ?? 0;
  const wanted = [...LOCALES].map((locale) => ({ locale, quality: qualities.get(locale) ?? rest }));
  const named = [...qualities.keys()];
  const place = (locale: Locale): number => named.includes(locale) ? named.indexOf(locale) : named.length;
  wanted.sort((one, other) => other.quality - one.quality || place(one.locale) - place(other.locale));
  return wanted[0].quality > 0 ? wanted[0].locale : LOCALES[0];
}

/** 1 without a `q`. Undefined for an invalid one; valid is 0 to 1 with at most three decimals. */
function qualityOf(parameters: string[]): number | undefined {
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (weight === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : undefined;
}

/** The stored language, or English if there is none or this version does not know it. */
export function localeOf(stored: string | null): Locale {
  return LOCALES.find((locale) => locale === stored) ?? LOCALES[0];
}
