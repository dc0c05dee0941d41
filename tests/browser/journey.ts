/**
 * The journey of a new user through an account's whole life: by the texts of buttons and fields, and by the mails. Must
 * not call an endpoint.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openContext } from "./browser.ts";
import { type BrowserService, codeIn, linkIn } from "./browser_service.ts";
import type { PageCheck } from "./screenshots.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EMAIL = "anna@example.com", NEW_EMAIL = "anna@example.org";
const FIRST = "correct horse battery", SECOND = "battery staple horse", LAST = "staple battery correct";

/** Runs the journey with these browser settings, and checks every page on the way. */
export async function runJourney(
  service: BrowserService,
  browser: Browser,
  options: BrowserContextOptions,
  checkPage: PageCheck,
): Promise<void> {
  const context = await openContext(browser, service.url, options);
  const page = await context.newPage();
  await signUp(service, page, checkPage);
  await endSecondDevice(service, browser, options, page, checkPage);
  await recover(service, page, checkPage);
  await changeAddress(service, page, checkPage);
  await undo(service, page, checkPage);
  await leaveAndComeBack(service, page, checkPage);
  await context.close();
}

async function signUp(service: BrowserService, page: Page, checkPage: PageCheck): Promise<void> {
  await page.goto("/");
  await checkPage(page, "login");
  await press(page, "Sign up");
  await checkPage(page, "register");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Password", "password");
  await press(page, "Sign up");
  await waitForText(page, "most common passwords");
  await checkPage(page, "register-weak");
  assert.equal(await page.getByLabel("Email address").inputValue(), EMAIL);
  await fill(page, "Password", FIRST);
  await press(page, "Sign up");
  await checkPage(page, "verify-sent");
  const mail = await service.mailTo(EMAIL, /Finish signing up/);
  await fill(page, "Code from the email", codeIn(mail) === "00000000" ? "11111111" : "00000000");
  await press(page, "Confirm");
  await waitForText(page, "This code is wrong");
  await checkPage(page, "verify-wrong-code");
  await page.goto(linkIn(mail));
  await checkPage(page, "verify-link");
  await press(page, "Confirm");
  await waitForText(page, "Your email address is confirmed");
  await checkPage(page, "login-verified");
  await fill(page, "Password", "wrong password");
  await press(page, "Log in");
  await waitForText(page, "Wrong email address or password");
  await checkPage(page, "login-wrong");
  await fill(page, "Password", FIRST);
  await press(page, "Log in");
  await waitForText(page, "Your account");
  await page.goto(linkIn(mail));
  await checkPage(page, "verify-dead");
}

async function endSecondDevice(
  service: BrowserService,
  browser: Browser,
  options: BrowserContextOptions,
  page: Page,
  checkPage: PageCheck,
): Promise<void> {
  const other = await openContext(browser, service.url, { ...options, userAgent: FIREFOX });
  const stranger = await other.newPage();
  await logIn(stranger, EMAIL, FIRST);
  await page.goto("/account");
  await checkPage(page, "account");
  await press(page, "Log out Firefox on Windows");
  await waitForTextInView(page, "That device is logged out");
  await checkPage(page, "account-device-ended");
  await stranger.reload();
  await waitForText(stranger, "Your session has ended");
  await service.mailTo(EMAIL, /New login/);
  await fill(page, "Name", "Anna");
  await press(page, "Save");
  await waitForTextInView(page, "Saved.");
  assert.equal(await page.getByLabel("Name").inputValue(), "Anna");
  await other.close();
}

async function recover(service: BrowserService, page: Page, checkPage: PageCheck): Promise<void> {
  await press(page, "Log out");
  await waitForText(page, "You’re logged out.");
  await press(page, "Forgot your password?");
  await checkPage(page, "forgot");
  await fill(page, "Email address", EMAIL);
  await press(page, "Send link");
  await checkPage(page, "reset-code");
  await page.goto(linkIn(await service.mailTo(EMAIL, /Reset your password/)));
  await checkPage(page, "reset-link");
  await fill(page, "New password", "qwertyuiop");
  await press(page, "Set new password");
  await checkPage(page, "reset-weak");
  await fill(page, "New password", SECOND);
  await press(page, "Set new password");
  await waitForText(page, "Your new password is set");
  await checkPage(page, "login-reset");
  assert.equal(await page.getByLabel("Email address").inputValue(), EMAIL);
  await service.mailTo(EMAIL, /password .* was changed/);
  await logIn(page, EMAIL, SECOND);
  // After a reset the account knows no device.
  await service.mailTo(EMAIL, /New login/);
}

async function changeAddress(service: BrowserService, page: Page, checkPage: PageCheck): Promise<void> {
  const form = page.getByRole("form", { name: "Email address" });
  await form.getByLabel("New email address").fill(NEW_EMAIL);
  await form.getByLabel("Current password", { exact: true }).fill("wrong password");
  await press(page, "Change address");
  await waitForText(page, "This password is wrong.");
  await checkPage(page, "account-wrong");
  await form.getByLabel("Current password", { exact: true }).fill(SECOND);
  await press(page, "Change address");
  await waitForText(page, "We’ve sent an email to anna@example.org");
  await checkPage(page, "change-email-code");
  await page.goto(linkIn(await service.mailTo(NEW_EMAIL, /Confirm your new/)));
  await checkPage(page, "change-email-link");
  await press(page, "Confirm new address");
  await waitForTextInView(page, "Your email address has been changed");
  await checkPage(page, "account-email-changed");
  await service.mailTo(EMAIL, /address change requested/);
}

async function undo(service: BrowserService, page: Page, checkPage: PageCheck): Promise<void> {
  const link = linkIn(await service.mailTo(EMAIL, /address .* was changed/));
  await page.goto(link);
  await checkPage(page, "undo");
  await fill(page, "Password before the change", SECOND);
  await press(page, "Protect my account");
  await waitForText(page, "Your email address has been restored");
  await checkPage(page, "undo-done");
  await press(page, "Enter the code from the email");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Code from the email", codeIn(await service.mailTo(EMAIL, /Reset your password/)));
  await fill(page, "New password", LAST);
  await press(page, "Set new password");
  await service.mailTo(EMAIL, /password .* was changed/);
  await page.goto(link);
  await checkPage(page, "undo-dead");
  await logIn(page, EMAIL, LAST);
}

async function leaveAndComeBack(service: BrowserService, page: Page, checkPage: PageCheck): Promise<void> {
  const download = page.waitForEvent("download");
  await press(page, "Download");
  assert.equal((await download).suggestedFilename(), "account.json");
  const form = page.getByRole("form", { name: "Close account" });
  await form.getByLabel("Current password", { exact: true }).fill(LAST);
  await form.getByRole("button", { name: "Close account" }).click();
  await waitForText(page, "Your account is closed");
  await checkPage(page, "login-closed");
  await page.goto(linkIn(await service.mailTo(EMAIL, /account was closed/)));
  await checkPage(page, "reopen");
  await press(page, "Reopen account");
  await waitForText(page, "Your account is open again");
  await logIn(page, EMAIL, LAST);
  await page.goto("/nowhere");
  await waitForText(page, "Page not found");
  await checkPage(page, "lost");
}

/** Logs a user in on the login page. */
export async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/login");
  await fill(page, "Email address", email);
  await fill(page, "Password", password);
  await press(page, "Log in");
  await waitForText(page, "Your account");
}

/** Types into the field with this label. */
export async function fill(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).fill(text);
}

/** Presses the button or link with this text. */
export async function press(page: Page, words: string): Promise<void> {
  const exact = { name: words, exact: true };
  await page.getByRole("button", exact).or(page.getByRole("link", exact)).first().click();
}

/** Waits for a text that is visible without scrolling. */
async function waitForTextInView(page: Page, words: string): Promise<void> {
  await waitForText(page, words);
  const box = await page.getByText(words).first().boundingBox();
  const { height } = page.viewportSize()!;
  assert.ok(box && box.y >= 0 && box.y + box.height <= height, `"${words}" is not in sight: ${JSON.stringify(box)}`);
}

/** Waits for a visible text. */
export async function waitForText(page: Page, words: string): Promise<void> {
  await page.getByText(words).first().waitFor();
}
