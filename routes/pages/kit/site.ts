/**
 * What all pages share: style, script, icon and headers. The name of each file changes with its content. The headers
 * let a page load these files and nothing else.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Auth } from "../../../auth/auth.ts";
import { paletteOf } from "../../../auth/colors.ts";
import type { Config } from "../../../auth/config.ts";
// Imported as modules, so no permission to read files is needed.
import accountStyle from "./account.css" with { type: "text" };
import formStyle from "./forms.css" with { type: "text" };
import script from "./script.js" with { type: "text" };
import style from "./style.css" with { type: "text" };

/** A file for browsers. Its path holds a hash of its content. */
interface Asset {
  path: string;
  type: string;
  text: string;
}

/** What all pages of a service share. */
export interface Site {
  auth: Auth;
  style: Asset;
  /** Every page works without it. */
  script: Asset;
  /** For the tab of the browser. Also the logo above each page, unless another one is set. */
  icon: Asset;
  /** Headers of every page, in addition to those of every answer. */
  headers: Record<string, string>;
  /** Other sites to which a login may redirect. */
  origins: readonly string[];
}

/** Builds what pages share, once per service. */
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

/** The colour that the operator chose is in the style sheet, because a page may hold no style of its own. */
function colors(config: Readonly<Config>): string {
  const { accent, onAccent, light, dark, lightEdge, darkEdge } = paletteOf(config.appColor);
  return `:root{--accent:${accent};--on-accent:${onAccent};--tint:${light};--edge:${lightEdge}}\n` +
    `@media (prefers-color-scheme:dark){:root{--tint:${dark};--edge:${darkEdge}}}\n`;
}

function icon(config: Readonly<Config>): string {
  const { accent, onAccent } = paletteOf(config.appColor);
  const initial = [...config.appName.trim()][0]?.toUpperCase() ?? "";
  // As numbers, so that no character of a name can become markup.
  const escaped = [...initial].map((character) => `&#${character.codePointAt(0)};`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="10" ` +
    `fill="${accent}"/><text x="20" y="28" text-anchor="middle" font-family="system-ui,sans-serif" font-size="22" ` +
    `font-weight="600" fill="${onAccent}">${escaped}</text></svg>`;
}

/**
 * Allows everything from this origin and nothing inline, and the logo from its own origin. Browsers check the target of
 * a form also after a redirect. So the sites to which a login may redirect are allowed too.
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
