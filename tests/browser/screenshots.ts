/**
 * Checks a page in both colour schemes, on the narrowest and on a wide screen: saves screenshots for review, and fails
 * on faults of axe-core and on content that is too wide.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { accessibilityFaults } from "./browser.ts";

/** The folder of the screenshots; git ignores it. */
const PICTURES = new URL("screenshots/", import.meta.url);
const WIDTHS = [320, 1600];
const HEIGHT = 800;

/** Checks the current page under a name. */
export type PageCheck = (page: Page, name: string) => Promise<void>;

/** Checks the page and saves screenshots. */
export const checkPage: PageCheck = async (page, name) => {
  const before = page.viewportSize()!;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      const path = new URL(`${name}-${width}-${colorScheme}.png`, PICTURES).pathname;
      await page.waitForFunction("[...document.images].every((image) => image.complete)");
      await page.screenshot({ path, fullPage: true });
      const needed = await page.evaluate("document.documentElement.scrollWidth") as number;
      assert.ok(needed <= width, `${name} needs ${needed} pixels where there are ${width}`);
      assert.deepEqual(await accessibilityFaults(page), [], `${name}, ${width} pixels, ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
};

/** Checks nothing, for a second journey over the same pages. */
export const skipCheck: PageCheck = () => Promise.resolve();
