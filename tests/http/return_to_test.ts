/**
 * Targets of the redirect after a login: only this service and trusted sites, in whatever spelling. Each string of the
 * list has fooled some parser.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { safeReturnTo } from "../../routes/http/return_to.ts";
import { BROWSER_ACCEPT, formOf, submitForm } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const TRUSTED = ["https://app.example.com", "https://app.example.org:8443"];
/** The base against which browsers resolve a Location. */
const HERE = "https://accounts.example.com";

const BYPASSES = [
  "//evil.example",
  "///evil.example",
  "////evil.example/x",
  "/\\evil.example",
  "\\/evil.example",
  "\\\\evil.example",
  "/\\/evil.example",
  "/.//evil.example",
  "/./\\evil.example",
  "/x/..//evil.example",
  "/%2e//evil.example",
  "/%2E%2E//evil.example",
  "/a/%2e%2e//evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r\n/evil.example",
  "\t//evil.example",
  " //evil.example",
  "//evil.example ",
  "\u0000//evil.example",
  "\u00a0//evil.example",
  "/\u2028/evil.example",
  "https:evil.example",
  "https:/evil.example",
  "https:///evil.example",
  "http:evil.example",
  "https:\\\\evil.example",
  "https://evil.example",
  "HTTPS://evil.example",
  "hTTps://evil.example",
  "https://app.example.com@evil.example/",
  "https://app.example.com:pass@evil.example/",
  "https://app.example.com%40evil.example/",
  "https://user@app.example.com/",
  "https://:@app.example.com/",
  "https://app.example.com.evil.example/",
  "https://app.example.comevil.example/",
  "https://app.example.com\\@evil.example/",
  "https://app.example.com\\.evil.example/",
  "https://app.example.com:443@evil.example/",
  "https://app.example.com:8443/",
  "https://app.example.org/",
  "https://app.example.org:84430/",
  "https://evil.example#https://app.example.com/",
  "https://evil.example?https://app.example.com/",
  "https://evil.example/https://app.example.com/",
  "https://app.example.com./",
  "https://APP.example.com/",
  "https://app.example\u3002com/",
  "https://app\uff0eexample.com/",
  "https://\u0430pp.example.com/",
  "https://app.example.com\u2044.evil.example/",
  "http://app.example.com/",
  "ftp://app.example.com/",
  "wss://app.example.com/",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\nscript:alert(1)",
  "javascript://app.example.com/%0aalert(1)",
  "data:text/html,x",
  "vbscript:x",
  "blob:https://app.example.com/x",
  "file:///etc/passwd",
  "about:blank",
  "view-source:https://app.example.com/",
  "evil.example",
  "account",
  "./account",
  "../account",
  "?next=/account",
  "#account",
  "@evil.example",
  ":80",
  "",
  "\\?x",
  "/\\evil.example?x",
  "/x\\..\\..//evil.example?\\",
  "https://app.example.com\\?@evil.example/",
  "https:\\\\app.example.com?x",
  "https://evil.example?\\https://app.example.com/",
  "/" + "x".repeat(8_000),
  "/" + "?".repeat(3_000),
];

Deno.test("S62, V04, V59: no spelling of return_to leads off this origin and the trusted ones", () => {
  assert.ok(BYPASSES.length >= 60);
  for (const target of BYPASSES) {
    assert.equal(safeReturnTo(target, TRUSTED), undefined, JSON.stringify(target));
  }
  assert.equal(safeReturnTo(undefined, TRUSTED), undefined);
});

Deno.test("paths of this service and pages of trusted sites are accepted unchanged", () => {
  const good = [
    "/account",
    "/account#password",
    "/",
    "/a/b?c=d&e=https://evil.example",
    "/x?next=//evil.example",
    "/%2F/evil.example",
    "/@evil.example",
    "https://app.example.com/",
    "https://app.example.com/welcome?x=1#y",
    "https://app.example.org:8443/x",
  ];
  for (const target of good) assert.equal(safeReturnTo(target, TRUSTED), target);
  assert.equal(safeReturnTo("/a/../b", TRUSTED), "/b");
  assert.equal(safeReturnTo("https://app.example.com", TRUSTED), "https://app.example.com/");
  assert.equal(safeReturnTo("https://app.example.com/", []), undefined);
});

Deno.test("B9: a backslash in a query or a fragment is no part of a path, so it is kept, encoded", () => {
  const kept = {
    "/search?q=a\\b": "/search?q=a%5Cb",
    "/x?\\\\evil.example": "/x?%5C%5Cevil.example",
    "/x#\\a?b\\c": "/x#%5Ca?b%5Cc",
    "/?a=%5C\\": "/?a=%5C%5C",
    "https://app.example.com/x?q=a\\b": "https://app.example.com/x?q=a%5Cb",
    "https://app.example.com?\\@evil.example": "https://app.example.com/?%5C@evil.example",
  };
  for (const [target, followed] of Object.entries(kept)) assert.equal(safeReturnTo(target, TRUSTED), followed);
});

Deno.test("B9: a long target is kept while an address with it fits into a line of 8 KiB", () => {
  for (const size of [2_001, 4_000, 7_000]) {
    const target = `/${"x".repeat(size)}?a=1`;
    assert.equal(safeReturnTo(target, TRUSTED), target, `${size}`);
  }
  const line = (target: string) => `GET /login?${new URLSearchParams({ return_to: target, lang: "de" })} HTTP/1.1`;
  for (const unit of ["x", "/", "%20", "a&b=c", "\\", "~"]) {
    let target = "/?";
    while (safeReturnTo(target + unit, TRUSTED) !== undefined) target += unit;
    const longest = line(safeReturnTo(target, TRUSTED)!).length;
    assert.ok(longest > 7_000 && longest < 8_000, `${unit}: ${longest}`);
  }
});

Deno.test("S62: property: every accepted target stays on this origin or a trusted one, for a browser", () => {
  const pieces = [
    "/",
    "\\",
    ".",
    "..",
    "@",
    ":",
    "//",
    "https:",
    "evil.example",
    "app.example.com",
    "%2e",
    "\t",
    "?",
    "#",
    "x",
  ];
  const written = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(""));
  const property = fc.property(fc.oneof(written, fc.string()), (target) => {
    const followed = safeReturnTo(target, TRUSTED);
    if (followed !== undefined) assert.ok([HERE, ...TRUSTED].includes(new URL(followed, HERE).origin), target);
  });
  fc.assert(property, { numRuns: 5_000 });
});

test("V04: a login never redirects to another site", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const headers = { accept: BROWSER_ACCEPT };
  for (const target of BYPASSES.filter((_, index) => index % 4 === 0)) {
    const form = { email: "bob@example.com", password: "b4l0u", return_to: target.replaceAll("\0", "") };
    const response = await service.request("POST", "/login", { form, headers });
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/account"], JSON.stringify(target));
    const page = await service.request("GET", `/login?${new URLSearchParams({ return_to: target })}`, { headers });
    assert.ok(!(await page.text()).includes("evil.example"));
  }
  const form = { email: "bob@example.com", password: "b4l0u", return_to: "/account#devices" };
  const response = await service.request("POST", "/login", { form, headers });
  assert.equal(response.headers.get("location"), "/account#devices");
});

test(
  "GET /login redirects a logged-in user at once, and only to an allowed target",
  async (service) => {
    for (const [target, location] of [["/change-email", "/change-email"], ["//evil.example", "/account"]]) {
      const session = await signedIn(service);
      const path = `/login?${new URLSearchParams({ return_to: target })}`;
      const response = await service.request("GET", path, { session });
      assert.deepEqual([response.status, response.headers.get("location")], [302, location]);
    }
  },
  PUBLIC_SETTINGS,
);

test("a login returns to a trusted site, and form-action in the policy allows it", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const page = await service.request("GET", "/login");
  // Browsers check the target of a form against form-action even when the answer redirects.
  assert.match(
    page.headers.get("content-security-policy")!,
    /form-action 'self' https:\/\/app\.example\.com https:\/\/app\.example\.org:8443;/,
  );
  for (
    const [return_to, location] of [["https://app.example.com/in", "https://app.example.com/in"], [
      "https://app.example.com@evil.example/",
      "/account",
    ]]
  ) {
    const form = { email: "bob@example.com", password: "b4l0u", return_to };
    const response = await service.request("POST", "/login", { form });
    assert.deepEqual([response.status, response.headers.get("location")], [303, location]);
  }
}, { TRUSTED_ORIGINS: TRUSTED.join() });

const EMAIL = "anna@example.com", PASSWORD = "correct horse battery", WAY = "/account#devices";

/** The cookies of an answer, as a browser sends them. */
const cookieOf = (response: Response) => response.headers.getSetCookie().map((each) => each.split(";")[0]).join("; ");

/** Opens the link of a mail with this cookie and sends the form on its page. */
async function follow(service: Service, path: string, cookie: string, typed = {}): Promise<string> {
  const opened = await service.request("GET", path, { headers: { accept: BROWSER_ACCEPT, cookie } });
  const { action, fields } = formOf(await opened.text());
  const form = { ...Object.fromEntries(fields), ...typed };
  const done = await service.request("POST", action, { form, headers: { accept: BROWSER_ACCEPT, cookie } });
  return new URL(done.headers.get("location")!, HERE).searchParams.get("return_to") ?? "";
}

test("return_to survives the mail of a sign-up and of a reset, and the mail does not contain it", async (service) => {
  const way = encodeURIComponent(WAY);
  const asked = await submitForm(service, `/register?return_to=${way}`, { email: EMAIL, password: PASSWORD });
  assert.match(
    asked.headers.getSetCookie()[0],
    /^__Host-return_to=.*; Path=\/; HttpOnly; Secure; SameSite=Lax; Expires=[^;]+ GMT$/,
  );
  const [proof] = await service.mails();
  assert.ok(!proof.text.includes("return_to") && !proof.text.includes("devices"));
  assert.equal(await follow(service, `/verify?token=${proof.token}`, cookieOf(asked)), WAY);

  const page = await (await service.request("GET", `/login?return_to=${way}`)).text();
  const forgot = /href="(\/forgot[^"]*)"/.exec(page)![1];
  const reset = await submitForm(service, forgot, { email: EMAIL });
  assert.equal(new URL(reset.headers.get("location")!, HERE).searchParams.get("return_to"), WAY);
  const [mail] = await service.mails();
  const typed = { new_password: "battery staple horse" };
  assert.equal(await follow(service, `/reset?token=${mail.token}`, cookieOf(reset), typed), WAY);

  const form = { email: EMAIL, password: typed.new_password };
  const headers = { accept: BROWSER_ACCEPT, cookie: cookieOf(reset) };
  const login = await service.request("POST", "/login", { form, headers });
  assert.match(login.headers.getSetCookie().join("\n"), /^__Host-return_to=; Max-Age=0/m);
}, PUBLIC_SETTINGS);

test(
  "B9: a long return_to with a backslash in its query survives the login, and the mail as far as a cookie holds it",
  async (service) => {
    const long = `/wiki/${"x".repeat(3_700)}?q=a\\b;c,d"%20&e=f`;
    const followed = `/wiki/${"x".repeat(3_700)}?q=a%5Cb;c,d%22%20&e=f`;
    const asked = await submitForm(service, `/register?${new URLSearchParams({ return_to: long })}`, {
      email: EMAIL,
      password: PASSWORD,
    });
    assert.equal(asked.status, 303);
    const kept = asked.headers.getSetCookie().find((cookie) => cookie.startsWith("__Host-return_to="))!;
    assert.ok(kept.split(";")[0].length <= 4_096);
    const [proof] = await service.mails();
    assert.equal(await follow(service, `/verify?token=${proof.token}`, cookieOf(asked)), followed);
    const longer = `/${"x".repeat(7_000)}`;
    const login = `/login?${new URLSearchParams({ return_to: longer })}`;
    const done = await submitForm(service, login, { email: EMAIL, password: PASSWORD });
    assert.deepEqual([done.status, done.headers.get("location")], [303, longer]);
    const forgotten = await submitForm(service, `/forgot?${new URLSearchParams({ return_to: longer })}`, {
      email: EMAIL,
    });
    assert.equal(forgotten.status, 303);
    assert.deepEqual(forgotten.headers.getSetCookie().filter((cookie) => cookie.includes("return_to=")), []);
  },
  PUBLIC_SETTINGS,
);

test(
  "B9: a proxy's page with a backslash in its query, or of 7,000 characters, is where its login returns to",
  async (service) => {
    for (const [page, followed] of [["/s?q=a\\b", "/s?q=a%5Cb"], [`/${"y".repeat(7_000)}`, `/${"y".repeat(7_000)}`]]) {
      const headers = { accept: BROWSER_ACCEPT, "x-forwarded-uri": page };
      const response = await service.request("GET", "/session?login=1", { headers });
      const location = new URL(response.headers.get("location")!, HERE);
      assert.equal(location.searchParams.get("return_to"), followed);
    }
  },
  PUBLIC_SETTINGS,
);

test("V04: return_to from a browser's cookie is checked like any other", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [{ token }] = await service.mails();
  for (const target of ["//evil.example", "https://evil.example", "%", "/.//evil.example"]) {
    const cookie = `__Host-return_to=${target === "%" ? "%" : encodeURIComponent(target)}`;
    const page = await service.request("GET", `/verify?token=${token}`, { headers: { cookie } });
    assert.equal(page.status, 200);
    assert.ok(!(await page.text()).includes("return_to"), target);
  }
}, PUBLIC_SETTINGS);

async function signedIn(service: Service): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await service.register(email, "correct horse battery");
  const [{ token }] = await service.mails();
  await service.send("PUT", "/verify_email", { verification_token: token });
  return await service.logIn(email, "correct horse battery");
}
