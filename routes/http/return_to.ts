/**
 * Where a browser may be sent after a login: to a path here, or to a page of a trusted site. Nothing else, however it
 * is written (S62, V04, V59). Otherwise a link to this login could lead to a phishing site.
 *
 * @module
 */

/**
 * Longest target that is accepted, in characters of a query that holds it. Common proxies take request lines of 8 KiB,
 * and the line has an address and a language too.
 */
const MOST = 7_500;
/** Any base is possible: a target that changes it is refused. */
const BASE = "https://base.invalid";

/**
 * The target for a `Location`, or undefined when it is not allowed. Browsers drop tabs and line breaks inside an
 * address, read `\` as `/`, and take `//host` for another site. So everything that can be read in two ways is refused
 * first. The rest is compared after parsing. In a query or a fragment `\` is no `/`: there it is kept, encoded.
 */
export function safeReturnTo(target: string | undefined, origins: readonly string[]): string | undefined {
  if (target === undefined || target.length > MOST || !/^[\x21-\x7e]+$/.test(target)) return undefined;
  const [, path, rest] = /^([^?#]*)(.*)$/.exec(target)!;
  if (path.includes("\\")) return undefined;
  const written = path + rest.replaceAll("\\", "%5C");
  const safe = written.startsWith("/") ? safePath(written) : safeUrl(written, origins);
  return safe !== undefined && isShort(safe) ? safe : undefined;
}

function isShort(target: string): boolean {
  return String(new URLSearchParams({ target })).length - "target=".length <= MOST;
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
