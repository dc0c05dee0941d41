/**
 * A time on a page: whole and in UTC in the text, since nobody knows where the reader is; the script turns it into
 * the reader's own time, or "3 minutes ago".
 *
 * @module
 */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Locale } from "../../../auth/languages.ts";
import { isoTime } from "../../http/answers.ts";

/** A time, in milliseconds since 1970. */
export function Moment({ time, locale }: { time: number; locale: Locale }): JSX.Element {
  const format = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } as const;
  // Day before month and 24 hours, which all readers of English understand.
  const text = new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, format).format(time);
  return <time datetime={isoTime(time)}>{`${text} UTC`}</time>;
}
