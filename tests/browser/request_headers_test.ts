/**
 * The headers by which a browser says where a request comes from, as Chromium sends them: no token of a link in any
 * Referer, and our own origin with every form. Also when something on the way takes Sec-Fetch-Site away.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { startSmtpServer } from "../kit/process/smtp_server.ts";
import { startService } from "../kit/process/started_service.ts";
import { openContext, startBrowser } from "./browser.ts";
import { linkIn } from "./browser_service.ts";
import { fill, press, waitForText } from "./journey.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse battery", NEW_PASSWORD = "battery staple horse";

/** A request as it arrived at the service. */
interface Seen {
  method: string;
  path: string;
  referer: string | null;
  origin: string | null;
}

/** The public service behind a proxy that notes the requests, and may take Fetch metadata away as old browsers do. */
async function withProxy(
  strip: boolean,
  work: (origin: string, seen: Seen[], mailTo: (address: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const smtp = await startSmtpServer();
  const seen: Seen[] = [];
  let target = "";
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    const method = request.method;
    seen.push({ method, path: pathname + search, referer: headers.get("referer"), origin: headers.get("origin") });
    if (strip) { for (const name of [...headers.keys()]) if (name.startsWith("sec-fetch-")) headers.delete(name); }
    const body = method === "GET" ? undefined : await request.arrayBuffer();
    return await fetch(target + pathname + search, { method, headers, body, redirect: "manual" });
  });
  const origin = `http://localhost:${proxy.addr.port}`;
  const env = {
    DATABASE_URL: "sqlite::memory:",
    HOST: "127.0.0.1",
    PUBLIC_URL: origin,
    MAIL_URL: smtp.url,
    MAIL_FROM: "accounts@example.com",
  };
  try {
    await using service = await startService({ env });
    target = service.url;
    let count = 0;
    await work(origin, seen, async () => linkIn((await smtp.arrived(++count)).at(-1)!));
  } finally {
    await proxy.shutdown();
    await smtp.stop();
  }
}

/** Signs up by mail, resets the password by mail, and logs in: forms of pages with and without a token. */
async function signUpAndReset(page: Page, mailTo: (address: string) => Promise<string>): Promise<string[]> {
  await page.goto("/register");
  await fill(page, "Email address", EMAIL);
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign up");
  await waitForText(page, "Check your email");
  const proof = await mailTo(EMAIL);
  await page.goto(proof, { waitUntil: "networkidle" });
  await press(page, "Confirm");
  await waitForText(page, "Your email address is confirmed");
  await page.goto("/forgot");
  await fill(page, "Email address", EMAIL);
  await press(page, "Send link");
  await waitForText(page, "Check your email");
  const reset = await mailTo(EMAIL);
  await page.goto(reset, { waitUntil: "networkidle" });
  await fill(page, "New password", NEW_PASSWORD);
  await press(page, "Set new password");
  await waitForText(page, "Your new password is set");
  await fill(page, "Password", NEW_PASSWORD);
  await press(page, "Log in");
  await waitForText(page, "Your account");
  return [proof, reset].map((link) => new URL(link).searchParams.get("token")!);
}

for (const [what, strip] of [["every header", false], ["Sec-Fetch-Site taken away", true]] as const) {
  for (const javaScriptEnabled of [true, false]) {
    Deno.test(`B3: forms come with our own origin and no Referer has a token, with ${what}, scripts ${javaScriptEnabled ? "on" : "off"}`, async () => {
      await withProxy(strip, async (origin, seen, mailTo) => {
        await using browser = await startBrowser();
        const page = await (await openContext(browser, origin, { javaScriptEnabled })).newPage();
        const tokens = await signUpAndReset(page, mailTo);
        for (const token of tokens) {
          assert.ok(seen.some(({ path }) => path.includes(token)), "the link was opened");
          assert.ok(!seen.some(({ referer }) => referer?.includes(token)), "no Referer has its token");
        }
        const posts = seen.filter(({ method }) => method === "POST");
        assert.ok(posts.length >= 5, `${posts.length}`);
        for (const post of posts) assert.deepEqual([post.origin, post.referer], [origin, `${origin}/`], post.path);
        const assets = seen.filter(({ path }) => path.startsWith("/assets/"));
        assert.ok(assets.length >= 2);
        for (const { path, referer } of assets) {
          assert.ok([null, `${origin}/`].includes(referer), `${path}: ${referer}`);
        }
        // A page with a token is left for another page too.
        assert.ok(seen.every(({ referer }) => referer === null || referer === `${origin}/`), JSON.stringify(seen));
      });
    });
  }
}
