/**
 * Where a browser may be sent after a login: to a path here, or to a page of a trusted site. Nothing else, however it
 * is written (S62, V04, V59). Otherwise a link to this login could lead to a phishing site.
 *
 * @module
 */

/** Longest target that is accepted, in characters. */
const MOST = 2_000;
/** Any base is possible: a target that changes it is refused. */
const BASE = "https://base.invalid";

/**
 * The target for a `Location`, or undefined when it is not allowed. Browsers drop tabs and line breaks inside an
 * address, read `\` as `/`, and take `//host` for another site. So everything that can be read in two ways is refused
 * first. The rest is compared after parsing.
 */
export function safeReturnTo(target: string | undefined, origins: readonly string[]): string | undefined {
  if (target === undefined || target.length > MOST || !/^[\x21-\x7e]+$/.test(target) || target.includes("\\")) {
    return undefined;
  }
  return target.startsWith("/") ? safePath(target) : safeUrl(target, origins);
}

function safePath(target: string): string | undefined {
  const url = URL.parse(target, BASE);
  if (url?.origin !== BASE) return undefined;
  const path = url.pathname + url.search + url.hash;
  // Parsing removes `/./` and `/x/../`. So `/.//evil.example` becomes `//evil.example`, which is another site.
  return path.startsWith("//") ? undefined : path;
}

/** The text must begin with the origin, and the parsed URL must have it too: no user name, no unusual spelling. */
function safeUrl(target: string, origins: readonly string[]): string | undefined {
  const url = URL.parse(target);
  const origin = origins.find((trusted) => target === trusted || /^[/?#]/.test(target.slice(trusted.length)));
  if (!url || origin === undefined || !target.startsWith(origin) || url.origin !== origin) return undefined;
  return url.username === "" && url.password === "" ? url.href : undefined;
}
