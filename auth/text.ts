/**
 * Text for people: typed plainly, set well; and a stranger's text made one safe line. Must not know what it says.
 *
 * @module
 */
import type { Locale } from "./languages.ts";

const NO_BREAK_SPACE = "\u00a0", NO_BREAK_HYPHEN = "\u2011", APOSTROPHE = "\u2019";

/** A text with real apostrophes; the parts of `e-mail`, and in French `? ! : ;` and the word before, share a line. */
export function typeset(text: string, locale: Locale): string {
  const set = text.replaceAll("'", APOSTROPHE).replace(/\b(e)-(mail)/gi, `$1${NO_BREAK_HYPHEN}$2`);
  return locale === "fr" ? set.replace(/ (?=[?!:;])/g, NO_BREAK_SPACE) : set;
}

/**
 * One line without control characters: no line breaks that a header or a fact could be forged with, no signs that turn
 * the direction of writing and so make `moc.elpmaxe` read as something else (S23).
 */
export function plainText(text: string): string {
  return text.toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu, " ")
    .replace(/ +/g, " ")
    .trim();
}
