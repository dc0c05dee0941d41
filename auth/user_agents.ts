/**
 * Describes the program behind a `User-Agent` header. Must not be used for a decision: clients can send any text.
 *
 * @module
 */
import type { Locale } from "./languages.ts";
import { plainText } from "./text.ts";

/** The order matters: each browser also names those below it. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

/** The order matters: Android also says Linux, and iPhones say "like Mac OS X". */
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

/** How many characters of the header are read. Real headers have about 150. */
const MOST = 1_000;
/** How many characters of an unknown program's text are shown. */
const MOST_SHOWN = 60;

/** "Firefox on Windows". For an unknown program, the start of its own text. */
export function describeUserAgent(userAgent: string | undefined, locale: Locale): string {
  const text = plainText((userAgent ?? "").slice(0, MOST));
  if (text === "") return WORDS[locale].unknown;
  return knownUserAgent(text, locale) ?? [...text].slice(0, MOST_SHOWN).join("");
}

/** As describeUserAgent, but undefined if unknown: mails to unproven addresses must not carry a stranger's text. */
export function knownUserAgent(userAgent: string | undefined, locale: Locale): string | undefined {
  const text = (userAgent ?? "").slice(0, MOST);
  if (/^curl\//.test(text)) return "curl";
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1];
  return browser && system ? `${browser} ${WORDS[locale].on} ${system}` : browser;
}
