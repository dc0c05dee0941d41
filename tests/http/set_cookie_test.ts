/**
 * The cookies of every answer that sets some: how long they live, in which order they come, and in which form clients
 * send them back. And the content type of JSON.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readCookie } from "../../routes/http/cookies.ts";
import { BROWSER_ACCEPT, submitForm } from "../kit/form_browser.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse battery", OTHER = "battery staple horse";
const HTML = { accept: BROWSER_ACCEPT };

interface Cookie {
  name: string;
  value: string;
  attributes: Map<string, string>;
}

function cookiesOf(response: Response): Cookie[] {
  return response.headers.getSetCookie().map((line) => {
    const [pair, ...attributes] = line.split("; ");
    const equals = pair.indexOf("=");
    const parts = attributes.map((each) => each.split("=")).map(([name, value]) => [name, value ?? ""] as const);
    return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes: new Map(parts) };
  });
}

/** Every answer of an account's life that sets a cookie, by JSON and by page, of a browser that has a return cookie. */
async function answersWithCookies(service: Service): Promise<Response[]> {
  const isPublic = service.auth.config.profile === "public";
  const kept = { cookie: `${isPublic ? "__Host-" : ""}return_to=%2Fwiki` };
  const all: Response[] = [];
  const keep = async (asked: Promise<Response>): Promise<string> => {
    const response = await asked;
    assert.ok(response.status < 400, `${response.status} ${await response.clone().text()}`);
    all.push(response);
    return sessionOf(response) ?? "";
  };
  const call = (method: string, path: string, options: RequestOptions = {}) => service.request(method, path, options);
  const post = (path: string, form: Record<string, string>, session?: string) =>
    call("POST", path, { form, session, headers: { ...HTML, ...kept } });
  const newest = async (): Promise<string> => (await service.mails()).findLast(({ token }) => token !== "")!.token;

  await keep(post("/register", { email: EMAIL, password: PASSWORD, return_to: "/wiki" }));
  if (isPublic) await keep(post("/verify", { token: await newest() }));
  await keep(call("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }));
  let session = await keep(post("/login", { email: EMAIL, password: PASSWORD }));
  session = await keep(
    call("PUT", "/password", { form: { current_password: PASSWORD, new_password: OTHER }, session }),
  );
  const swap = { current_password: OTHER, new_password: PASSWORD };
  session = await keep(post("/account/password", swap, session));
  for (const [email, byPage] of [["b@example.com", false], ["c@example.com", true]] as const) {
    await keep(call("POST", "/change_email", { form: { new_email: email, password: PASSWORD }, session }));
    const token = await newest();
    session = byPage
      ? await keep(post("/change-email", { token }, session))
      : await keep(call("PUT", "/change_email", { form: { change_token: token }, session }));
  }
  await keep(call("DELETE", "/sessions", { session }));
  const again = { email: "c@example.com", password: PASSWORD };
  await keep(post("/logout", {}, await keep(post("/login", again))));
  session = await keep(post("/login", again));
  await keep(post("/account/close", { password: PASSWORD }, session));
  await keep(call("GET", "/login", { headers: HTML }));
  return all;
}

for (const [profile, settings] of [["local", {}], ["public", PUBLIC_SETTINGS]] as const) {
  test(
    `C1: every cookie that lives has Expires beside Max-Age, and an ended one a past date, in the ${profile} profile`,
    async (service) => {
      const cookies = (await answersWithCookies(service)).flatMap(cookiesOf);
      const names = new Set(cookies.map(({ name }) => name.replace("__Host-", "")));
      for (const name of ["session_id", "device_id", "return_to"]) assert.ok(names.has(name), name);
      for (const { name, value, attributes } of cookies) {
        const maxAge = attributes.get("Max-Age");
        const expires = attributes.get("Expires");
        assert.equal(maxAge === undefined, expires === undefined, `${name} has one of the two`);
        if (maxAge === undefined) continue;
        assert.equal(value === "", maxAge === "0", name);
        const end = maxAge === "0" ? 0 : Math.floor(service.clock.now / 1000 + Number(maxAge)) * 1000;
        assert.equal(expires, new Date(end).toUTCString(), name);
      }
    },
    settings,
  );

  test(
    `C6: the session cookie is the first Set-Cookie line of every answer that has it, in the ${profile} profile`,
    async (service) => {
      const lines = (await answersWithCookies(service)).map((response) => cookiesOf(response).map(({ name }) => name));
      const withSession = lines.filter((names) => names.some((name) => name.endsWith("session_id")));
      assert.ok(withSession.length >= 9, `${withSession.length}`);
      assert.ok(withSession.some((names) => names.some((name) => name.endsWith("return_to"))));
      for (const [first] of withSession) assert.match(first, /^(?:__Host-)?session_id$/, lines.join("\n"));
    },
    settings,
  );
}

test("C6: JSON is application/json without a parameter, in successes, refusals and faults", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const all: [string, string, RequestOptions?][] = [
    ["GET", "/"],
    ["POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }],
    ["POST", "/sessions", { form: { email: EMAIL, password: "wrong" } }],
    ["POST", "/users", {}],
    ["GET", "/profile"],
    ["GET", "/nowhere"],
    ["GET", "/openapi.json"],
    ["GET", "/dev/mailbox"],
  ];
  for (const [method, path, options] of all) {
    const response = await service.request(method, path, options);
    assert.equal(response.headers.get("content-type"), "application/json", `${method} ${path}`);
  }
  const page = await service.request("GET", "/login", { headers: HTML });
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
});

test("C1: one pair of quotes around a cookie's value is no part of it, as Java sends it", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const status = async (cookie: string) => (await service.request("GET", "/profile", { headers: { cookie } })).status;
  assert.equal(await status(`$Version="1"; session_id="${session}";$Path="/";$Domain="localhost"`), 200);
  assert.equal(await status(`session_id="${session}"; device_id="x"`), 200);
  for (const value of [`""${session}""`, `"${session}`, `${session}"`, `'${session}'`, `" ${session}"`, `"`, `""`]) {
    assert.equal(await status(`session_id=${value}`), 403, value);
  }
  assert.equal(await status(`session_id="${session}"; session_id=${session}`), 403, "two of one name");
});

Deno.test("C1: a value is read without one pair of quotes, and a single quote stays", () => {
  const cases = { '"a"': "a", '""': "", '"': '"', '""a""': '"a"', 'a"': 'a"', '"a': '"a', 'a"b': 'a"b' };
  for (const [sent, read] of Object.entries(cases)) assert.equal(readCookie(`x=${sent}`, "x"), read, sent);
});

test("C1: a browser without scripts stays logged in by the cookies that it was given", async (service) => {
  const done = await submitForm(service, "/register", { email: EMAIL, password: PASSWORD });
  const cookie = cookiesOf(done).map(({ name, value }) => `${name}="${value}"`).join("; ");
  assert.equal((await service.request("GET", "/account", { headers: { ...HTML, cookie } })).status, 200);
});
