/**
 * Looks at a page as people do, in both schemes and on the narrowest and a wide screen: keeps pictures for those who
 * review them, and fails on what axe-core finds and on anything that sticks out.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { accessibilityFaults } from "./browser.ts";

/** Where the pictures go; git ignores it. */
const PICTURES = new URL("screenshots/", import.meta.url);
const WIDTHS = [320, 1600];
const HEIGHT = 800;

/** Looks at the page as it is now. */
export type PageCheck = (page: Page, name: string) => Promise<void>;

/** Looks and keeps pictures. */
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

/** Looks away, for a second walk over pages that were looked at. */
export const skipCheck: PageCheck = () => Promise.resolve();
