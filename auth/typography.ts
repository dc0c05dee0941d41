/**
 * How words are set, so that the texts of each language can be written with the keys of a keyboard. Must be given a text
 * before its values are filled in: what people typed stays as they typed it.
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
