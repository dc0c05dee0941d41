/**
 * The frame of every page: head, name or logo, and languages. Must not know a page.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Locale, LOCALES } from "../../../auth/languages.ts";
import { hasMailbox } from "../../api/dev_mailbox.ts";
import type { View } from "./view.ts";
import { LANGUAGE_NAMES } from "./words.ts";

interface LayoutProps {
  view: View;
  title: string;
  /** The page's own path, if people can choose another language. */
  self?: string;
  wide?: boolean;
  children?: Child;
}

/** A whole HTML document. */
export function Layout({ view, title, self, wide, children }: LayoutProps): JSX.Element {
  const { site, locale } = view;
  return (
    <html lang={locale}>
      <head>
        <meta charset="utf-8" />
        <title>{`${title} · ${site.auth.config.appName}`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href={site.style.path} />
        <link rel="icon" type="image/svg+xml" href={site.icon.path} />
        <script src={site.script.path} defer></script>
      </head>
      <body class={wide ? "wide" : undefined}>
        <header class="top">
          <Brand view={view} />
        </header>
        <main>{children}</main>
        <footer>
          {self !== undefined && (
            <nav aria-label={view.say("language")}>
              <ul class="languages">
                {LOCALES.map((each) => Language(view, each, self))}
              </ul>
            </nav>
          )}
          {hasMailbox(site.auth) && <a class="faint" href="/dev/mailbox">{view.say("mailbox")}</a>}
        </footer>
      </body>
    </html>
  );
}

function Brand({ view }: { view: View }): JSX.Element {
  const { appName, appLogoUrl } = view.auth.config;
  return (
    <a class="brand" href="/account">
      {appLogoUrl === undefined
        ? (
          <>
            <img src={view.site.icon.path} alt="" width="32" height="32" />
            <span>{appName}</span>
          </>
        )
        : <img class="logo" src={appLogoUrl} alt={appName} />}
    </a>
  );
}

function Language(view: View, each: Locale, self: string): JSX.Element {
  const name = LANGUAGE_NAMES[each];
  return (
    <li>
      {each === view.locale
        ? <span aria-current="true" lang={each}>{name}</span>
        : <a href={view.here(self, each)} lang={each} hreflang={each}>{name}</a>}
    </li>
  );
}
