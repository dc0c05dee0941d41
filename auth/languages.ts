/**
 * The languages that the service speaks, and which of them a client asks for. Must not hold words of its own.
 *
 * @module
 */

/** A language that mails and pages can be written in. */
export type Locale = "en" | "fr" | "de" | "es" | "pt";

/** Every language, the one that stands in for all others first. */
export const LOCALES: readonly Locale[] = ["en", "fr", "de", "es", "pt"];

/** Longest header that is read; what browsers send is a tenth of it. */
const MOST = 1_000;

/**
 * The best language for an `Accept-Language` header (RFC 9110 12.5.4): highest quality first, of equals the one named
 * first, a region stands for its language (`pt-BR` for `pt`). What cannot be read is passed over; nothing throws.
 */
export function pickLocale(acceptLanguage: string | undefined): Locale {
  const qualities = new Map<string, number>();
  for (const range of (acceptLanguage ?? "").slice(0, MOST).split(",")) {
    const [tag, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const language = tag.split("-", 1)[0];
    const quality = qualityOf(parameters);
    if (quality !== undefined) qualities.set(language, Math.max(quality, qualities.get(language) ?? 0));
  }
  // `*` is every language that the header does not name; LOCALES puts English first among them.
  const rest = qualities.get("*") ?? 0;
  const wanted = [...LOCALES].map((locale) => ({ locale, quality: qualities.get(locale) ?? rest }));
  const named = [...qualities.keys()];
  const place = (locale: Locale): number => named.includes(locale) ? named.indexOf(locale) : named.length;
  wanted.sort((one, other) => other.quality - one.quality || place(one.locale) - place(other.locale));
  return wanted[0].quality > 0 ? wanted[0].locale : LOCALES[0];
}

/** 1 without a `q`, undefined for a `q` that is none: at most three decimals, from 0 to 1. */
function qualityOf(parameters: string[]): number | undefined {
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (weight === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : undefined;
}

/** A stored language, or English for none and for one that this version does not know. */
export function localeOf(stored: string | null): Locale {
  return LOCALES.find((locale) => locale === stored) ?? LOCALES[0];
}
