/**
 * What a person calls the program behind a `User-Agent` header. Good for showing only: clients write there what they
 * like, so nothing may be decided by it.
 *
 * @module
 */
import type { Locale } from "./languages.ts";
import { plainText } from "./text.ts";

/** In this order: each browser also names those below it. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

/** In this order: Android also says Linux, and iPhones say "like Mac OS X". */
const SYSTEMS: readonly [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\b(?:iPhone|iPad|iPod)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\b(?:Macintosh|Mac OS X)\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

const WORDS: Record<Locale, { on: string; unknown: string }> = {
  en: { on: "on", unknown: "an unknown device" },
  fr: { on: "sur", unknown: "un appareil inconnu" },
  de: { on: "unter", unknown: "ein unbekanntes Gerät" },
  es: { on: "en", unknown: "un dispositivo desconocido" },
  pt: { on: "no", unknown: "um dispositivo desconhecido" },
};

/** Longest part of the header that is read; real ones have about 150 characters. */
const MOST = 1_000;
/** Longest text of an unknown program that is shown. */
const MOST_SHOWN = 60;

/** "Firefox on Windows", or for a program that is not in the tables the start of what it says about itself. */
export function describeUserAgent(userAgent: string | undefined, locale: Locale): string {
  const text = plainText((userAgent ?? "").slice(0, MOST));
  if (text === "") return WORDS[locale].unknown;
  return knownUserAgent(text, locale) ?? [...text].slice(0, MOST_SHOWN).join("");
}

/**
 * As {@linkcode describeUserAgent}, with undefined for what is not in the tables: for mails to an address that nobody
 * has proven, which must not carry a text that a stranger wrote.
 */
export function knownUserAgent(userAgent: string | undefined, locale: Locale): string | undefined {
  const text = (userAgent ?? "").slice(0, MOST);
  if (/^curl\//.test(text)) return "curl";
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1];
  return browser && system ? `${browser} ${WORDS[locale].on} ${system}` : browser;
}
