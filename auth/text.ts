/**
 * Typography, and safe single lines from untrusted text. Must not know what a text says.
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
