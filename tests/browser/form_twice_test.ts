/**
 * The script that sends a form once, and the look of the pages after a log-out and after a mistyped code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startService } from "../kit/process/started_service.ts";
import { openContext, startBrowser } from "./browser.ts";
import { fill, press, waitForText } from "./journey.ts";
import { checkPage } from "./screenshots.ts";

const LOCAL = { env: { DATABASE_URL: "sqlite::memory:" } };
const EMAIL = "bob@example.com";

Deno.test("B2: with the script a form is sent once, however often it is clicked, and its button says that it works", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  await page.goto("/forgot");
  await fill(page, "Email address", EMAIL);
  // Counts what the script lets through, and keeps the browser on the page.
  const seen = await page.evaluate(`(() => {
    const form = document.querySelector("form"), button = form.querySelector("button");
    let sent = 0;
    document.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) sent++;
      event.preventDefault();
    });
    button.click();
    button.click();
    form.requestSubmit();
    const busy = [sent, button.disabled, form.getAttribute("aria-busy")];
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    button.click();
    return [...busy, sent];
  })()`);
  assert.deepEqual(seen, [1, true, "true", 2]);
});

Deno.test("B2: the button works again when the person comes back to the page", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  await page.goto("/forgot");
  await fill(page, "Email address", "nobody@example.com");
  await press(page, "Send link");
  await waitForText(page, "There’s no account");
  await page.goBack();
  const button = page.getByRole("button", { name: "Send link" });
  await button.waitFor();
  assert.equal(await button.isEnabled(), true);
});

Deno.test("the page after a log-out, and a code that is none, pass the page check", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  for (const lang of ["en", "de", "fr", "es", "pt"]) {
    const page = await (await openContext(browser, service.url, { locale: lang })).newPage();
    await page.goto("/logout/done");
    await checkPage(page, `logout-done-${lang}`);
    await page.goto("/verify?email=bob@example.com");
    await page.locator("#code").fill("1234 567");
    await page.locator("form[action='/verify'] button[type=submit]").click();
    await page.locator("#code-fault").waitFor();
    await checkPage(page, `verify-no-code-${lang}`);
  }
});
