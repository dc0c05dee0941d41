/**
 * Typography, times as text, and safe single lines from untrusted text. Must not know what a text says.
 *
 * @module
 */
import type { Locale } from "./languages.ts";

const NO_BREAK_SPACE = "\u00a0", NO_BREAK_HYPHEN = "\u2011", APOSTROPHE = "\u2019";

/** Sets typographic apostrophes. Keeps `e-mail`, and in French `? ! : ;` and the word before, on one line. */
export function typeset(text: string, locale: Locale): string {
  const set = text.replaceAll("'", APOSTROPHE).replace(/\b(e)-(mail)/gi, `$1${NO_BREAK_HYPHEN}$2`);
  return locale === "fr" ? set.replace(/ (?=[?!:;])/g, NO_BREAK_SPACE) : set;
}

/** Makes a value for each key once. Only for keys out of a fixed list, since it forgets none. */
function kept<T>(make: (key: string) => T): (key: string) => T {
  const values = new Map<string, T>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) values.set(key, value = make(key));
    return value;
  };
}

// A new formatter takes a hundred times the CPU of formatting, and a page shows hundreds of times.
const dateFormat = kept((key) => {
  const [locale, dateStyle] = key.split(" ") as [Locale, "medium" | "long"];
  const format = { dateStyle, timeStyle: "short", timeZone: "UTC" } as const;
  // en-GB: day before month and 24 hours, which all readers of English understand.
  return new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, format);
});
const waitFormat = kept((locale) => new Intl.RelativeTimeFormat(locale));

/** A time in milliseconds since 1970, in UTC, and the text says so: the reader's time zone is not known. */
export function momentText(time: number, locale: Locale, dateStyle: "medium" | "long"): string {
  return `${dateFormat(`${locale} ${dateStyle}`).format(time)} UTC`;
}

/** "in 15 minutes", from seconds. Rounds up, so that a retry at this time is never too early. */
export function waitText(seconds: number, locale: Locale): string {
  const [amount, unit] = seconds < 60
    ? [seconds, "seconds"] as const
    : seconds < 5_400
    ? [Math.ceil(seconds / 60), "minutes"] as const
    : [Math.ceil(seconds / 3_600), "hours"] as const;
  return waitFormat(locale).format(amount, unit);
}

/**
 * One line without control characters. A line break could forge a header or a fact; a change of the writing direction
 * makes `moc.elpmaxe` look like another text (S23).
 */
export function plainText(text: string): string {
  return text.toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu, " ")
    .replace(/ +/g, " ")
    .trim();
}
