/**
 * Where a person may be sent after a login: a path here, or a page of a trusted site. Nothing else, however it is
 * written (S62, V04, V59): a link to this login that leads elsewhere would lend our name to a lure.
 *
 * @module
 */

/** Longest target that is followed. */
const MOST = 2_000;
/** Any base will do: a target that changes it is refused. */
const BASE = "https://base.invalid";

/**
 * The target as it may stand in a `Location`, or undefined when it may not. Browsers drop tabs and line breaks inside
 * an address, read `\` as `/`, and take `//host` for another site; so all that is read in two ways is refused first, and
 * what is left is compared after parsing.
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
  // `/./` and `/x/../` vanish in parsing, and `/.//evil.example` becomes another site.
  return path.startsWith("//") ? undefined : path;
}

/** As written it must begin with the origin, and as parsed it must be there: no user name, no odd spelling. */
function safeUrl(target: string, origins: readonly string[]): string | undefined {
  const url = URL.parse(target);
  const origin = origins.find((trusted) => target === trusted || /^[/?#]/.test(target.slice(trusted.length)));
  if (!url || origin === undefined || !target.startsWith(origin) || url.origin !== origin) return undefined;
  return url.username === "" && url.password === "" ? url.href : undefined;
}
