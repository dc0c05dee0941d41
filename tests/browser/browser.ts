/**
 * Debian's Chromium, driven by playwright-core: contexts in light and dark, with and without scripts, and axe-core's
 * faults of a page. Must not know a page of the service.
 *
 * @module
 */
import axe from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's path of Chromium; CHROMIUM sets another one. */
const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
/** Works as root and without a graphics card, and makes no requests of its own. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether Chromium is installed. */
export function hasBrowser(): boolean {
  try {
    return Deno.statSync(EXECUTABLE).isFile;
  } catch {
    return false;
  }
}

/** Starts Chromium. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/** A browser context for one person: it shares no cookie with another context. */
export function openContext(browser: Browser, url: string, more: BrowserContextOptions = {}): Promise<BrowserContext> {
  return browser.newContext({ baseURL: url, locale: "en-GB", ...more });
}

/** The faults that axe-core finds on a page, one line each: all rules of WCAG 2.2 A and AA, and best practices. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, because the page's own policy allows no foreign script.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run(document)") as {
    violations: { id: string; help: string; nodes: { target: string[] }[] }[];
  };
  return violations.map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map((node) => node.target).join(", ")}`);
}
