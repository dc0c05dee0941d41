/**
 * The pages in a real browser, with a started service and a real mail server: an account's whole journey, with scripts
 * and without, by keyboard alone, and the look of each page.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startService } from "../kit/process/started_service.ts";
import { accessibilityFaults, openContext, startBrowser } from "./browser.ts";
import { startBrowserService } from "./browser_service.ts";
import { fill, press, runJourney, waitForText } from "./journey.ts";
import { checkPage, skipCheck } from "./screenshots.ts";

const LOCAL = { env: { DATABASE_URL: "sqlite::memory:" } };

Deno.test("an account's whole journey in a browser passes the page check, light and dark, narrow and wide", async () => {
  await using service = await startBrowserService();
  await using browser = await startBrowser();
  await runJourney(service, browser, {}, checkPage);
});

Deno.test("an account's whole journey works in a browser without JavaScript", async () => {
  await using service = await startBrowserService();
  await using browser = await startBrowser();
  await runJourney(service, browser, { javaScriptEnabled: false }, skipCheck);
});

Deno.test("axe-core finds an injected fault, so that an empty result means something", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  await page.goto("/login");
  await page.evaluate(`document.querySelector("label").remove(); document.querySelector("h1").style.color = "#ccc"`);
  const faults = await accessibilityFaults(page);
  assert.ok(faults.some((fault) => fault.startsWith("label:")), faults.join("\n"));
  assert.ok(faults.some((fault) => fault.startsWith("color-contrast:")), faults.join("\n"));
});

Deno.test("no page violates its own policy or loads anything from elsewhere", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  for (const path of ["/login", "/register", "/forgot", "/reset", "/verify"]) await page.goto(path);
  await page.goto("/register");
  await fill(page, "Email address", "bob@example.com");
  await fill(page, "Password", "b4l0u");
  await press(page, "Sign up");
  await waitForText(page, "Your account");
  assert.deepEqual(complaints, []);
  assert.deepEqual([...hosts], [service.url]);
});

Deno.test("a user can sign up by keyboard alone, in the order of the page", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url, { javaScriptEnabled: false })).newPage();
  await page.goto("/register");
  // The first field already has the focus.
  await page.keyboard.type("bob@example.com");
  await page.keyboard.press("Tab");
  await page.keyboard.type("b4l0u");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await waitForText(page, "Your account");
});

Deno.test("the script shows a password, ticks its rules off, and shows relative times", async () => {
  await using service = await startBrowserService();
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  await page.goto("/register");
  const field = page.getByLabel("Password", { exact: true });
  await field.fill("🙂🙂🙂🙂");
  assert.equal(await page.locator(".met").count(), 0, "four characters, however many units they take");
  await field.fill("eight ch");
  assert.equal(await page.locator(".met").count(), 1);
  await page.getByRole("button", { name: "Show password" }).click();
  assert.equal(await field.getAttribute("type"), "text");
  await page.getByRole("button", { name: "Hide password" }).click();
  assert.equal(await field.getAttribute("type"), "password");
});

Deno.test("caught mails have working links and codes that can be copied", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const context = await openContext(browser, service.url, { permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto("/register");
  await fill(page, "Email address", "bob@example.com");
  await fill(page, "Password", "b4l0u");
  await press(page, "Sign up");
  const form = page.getByRole("form", { name: "Email address" });
  await form.getByLabel("New email address").fill("bob@example.org");
  await form.getByLabel("Current password", { exact: true }).fill("b4l0u");
  await press(page, "Change address");
  await waitForText(page, "We’ve sent an email to bob@example.org");
  await press(page, "Development mailbox");
  const code = page.locator("[data-copy]");
  while (await code.count() === 0) await page.reload();
  await checkPage(page, "mailbox");
  assert.match((await page.locator("time").first().textContent())!, /now|second/);
  await press(page, "Copy");
  await waitForText(page, "Copied");
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), await code.textContent());
  await page.locator("a[href^='/change-email']").click();
  await press(page, "Confirm new address");
  await waitForText(page, "Your email address has been changed");
});

Deno.test("long words of other languages fit on the narrowest screen, and a brand's colours are readable", async () => {
  await using service = await startService({ env: { ...LOCAL.env, APP_COLOR: "#ffb300", APP_NAME: "Sonnenschein" } });
  await using browser = await startBrowser();
  for (const lang of ["de", "fr", "es", "pt"]) {
    const page = await (await openContext(browser, service.url, { locale: lang })).newPage();
    await page.goto("/register");
    await checkPage(page, `register-${lang}`);
    await page.locator("#email").fill(`${lang}@example.com`);
    await page.locator("#password").fill("b4l0u");
    await page.locator("button[type=submit]").click();
    await page.waitForURL("**/account");
    await checkPage(page, `account-${lang}`);
  }
});

Deno.test("a page with everything that it loads has less than 50 KB", async () => {
  await using service = await startService(LOCAL);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  const sizes: Promise<number>[] = [];
  page.on("response", (response) => sizes.push(response.body().then((body) => body.length)));
  await page.goto("/login", { waitUntil: "networkidle" });
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.length >= 4 && total < 50_000, `${sizes.length} files, ${total} bytes`);
});
