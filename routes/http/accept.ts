/**
 * Tells browsers from other programs. Must not look at anything but the request's `Accept`.
 *
 * @module
 */
import type { Exchange } from "./answers.ts";

/**
 * Whether `Accept` names text/html, as every browser does when it opens an address. A wildcard does not count: programs
 * send it, and get JSON.
 */
export function namesHtml(c: Exchange): boolean {
  return (c.req.header("accept") ?? "").slice(0, 1_000).split(",").some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === "text/html" && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
