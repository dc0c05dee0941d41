/**
 * The texts of pages in the language of the reader. What a language lacks is shown in English.
 *
 * @module
 */
import type { Locale } from "../../../auth/languages.ts";
import { typeset } from "../../../auth/text.ts";
import { de } from "../words/de.ts";
import { en, type PageWord, type PageWords } from "../words/en.ts";
import { es } from "../words/es.ts";
import { fr } from "../words/fr.ts";
import { pt } from "../words/pt.ts";

/** The texts of each language. */
export const PAGE_WORDS: Readonly<Record<Locale, PageWords>> = { en, fr, de, es, pt };

/** The name of each language in that language. */
export const LANGUAGE_NAMES: Readonly<Record<Locale, string>> = {
  en: "English",
  fr: "Français",
  de: "Deutsch",
  es: "Español",
  pt: "Português",
};

/** Returns a text with its values filled in. The result is plain text, so it must be escaped where it is shown. */
export type Say = (word: PageWord, values?: Record<string, string | number>) => string;

/** Makes the function that returns texts in one language. */
export function translator(locale: Locale, appName: string): Say {
  return (word, values = {}) => {
    const all: Record<string, string | number> = { app: appName, ...values };
    const template = typeset(PAGE_WORDS[locale][word] ?? en[word], locale);
    // One pass: a value that looks like `{name}` is not replaced again.
    return template.replace(/\{(\w+)\}/g, (place, key: string) => String(all[key] ?? place));
  };
}

/** Whether a text of this name exists. For error codes, which may have none. */
export function isWord(word: string): word is PageWord {
  return Object.hasOwn(en, word);
}
