/**
 * The life of an account as somebody lives it who has never seen the service: by what stands on buttons and fields, and
 * by the mails. Must not call an endpoint.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { person } from "./browser.ts";
import type { Look } from "./looks.ts";
import { codeIn, linkIn, type Stage } from "./stage.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EMAIL = "anna@example.com", NEW_EMAIL = "anna@example.org";
const FIRST = "correct horse battery", SECOND = "battery staple horse", LAST = "staple battery correct";

/** Lives it, with these settings of the browser, looking at every page on the way. */
export async function live(stage: Stage, browser: Browser, options: BrowserContextOptions, look: Look): Promise<void> {
  const context = await person(browser, stage.url, options);
  const page = await context.newPage();
  await signUp(stage, page, look);
  await endSecondDevice(stage, browser, options, page, look);
  await recover(stage, page, look);
  await changeAddress(stage, page, look);
  await undo(stage, page, look);
  await leaveAndComeBack(stage, page, look);
  await context.close();
}

async function signUp(stage: Stage, page: Page, look: Look): Promise<void> {
  await page.goto("/");
  await look(page, "login");
  await press(page, "Sign up");
  await look(page, "register");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Password", "password");
  await press(page, "Sign up");
  await sees(page, "most common passwords");
  await look(page, "register-weak");
  assert.equal(await page.getByLabel("Email address").inputValue(), EMAIL);
  await fill(page, "Password", FIRST);
  await press(page, "Sign up");
  await look(page, "verify-sent");
  const mail = await stage.mailTo(EMAIL);
  await fill(page, "Code from the email", codeIn(mail) === "00000000" ? "11111111" : "00000000");
  await press(page, "Confirm");
  await sees(page, "This code is wrong");
  await look(page, "verify-wrong-code");
  await page.goto(linkIn(mail));
  await look(page, "verify-link");
  await press(page, "Confirm");
  await sees(page, "Your email address is confirmed");
  await look(page, "login-verified");
  await fill(page, "Password", "wrong password");
  await press(page, "Log in");
  await sees(page, "Wrong email address or password");
  await look(page, "login-wrong");
  await fill(page, "Password", FIRST);
  await press(page, "Log in");
  await sees(page, "Your account");
  await page.goto(linkIn(mail));
  await look(page, "verify-dead");
}

async function endSecondDevice(
  stage: Stage,
  browser: Browser,
  options: BrowserContextOptions,
  page: Page,
  look: Look,
): Promise<void> {
  const other = await person(browser, stage.url, { ...options, userAgent: FIREFOX });
  const stranger = await other.newPage();
  await logIn(stranger, EMAIL, FIRST);
  await page.goto("/account");
  await look(page, "account");
  await press(page, "Log out Firefox on Windows");
  await seesNow(page, "That device is logged out");
  await look(page, "account-device-ended");
  await stranger.reload();
  await sees(stranger, "Your session has ended");
  assert.match((await stage.mailTo(EMAIL)).subject, /New login/);
  await fill(page, "Name", "Anna");
  await press(page, "Save");
  await seesNow(page, "Saved.");
  assert.equal(await page.getByLabel("Name").inputValue(), "Anna");
  await other.close();
}

async function recover(stage: Stage, page: Page, look: Look): Promise<void> {
  await press(page, "Log out");
  await sees(page, "You’re logged out.");
  await press(page, "Forgot your password?");
  await look(page, "forgot");
  await fill(page, "Email address", EMAIL);
  await press(page, "Send link");
  await look(page, "reset-code");
  await page.goto(linkIn(await stage.mailTo(EMAIL)));
  await look(page, "reset-link");
  await fill(page, "New password", "qwertyuiop");
  await press(page, "Set new password");
  await look(page, "reset-weak");
  await fill(page, "New password", SECOND);
  await press(page, "Set new password");
  await sees(page, "Your new password is set");
  await look(page, "login-reset");
  assert.equal(await page.getByLabel("Email address").inputValue(), EMAIL);
  assert.match((await stage.mailTo(EMAIL)).subject, /password .* was changed/);
  await logIn(page, EMAIL, SECOND);
}

async function changeAddress(stage: Stage, page: Page, look: Look): Promise<void> {
  const form = page.getByRole("form", { name: "Email address" });
  await form.getByLabel("New email address").fill(NEW_EMAIL);
  await form.getByLabel("Current password", { exact: true }).fill("wrong password");
  await press(page, "Change address");
  await sees(page, "This password is wrong.");
  await look(page, "account-wrong");
  await form.getByLabel("Current password", { exact: true }).fill(SECOND);
  await press(page, "Change address");
  await sees(page, "We’ve sent an email to anna@example.org");
  await look(page, "change-email-code");
  await page.goto(linkIn(await stage.mailTo(NEW_EMAIL)));
  await look(page, "change-email-link");
  await press(page, "Confirm new address");
  await seesNow(page, "Your email address has been changed");
  await look(page, "account-email-changed");
  assert.match((await stage.mailTo(EMAIL)).subject, /address change requested/);
}

async function undo(stage: Stage, page: Page, look: Look): Promise<void> {
  const link = linkIn(await stage.mailTo(EMAIL));
  await page.goto(link);
  await look(page, "undo");
  await fill(page, "Password before the change", SECOND);
  await press(page, "Protect my account");
  await sees(page, "Your email address has been restored");
  await look(page, "undo-done");
  await press(page, "Enter the code from the email");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Code from the email", codeIn(await stage.mailTo(EMAIL)));
  await fill(page, "New password", LAST);
  await press(page, "Set new password");
  await stage.mailTo(EMAIL);
  await page.goto(link);
  await look(page, "undo-dead");
  await logIn(page, EMAIL, LAST);
}

async function leaveAndComeBack(stage: Stage, page: Page, look: Look): Promise<void> {
  const download = page.waitForEvent("download");
  await press(page, "Download");
  assert.equal((await download).suggestedFilename(), "account.json");
  const form = page.getByRole("form", { name: "Close account" });
  await form.getByLabel("Current password", { exact: true }).fill(LAST);
  await form.getByRole("button", { name: "Close account" }).click();
  await sees(page, "Your account is closed");
  await look(page, "login-closed");
  await page.goto(linkIn(await stage.mailTo(EMAIL)));
  await look(page, "reopen");
  await press(page, "Reopen account");
  await sees(page, "Your account is open again");
  await logIn(page, EMAIL, LAST);
  await page.goto("/nowhere");
  await sees(page, "Page not found");
  await look(page, "lost");
}

/** Logs somebody in from the login page. */
export async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/login");
  await fill(page, "Email address", email);
  await fill(page, "Password", password);
  await press(page, "Log in");
  await sees(page, "Your account");
}

/** Types into the field with this label. */
export async function fill(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).fill(text);
}

/** Presses the button or link with these words. */
export async function press(page: Page, words: string): Promise<void> {
  const exact = { name: words, exact: true };
  await page.getByRole("button", exact).or(page.getByRole("link", exact)).first().click();
}

/** Waits for words that somebody sees without scrolling. */
async function seesNow(page: Page, words: string): Promise<void> {
  await sees(page, words);
  const box = await page.getByText(words).first().boundingBox();
  const { height } = page.viewportSize()!;
  assert.ok(box && box.y >= 0 && box.y + box.height <= height, `"${words}" is not in sight: ${JSON.stringify(box)}`);
}

/** Waits for words that somebody can see. */
export async function sees(page: Page, words: string): Promise<void> {
  await page.getByText(words).first().waitFor();
}
