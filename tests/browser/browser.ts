/**
 * Debian's Chromium, driven by playwright-core: contexts in light and dark, with and without scripts, and axe-core's
 * verdict on what they show. Must not know a page of the service.
 *
 * @module
 */
import axe from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where Chromium lies on Debian; elsewhere name it by CHROMIUM. */
const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
/** As root, without a graphics card, and without calls home. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether there is a browser. */
export function hasBrowser(): boolean {
  try {
    return Deno.statSync(EXECUTABLE).isFile;
  } catch {
    return false;
  }
}

/** Starts the browser. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/** A person at a device of their own: no cookie of anybody else. */
export function openContext(browser: Browser, url: string, more: BrowserContextOptions = {}): Promise<BrowserContext> {
  return browser.newContext({ baseURL: url, locale: "en-GB", ...more });
}

/** What axe-core finds wrong on a page, a line each: every rule of WCAG 2.2 A and AA, and its best practices. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger, since the page's own policy takes no script from elsewhere.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run(document)") as {
    violations: { id: string; help: string; nodes: { target: string[] }[] }[];
  };
  return violations.map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map((node) => node.target).join(", ")}`);
}
