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
  en: { on: "on", unknown: "an unknown browser" },
  fr: { on: "sur", unknown: "un navigateur inconnu" },
  de: { on: "unter", unknown: "ein unbekannter Browser" },
  es: { on: "en", unknown: "un navegador desconocido" },
  pt: { on: "no", unknown: "um navegador desconhecido" },
};

/** How many characters of the header are read. Real headers have about 150. */
const MOST = 1_000;
/** How many characters of an unknown program's text are shown. */
const MOST_SHOWN = 60;

/**
 * "Firefox on Windows". For an unknown program, the start of its own text. Only for a device list: whoever is in it has
 * signed in.
 */
export function describeUserAgent(userAgent: string | undefined, locale: Locale): string {
  const text = plainText((userAgent ?? "").slice(0, MOST));
  return knownName(text, locale) ?? ([...text].slice(0, MOST_SHOWN).join("") || WORDS[locale].unknown);
}

/**
 * "Firefox on Windows", or "an unknown browser". For mails and events: strangers cause them, and their own text could
 * be a lure in the service's name.
 */
export function knownUserAgent(userAgent: string | undefined, locale: Locale): string {
  return knownName(userAgent ?? "", locale) ?? WORDS[locale].unknown;
}

function knownName(userAgent: string, locale: Locale): string | undefined {
  const text = userAgent.slice(0, MOST);
  if (/^curl\//.test(text)) return "curl";
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1];
  return browser && system ? `${browser} ${WORDS[locale].on} ${system}` : browser;
}
