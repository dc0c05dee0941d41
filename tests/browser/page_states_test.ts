/**
 * Pages with faults, missing data or unusual values: the states that the journey does not reach.
 *
 * @module
 */
import assert from "node:assert/strict";
import { register, startService } from "../kit/process/started_service.ts";
import { openContext, startBrowser } from "./browser.ts";
import { startBrowserService } from "./browser_service.ts";
import { fill, logIn, press, waitForText } from "./journey.ts";
import { checkPage } from "./screenshots.ts";

const LOCAL = { DATABASE_URL: "sqlite::memory:" };
const LONG_NAME = "Genossenschaftlicherwohnungsbauverwaltungsverein Nordrhein";
const EMAIL = "bob@example.com", PASSWORD = "b4l0u";

Deno.test("pages for expired links and missing tokens pass the page check", async () => {
  await using service = await startBrowserService();
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  for (const path of ["reset", "change-email", "reopen", "undo"]) {
    await page.goto(`/${path}?token=${"x".repeat(43)}`);
    await checkPage(page, `${path}-dead`);
  }
  for (const path of ["undo", "reset", "verify"]) {
    await page.goto(`/${path}`);
    await checkPage(page, `${path}-without`);
  }
  await page.goto("/reset?email=bob@example.com&done=resent");
  await checkPage(page, "reset-resent");
});

Deno.test("forms that are refused as a whole, or at every field, pass the page check", async () => {
  await using service = await startService({ env: LOCAL });
  await register(service, EMAIL, PASSWORD);
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  await page.goto("/login");
  await page.evaluate("document.forms[0].noValidate = true");
  await press(page, "Log in");
  await checkPage(page, "login-empty");
  for (let count = 0; !await page.getByText("Too many failed attempts").isVisible(); count++) {
    assert.ok(count < 20, "guesses are not limited");
    await fill(page, "Email address", EMAIL);
    await fill(page, "Password", "wrong");
    await press(page, "Log in");
  }
  await checkPage(page, "login-throttled");
  await page.goto("/register");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign up");
  await checkPage(page, "register-taken");
});

Deno.test("a form sent after its session ended leads back to its section after the login", async () => {
  await using service = await startService({ env: LOCAL });
  await register(service, EMAIL, PASSWORD);
  await using browser = await startBrowser();
  const context = await openContext(browser, service.url);
  const page = await context.newPage();
  await logIn(page, EMAIL, PASSWORD);
  await context.clearCookies();
  await press(page, "Save");
  await waitForText(page, "Your session had ended");
  await checkPage(page, "login-unsaved");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Password", PASSWORD);
  await press(page, "Log in");
  await page.waitForURL("**/account#profile");
});

Deno.test("the empty mailbox, the page of endpoints and the closed sign-up pass the page check", async () => {
  await using service = await startService({ env: { ...LOCAL, SIGN_UP: "closed" } });
  await using browser = await startBrowser();
  const page = await (await openContext(browser, service.url)).newPage();
  for (const [path, name] of [["/dev/mailbox", "mailbox-empty"], ["/docs", "docs"], ["/register", "register-closed"]]) {
    await page.goto(path);
    await checkPage(page, name);
  }
});

Deno.test("a long name fits, and replaces a logo that does not load", async () => {
  const env = { ...LOCAL, APP_NAME: LONG_NAME };
  for (
    const [name, more] of [["long-name", {}], ["no-logo", { APP_LOGO_URL: "https://127.0.0.1:9/logo.png" }]] as const
  ) {
    await using service = await startService({ env: { ...env, ...more } });
    await using browser = await startBrowser();
    const page = await (await openContext(browser, service.url)).newPage();
    await page.goto("/login");
    await page.locator(".brand").getByText(LONG_NAME).waitFor();
    await checkPage(page, name);
  }
});

Deno.test("times are in the reader's time zone, and in UTC without JavaScript", async () => {
  await using service = await startService({ env: LOCAL });
  await register(service, EMAIL, PASSWORD);
  await using browser = await startBrowser();
  for (const [javaScriptEnabled, shown] of [[true, /^\d+ \w+ \d{4}, \d\d:\d\d$/], [false, /UTC$/]] as const) {
    const page = await (await openContext(browser, service.url, { javaScriptEnabled, timezoneId: "Asia/Tokyo" }))
      .newPage();
    await logIn(page, EMAIL, PASSWORD);
    const time = page.locator("time").first();
    assert.match((javaScriptEnabled ? await time.getAttribute("title") : await time.textContent())!, shown);
    if (!javaScriptEnabled) continue;
    assert.match((await time.textContent())!, /now|ago/);
    const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", timeZone: "Asia/Tokyo" }).format();
    assert.ok((await time.getAttribute("title"))!.includes(` ${hour}:`), "the hour is Tokyo's");
  }
});

Deno.test("links, buttons and fields are large enough for a finger", async () => {
  await using service = await startService({ env: LOCAL });
  await register(service, EMAIL, PASSWORD);
  await using browser = await startBrowser();
  const options = { hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } };
  const page = await (await openContext(browser, service.url, options)).newPage();
  const heights = `[...document.querySelectorAll("a, button, input:not([type=hidden], [hidden]), select")]
    .map((each) => [each.textContent || each.name, Math.round(each.getBoundingClientRect().height)])`;
  const small = async () => (await page.evaluate(heights) as [string, number][]).filter(([, height]) => height < 40);
  await page.goto("/login");
  assert.deepEqual((await small()).filter(([text]) => text !== "Bienvenue" && text !== "Development mailbox"), []);
  await logIn(page, EMAIL, PASSWORD);
  assert.deepEqual((await small()).filter(([text]) => text !== "Bienvenue" && text !== "Development mailbox"), []);
});
