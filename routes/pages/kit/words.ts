/**
 * The words of pages in the reader's language. What a language lacks is said in English.
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

/** The languages' words. */
export const PAGE_WORDS: Readonly<Record<Locale, PageWords>> = { en, fr, de, es, pt };

/** What each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Locale, string>> = {
  en: "English",
  fr: "Français",
  de: "Deutsch",
  es: "Español",
  pt: "Português",
};

/** Gives a text with its values filled in. The result is plain text: what shows it escapes it. */
export type Say = (word: PageWord, values?: Record<string, string | number>) => string;

/** Says things in a language. */
export function speaker(locale: Locale, appName: string): Say {
  return (word, values = {}) => {
    const all: Record<string, string | number> = { app: appName, ...values };
    const template = typeset(PAGE_WORDS[locale][word] ?? en[word], locale);
    // One pass: a value that looks like a place stays as it is.
    return template.replace(/\{(\w+)\}/g, (place, key: string) => String(all[key] ?? place));
  };
}

/** Whether there is such a word, for codes that come from elsewhere. */
export function isWord(word: string): word is PageWord {
  return Object.hasOwn(en, word);
}
