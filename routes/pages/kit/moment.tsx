/**
 * A time on a page. The text is the full time in UTC, because the service does not know the time zone of the reader.
 * The script changes it to the local time, or to a text such as "3 minutes ago".
 *
 * @module
 */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Locale } from "../../../auth/languages.ts";
import { momentText } from "../../../auth/text.ts";
import { isoTime } from "../../http/answers.ts";

/** Shows a time, which is in milliseconds since 1970. */
export function Moment({ time, locale }: { time: number; locale: Locale }): JSX.Element {
  return <time datetime={isoTime(time)}>{momentText(time, locale, "medium")}</time>;
}
