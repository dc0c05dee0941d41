/**
 * What all pages share: their style, script and picture under names that change with their content, and the headers
 * that let a page load these and nothing else.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Auth } from "../../../auth/auth.ts";
import { paletteOf } from "../../../auth/colors.ts";
import type { Config } from "../../../auth/config.ts";
// Resolved when the program is put together, so no permission to read is needed.
import accountStyle from "./account.css" with { type: "text" };
import formStyle from "./forms.css" with { type: "text" };
import script from "./script.js" with { type: "text" };
import style from "./style.css" with { type: "text" };

/** A file for browsers. */
export interface Asset {
  /** Its path, with a hash of its content. */
  path: string;
  /** Its media type. */
  type: string;
  /** Its content. */
  text: string;
}

/** What all pages of a service share. */
export interface Site {
  /** The rules' context. */
  auth: Auth;
  /** The one style sheet. */
  style: Asset;
  /** The one script; everything works without it. */
  script: Asset;
  /** The picture of the browser's tab, and the mark above each page where no other picture is set. */
  icon: Asset;
  /** Headers of every page beside those of every answer. */
  headers: Record<string, string>;
  /** Other sites to which people may be sent back after a login. */
  origins: readonly string[];
}

/** Makes what pages share, once. */
export function siteOf(auth: Auth): Site {
  const { config } = auth;
  const origins = config.trustedOrigins;
  return {
    auth,
    style: asset("style", "css", "text/css", colors(config) + style + formStyle + accountStyle),
    script: asset("script", "js", "text/javascript", script),
    icon: asset("icon", "svg", "image/svg+xml", icon(config)),
    headers: { "content-security-policy": contentPolicy(config, origins) },
    origins,
  };
}

function asset(name: string, ending: string, type: string, text: string): Asset {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { path: `/assets/${name}.${hash}.${ending}`, type, text };
}

/** The operator's colour stands in the style sheet, since a page may hold no style of its own. */
function colors(config: Readonly<Config>): string {
  const { accent, onAccent, light, dark, lightEdge, darkEdge } = paletteOf(config.appColor);
  return `:root{--accent:${accent};--on-accent:${onAccent};--tint:${light};--edge:${lightEdge}}\n` +
    `@media (prefers-color-scheme:dark){:root{--tint:${dark};--edge:${darkEdge}}}\n`;
}

function icon(config: Readonly<Config>): string {
  const { accent, onAccent } = paletteOf(config.appColor);
  const initial = [...config.appName.trim()][0]?.toUpperCase() ?? "";
  // As a number, so that no character of a name is ever markup.
  const escaped = [...initial].map((character) => `&#${character.codePointAt(0)};`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="10" ` +
    `fill="${accent}"/><text x="20" y="28" text-anchor="middle" font-family="system-ui,sans-serif" font-size="22" ` +
    `font-weight="600" fill="${onAccent}">${escaped}</text></svg>`;
}

/**
 * Everything from this origin and nothing inline; the logo from its own. Browsers hold a form's target against this
 * even when the answer redirects, so the sites that a login returns to are named too.
 */
function contentPolicy(config: Readonly<Config>, origins: readonly string[]): string {
  const logo = config.appLogoUrl === undefined ? "" : ` ${new URL(config.appLogoUrl).origin}`;
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    `img-src 'self'${logo}`,
    ["form-action 'self'", ...origins].join(" "),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}
