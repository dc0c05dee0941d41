/**
 * Credentials that are forged, changed by a character or sent in the wrong place: they give no access, change nothing
 * of another user, and cause no fault.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "correct horse 9";
const PROTECTED: [string, string][] = [
  ["GET", "/profile"],
  ["GET", "/sessions"],
  ["GET", "/account"],
  ["GET", "/account/events"],
  ["GET", "/account/export"],
  ["PATCH", "/account"],
  ["DELETE", "/account"],
  ["PUT", "/password"],
  ["POST", "/change_email"],
  ["DELETE", "/sessions"],
  ["DELETE", "/sessions/others"],
  ["DELETE", "/sessions/01920000-0000-7000-8000-000000000000"],
];

async function assertClosed(service: Service, options: RequestOptions, label: string): Promise<void> {
  for (const [method, path] of PROTECTED) {
    const response = await service.request(method, path, options);
    assert.equal(response.status, 403, `${method} ${path} with ${label}`);
    assert.equal(response.headers.get("error-code"), "no_session", `${method} ${path} with ${label}`);
  }
}

test("V18, V32: an Authorization header is ignored, whatever its scheme, and does not disturb a session cookie", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const basic = btoa(`${EMAIL}:${PASSWORD}`);
  const schemes = [
    `Bearer ${session}`,
    `bearer ${session}`,
    `BEARER  ${session}`,
    `Basic ${session}`,
    `Basic ${basic}`,
    `Digest username="${EMAIL}"`,
    `Session ${session}`,
    session,
    `Bearer ${session}, Bearer x`,
    "Bearer",
    "Bearer null",
    "",
    " ",
    "Basic %%%",
    "Negotiate AAAA",
    "\u00ff\u00fe",
    "a".repeat(8_000),
  ];
  for (const authorization of schemes) {
    await assertClosed(service, { headers: { authorization } }, `Authorization: ${authorization}`);
    const both = await service.request("GET", "/profile", { headers: { authorization }, session });
    assert.equal(both.status, 200, "the cookie alone decides");
  }
});

/** Texts that are almost the secret: shorter, longer, in other letters. */
function almost(secret: string): string[] {
  const flip = (text: string) => text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
  return [
    secret.slice(0, -1),
    secret.slice(1),
    `${secret}A`,
    `A${secret}`,
    secret + secret,
    [...secret].map(flip).join(""),
    `${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`,
    `${secret}=`,
    `${secret}%00`,
    `""${secret}""`,
    `"${secret}`,
    secret.replace(/^./, (first) => encodeURIComponent(first) === first ? `%${first.charCodeAt(0).toString(16)}` : "%"),
  ];
}

test("V54, V14: a session id that is almost right gives no access and ends no session", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const before = await service.rows("SELECT * FROM sessions");
  for (const forged of almost(session)) await assertClosed(service, { session: forged }, forged);
  // Other names of the cookie are ignored.
  const names = ["session", "session_id_2", "session_id.1", "__Host-session_id", "__Secure-session_id", "sid"];
  for (const name of names) await assertClosed(service, { headers: { cookie: `${name}=${session}` } }, name);
  assert.deepEqual(await service.rows("SELECT * FROM sessions"), before);
});

test("V54: a token that is almost right is refused, and the right one stays valid", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
    number,
    Record<string, string>,
  ];
  const update = (token: string) =>
    service.send("PUT", "/reset_password", { email: EMAIL, reset_token: token, new_password: "another horse 7" });
  for (const forged of almost(reset_token)) assert.equal((await update(forged))[0], 403, forged);
  assert.equal((await update(reset_token))[0], 200);
});

test("V14: another user's session ids and cookies cannot end that user's session", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.register("eve@example.com", PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const eve = await service.logIn("eve@example.com", PASSWORD);
  const [{ id }] = await service.rows(
    "SELECT sessions.id FROM sessions JOIN users ON users.id = user_id WHERE email = $1",
    EMAIL,
  );
  assert.equal((await service.send("DELETE", `/sessions/${id}`, undefined, eve))[0], 404);
  assert.equal((await service.send("DELETE", "/sessions/others", undefined, eve))[0], 200);
  // Two session cookies count as none, so neither session ends.
  const both = { cookie: `session_id=${eve}; session_id=${session}` };
  assert.equal((await service.request("DELETE", "/sessions", { headers: both })).status, 403);
  for (const each of [session, eve]) assert.equal((await service.send("GET", "/profile", undefined, each))[0], 200);
});

test("V39: ended sessions, used tokens and old passwords are refused by an instance that starts later", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const loggedOut = await service.logIn(EMAIL, PASSWORD);
  const ended = await service.logIn(EMAIL, PASSWORD);
  const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
    number,
    Record<string, string>,
  ];
  assert.equal((await service.send("DELETE", "/sessions", undefined, loggedOut))[0], 302);
  const started = await service.another();
  assert.equal((await started.send("GET", "/profile", undefined, loggedOut))[0], 403);
  assert.equal((await started.send("GET", "/profile", undefined, ended))[0], 200);
  const update = { email: EMAIL, reset_token, new_password: "another horse 7" };
  assert.equal((await service.send("PUT", "/reset_password", update))[0], 200);
  const restarted = await service.another();
  for (const session of [loggedOut, ended]) {
    assert.equal((await restarted.send("GET", "/profile", undefined, session))[0], 403);
  }
  assert.equal((await restarted.send("PUT", "/reset_password", update))[0], 403);
  const old = { email: EMAIL, password: PASSWORD };
  assert.equal((await restarted.send("POST", "/sessions", old))[0], 401);
});

test("V58, S13: PATCH /account ignores identity fields and server-owned fields of the account", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const before = await (await service.request("GET", "/account", { session })).json();
  const claims = { id: "1", sub: "1", aud: "x", role: "admin", is_admin: true, email: "eve@example.com" };
  const more = {
    email_verified_at: 1,
    email_key: "eve@example.com",
    created_at: 0,
    hashed_password: null,
    user_id: "1",
  };
  const json = { ...claims, ...more, name: "Bob" };
  const changed = await service.request("PATCH", "/account", { session, json });
  assert.deepEqual(await changed.json(), { ...before, name: "Bob" });
  const [row] = await service.rows("SELECT email, email_key, email_verified_at FROM users");
  assert.deepEqual({ ...row }, { email: EMAIL, email_key: EMAIL, email_verified_at: null });
});

test("V36: a path with an encoded slash answers 404, and answers to a session are never cached", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  for (
    const path of [
      "/account%2fexport",
      "/account%2Fevents",
      "/admin%2Fusers",
      "/sessions%2fothers",
      "/account%5cexport",
    ]
  ) {
    const response = await service.request("GET", path, { session });
    assert.equal(response.status, 404, path);
  }
  for (const [method, path] of PROTECTED.slice(0, 5)) {
    const response = await service.request(method, path, { session });
    assert.deepEqual([response.status, response.headers.get("cache-control")], [200, "no-store"], path);
    // An appended file name must not reach it either: some caches store answers by file name.
    assert.ok([404, 405].includes((await service.request(method, `${path}/x.css`, { session })).status), path);
  }
});

test("V40, S72: a field longer than its limit answers 400 at every endpoint and costs no hash", async (service) => {
  const { done } = service.auth.hashQueue.counts;
  const long = "a".repeat(15_000);
  const forms: [string, string, string][] = [
    ["POST", "/users", "password"],
    ["POST", "/users", "email"],
    ["POST", "/sessions", "email"],
    ["POST", "/sessions", "password"],
    ["POST", "/reset_password", "email"],
    ["PUT", "/reset_password", "new_password"],
    ["PUT", "/reset_password", "reset_token"],
    ["POST", "/verify_email", "email"],
    ["PUT", "/verify_email", "verification_token"],
    ["PUT", "/change_email", "change_token"],
    ["POST", "/undo", "undo_token"],
    ["POST", "/reopen", "reopen_token"],
  ];
  for (const [method, path, name] of forms) {
    const form = { email: EMAIL, password: PASSWORD, reset_token: "x", new_password: PASSWORD, [name]: long };
    const [status] = await service.send(method, path, form);
    assert.equal(status, 400, `${method} ${path} ${name}`);
  }
  assert.equal(service.auth.hashQueue.counts.done, done);
});

test(
  "S51: after five wrong codes, over all networks and mails of an address, no code is taken for an hour",
  async (service) => {
    await service.register(EMAIL, PASSWORD);
    const [{ code: first }] = await service.mails();
    let code = first;
    const verify = (typed: string, ip: string) =>
      service.request("PUT", "/verify_email", { ip, form: { email: EMAIL, code: typed } });
    const wrong = (right: string) => right === "00000000" ? "00000001" : "00000000";
    for (let tries = 0; tries < 5; tries++) {
      assert.equal((await verify(wrong(code), `192.0.${tries}.1`)).status, 403);
      // A new mail with a new code gives no new tries.
      if (tries < 3) {
        assert.equal((await service.send("POST", "/verify_email", { email: EMAIL }))[0], 200);
        code = (await service.mails()).at(-1)!.code;
      }
    }
    const refused = await verify(code, "198.51.100.1");
    assert.deepEqual([refused.status, refused.headers.get("error-code")], [429, "too_many_attempts"]);
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait > 0 && wait <= 3_600);
    // The same for an address without an account. The owner's right code is not affected.
    for (let tries = 0; tries < 5; tries++) {
      const form = { email: "nobody@example.com", code: "00000000" };
      assert.equal((await service.request("PUT", "/verify_email", { form })).status, 403);
    }
    const form = { email: "nobody@example.com", code: "00000000" };
    assert.equal((await service.request("PUT", "/verify_email", { form })).status, 429);
    service.clock.now += wait * 1_000;
    assert.equal((await service.send("POST", "/verify_email", { email: EMAIL }))[0], 200);
    code = (await service.mails()).at(-1)!.code;
    assert.equal((await verify(code, "198.51.100.1")).status, 200);
  },
  PUBLIC_SETTINGS,
);

test("V45, V46: a login whose guess cannot be counted is a fault and makes no session", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.rows("ALTER TABLE guesses RENAME TO guesses_away");
  try {
    const form = { email: EMAIL, password: PASSWORD };
    for (const ip of ["192.0.2.1", undefined]) {
      const response = await service.request("POST", "/sessions", { ip, form });
      assert.deepEqual([response.status, response.headers.getSetCookie()], [500, []]);
    }
  } finally {
    await service.rows("ALTER TABLE guesses_away RENAME TO guesses");
  }
  assert.deepEqual(await service.rows("SELECT id FROM sessions"), []);
  await service.logIn(EMAIL, PASSWORD);
});
