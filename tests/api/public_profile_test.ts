/**
 * The public profile as a whole: its cookies, its links, what it does not offer, and that each of its settings changes
 * nothing else.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser } from "../../auth/admin/users.ts";
import { ANNA, BERT, logIn, mailTo, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const LOGIN = { form: { email: ANNA, password: PASSWORD } };

test(
  "S42: the session cookie has the __Host- prefix, Secure, HttpOnly, SameSite=Lax and Path=/",
  async (service) => {
    await signUp(service);
    const [cookie] = (await service.request("POST", "/sessions", LOGIN)).headers.getSetCookie();
    assert.match(
      cookie,
      /^__Host-session_id=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax; Expires=[^;]+ GMT$/,
    );
  },
  PUBLIC_SETTINGS,
);

test("S42, V33, V49: in public only the cookie named __Host-session_id is read", async (service) => {
  await signUp(service);
  await signUp(service, BERT);
  const [anna, bert] = [await logIn(service), await logIn(service, BERT)];
  const seen = async (cookie: string): Promise<unknown> => {
    const response = await service.request("GET", "/profile", { headers: { cookie } });
    return response.status === 200 ? (await response.json()).email : response.status;
  };
  assert.equal(await seen(`session_id=${anna.session}`), 403);
  assert.equal(await seen(`session_id=${bert.session}; __Host-session_id=${anna.session}`), ANNA);
  assert.equal(await seen(`__Host-session_id=${anna.session}; session_id=${bert.session}`), ANNA);
  assert.equal(await seen(`__Host-session_id=${anna.session}; __Host-session_id=${bert.session}`), 403);
  assert.equal(await seen(`__host-session_id=${anna.session}`), 403);
  assert.equal(await seen(`\u00a0__Host-session_id=${bert.session}; __Host-session_id=${anna.session}`), ANNA);
}, PUBLIC_SETTINGS);

test(
  "S43: a logout clears the session cookie and storage, but not the device cookie",
  async (service) => {
    await signUp(service);
    const { session, device } = await logIn(service);
    const response = await service.request("DELETE", "/sessions", { session, device });
    assert.equal(response.headers.get("clear-site-data"), '"storage"');
    const cookies = response.headers.getSetCookie();
    const ended = "Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    assert.deepEqual(cookies, [`__Host-session_id=; ${ended}`]);
  },
  PUBLIC_SETTINGS,
);

test("S43, S66: every answer of the public profile has no-store and HSTS, also refusals", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const requests: [string, string][] = [
    ["GET", "/account"],
    ["GET", "/account/events"],
    ["GET", "/account/export"],
    ["GET", "/sessions"],
    ["PATCH", "/account"],
    ["PUT", "/password"],
    ["POST", "/change_email"],
    ["PUT", "/change_email"],
    ["POST", "/undo"],
    ["POST", "/reopen"],
    ["PUT", "/verify_email"],
    ["POST", "/verify_email"],
    ["DELETE", "/sessions/none"],
    ["PUT", "/account"],
    ["DELETE", "/sessions/others"],
    ["DELETE", "/account"],
  ];
  for (const [method, path] of requests) {
    const response = await service.request(method, path, { session });
    assert.ok(response.status < 500, `${method} ${path}`);
    assert.equal(response.headers.get("cache-control"), "no-store", `${method} ${path}`);
    assert.equal(response.headers.get("strict-transport-security"), "max-age=31536000; includeSubDomains");
    await response.body?.cancel();
  }
}, PUBLIC_SETTINGS);

test("S44: a session id is read from the cookie only, at every endpoint that needs a session", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const query = new URLSearchParams({ session_id: session, "__Host-session_id": session });
  const headers = { authorization: `Bearer ${session}`, "x-session-id": session };
  for (const path of ["/profile", "/account", "/account/events", "/account/export", "/sessions"]) {
    assert.deepEqual(await outcome(service, "GET", `${path}?${query}`, { headers }), [403, "no_session"], path);
  }
  const form = { session_id: session, password: PASSWORD };
  assert.deepEqual(await outcome(service, "DELETE", `/account?${query}`, { form, headers }), [403, "no_session"]);
}, PUBLIC_SETTINGS);

/** The beginning of the first link in a mail, without its token. */
async function linkOf(service: Service, email: string): Promise<string> {
  const { text } = await mailTo(service, email);
  return /https?:\/\/[^/\s]+\/[\w-]*/.exec(text)![0];
}

test("S32, V20, V04: no header or field of a request changes a link in a mail", async (service) => {
  const forged: Record<string, string>[] = [
    { host: "evil.test" },
    { "x-forwarded-host": "evil.test", "x-forwarded-proto": "http", "x-forwarded-port": "81" },
    { forwarded: "host=evil.test;proto=http" },
    { "x-original-host": "evil.test", "x-rewrite-url": "http://evil.test/", "x-forwarded-prefix": "/evil" },
    { referer: "https://evil.test/", "x-forwarded-server": "evil.test" },
  ];
  for (const [index, headers] of forged.entries()) {
    const email = `p${index}@example.com`;
    const callbacks = { callbackURL: "https://evil.test", redirect: "//evil.test", return_to: "https://evil.test" };
    const form = { email, password: PASSWORD, ...callbacks };
    assert.deepEqual(await outcome(service, "POST", "/users", { form, headers }), [200, null]);
    assert.equal(await linkOf(service, email), "https://accounts.example.com/verify");
    const opened = await service.request("POST", "http://evil.test/reset_password", { form: { email }, headers });
    assert.equal(opened.status, 200, "Host is no reason to refuse in public");
    await service.mails();
  }
  await signUp(service);
  for (const headers of forged) {
    await service.request("POST", "/reset_password", { form: { email: ANNA }, headers });
    const mails = await service.mails();
    for (const { text, html } of mails) {
      assert.ok(text.includes("https://accounts.example.com/reset?token="));
      assert.ok(!(text + html).includes("evil"));
    }
  }
}, PUBLIC_SETTINGS);

test("V04: a logout redirects to / of this service, whatever the query says", async (service) => {
  await signUp(service);
  for (const query of ["?next=https://evil.test", "?return_to=//evil.test", "?redirect=%5Cevil.test"]) {
    const { session } = await logIn(service);
    const response = await service.request("DELETE", `/sessions${query}`, { session });
    assert.deepEqual([response.status, response.headers.get("location")], [302, "/logout/done"]);
  }
}, PUBLIC_SETTINGS);

test("GET /dev/mailbox answers 404 in the public profile", async (service) => {
  assert.deepEqual(await outcome(service, "GET", "/dev/mailbox"), [404, "not_found"]);
}, PUBLIC_SETTINGS);

test("GET /dev/mailbox answers the mails of a local service, newest first", async (service) => {
  await service.register(ANNA, "b4l0u");
  await service.send("POST", "/verify_email", { email: ANNA });
  const [{ token }] = await service.mails();
  const [status, body] = await service.send("GET", "/dev/mailbox");
  assert.equal(status, 200);
  const [mail] = (body as { mails: Record<string, string>[] }).mails;
  assert.equal(mail.to, ANNA);
  assert.match(mail.sent_at, /^\d{4}-\d\d-\d\dT/);
  assert.ok(mail.text.includes(token) && mail.html.includes(token));
  assert.deepEqual(await outcome(service, "GET", "/dev/mailbox", { headers: { host: "evil.test" } }), [
    403,
    "host_refused",
  ]);
});

test("POST /reset_password in public never answers the token, whatever the request", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const local: Record<string, string>[] = [{}, { host: "localhost" }, {
    "x-forwarded-for": "127.0.0.1",
    accept: "*/*",
  }];
  for (const headers of local) {
    const response = await service.request("POST", "/reset_password", { json: { email: ANNA }, session, headers });
    assert.deepEqual(await response.json(), { email: ANNA, message: "reset mail sent" });
  }
}, PUBLIC_SETTINGS);

/** What must hold in the public profile, whatever a setting is (V22). */
async function assertPublic(service: Service, settings: Record<string, string>): Promise<void> {
  const { signUp: sign, passwordMinLength } = service.auth.config;
  const weak = { email: ANNA, password: "x".repeat(3) };
  const closed = sign === "closed";
  const expected = closed ? [403, "sign_up_closed"] : [400, "weak_password"];
  assert.deepEqual(await outcome(service, "POST", "/users", { form: weak }), expected);
  assert.ok(passwordMinLength >= 8);
  if (!closed) {
    await service.register(ANNA, "some staples of nine horses");
    const login = { form: { email: ANNA, password: "some staples of nine horses" } };
    assert.equal((await outcome(service, "POST", "/sessions", login))[0], 401, "before the proof");
    const { token } = await mailTo(service, ANNA);
    assert.equal((await service.send("PUT", "/verify_email", { verification_token: token }))[0], 200);
    const response = await service.request("POST", "/sessions", login);
    for (const cookie of response.headers.getSetCookie()) assert.match(cookie, /^__Host-.*; Secure;/);
  }
  const reset = await service.send("POST", "/reset_password", { email: ANNA });
  assert.deepEqual(reset, [200, { email: ANNA, message: "reset mail sent" }]);
  assert.equal((await outcome(service, "GET", "/dev/mailbox"))[0], 404);
  const statuses = [];
  for (let tries = 0; tries < 12; tries++) {
    const form = { email: BERT, password: "guess guess" };
    statuses.push((await outcome(service, "POST", "/sessions", { form }))[0]);
  }
  assert.equal(statuses.includes(429), settings.THROTTLE !== "observe");
}

/**
 * A change of address needs the password and the proof of the new mailbox, and other websites cannot make one (V22).
 */
async function assertDoublyConfirmed(service: Service): Promise<void> {
  await createUser(service.auth, OPERATOR, BERT, "some staples of nine horses");
  const { session } = await logIn(service, BERT, "some staples of nine horses");
  const wish = { new_email: "bert@example.org" };
  for (const form of [wish, { ...wish, password: "not the password of Bert" }]) {
    const refused = await outcome(service, "POST", "/change_email", { form, session });
    assert.deepEqual(refused, [403, "wrong_password"]);
  }
  const right = { form: { ...wish, password: "some staples of nine horses" }, session };
  const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.test" };
  assert.deepEqual(await outcome(service, "POST", "/change_email", { ...right, headers }), [403, "origin_refused"]);
  assert.deepEqual(await outcome(service, "POST", "/change_email", right), [200, null]);
  const [, before] = await service.send("GET", "/profile", undefined, session);
  assert.deepEqual(before, { email: BERT }, "nothing is in force before the proof");
  const mails = await service.mails();
  assert.deepEqual(mails.filter(({ to }) => to.startsWith("bert")).map(({ to }) => to).sort(), [
    BERT,
    "bert@example.org",
  ]);
  const change_token = mails.find(({ to }) => to === "bert@example.org")!.token;
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { change_token }, session }), [200, null]);
  assert.match((await mailTo(service, BERT)).text, /\/undo\?token=/);
}

const SWITCHES: [string, string][] = [
  ["SIGN_UP", "closed"],
  ["THROTTLE", "observe"],
  ["PASSWORD_MIN_LENGTH", "20"],
  ["SESSION_IDLE", "1h"],
  ["SESSION_MAX", "8d"],
  ["APP_NAME", "Else"],
  ["EVENT_RETENTION", "1d"],
  ["MAIL_FROM", "else@example.org"],
  ["TRUSTED_PROXIES", "192.0.2.0/24"],
  ["TRUSTED_ORIGINS", "https://app.example.com"],
  ["BCRYPT_COST", "5"],
  ["APP_COLOR", "#123456"],
];
for (const [name, value] of SWITCHES) {
  test(
    `V22: ${name}=${value} switches off no other protection`,
    (service) => assertPublic(service, { [name]: value }),
    {
      ...PUBLIC_SETTINGS,
      [name]: value,
    },
  );
  test(`V22: with ${name}=${value} a change of address still needs password and proof`, assertDoublyConfirmed, {
    ...PUBLIC_SETTINGS,
    [name]: value,
  });
}

const ALL = Object.fromEntries(SWITCHES);
test("V22: all settings together switch off no other protection", (service) => assertPublic(service, ALL), {
  ...PUBLIC_SETTINGS,
  ...ALL,
});
test("V22: with all settings together a change of address still needs password and proof", assertDoublyConfirmed, {
  ...PUBLIC_SETTINGS,
  ...ALL,
});
