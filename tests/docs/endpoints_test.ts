/**
 * The description and the service agree: every route is described and every described route exists. Every answer to
 * calls of all endpoints is described, and every described refusal occurs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { importUsers } from "../../auth/admin/import_export.ts";
import { AuthError, type AuthErrorCode } from "../../auth/errors.ts";
import { limitAccountChanges } from "../../auth/limits/rate_limits.ts";
import type { HashQueue } from "../../auth/runtime/hash_queue.ts";
import { requireUser } from "../../auth/sign_in/current_user.ts";
import type { DB } from "../../db/db.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import type { Endpoint } from "../../routes/docs/endpoint.ts";
import { endpointsOf, openApi } from "../../routes/docs/openapi.ts";
import { pages } from "../../routes/pages/pages.ts";
import { ALL_ENDPOINTS, expectAnswer, missingAnswers } from "../kit/described_calls.ts";
import { servedRequests } from "../kit/served_requests.ts";
import { appWithBodyDeadline, PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io",
  OTHER = "anna@example.com",
  MOVED = "guillaume@example.com",
  PASSWORD = "correct horse battery";
const NEW = "staple battery horse", LONG = "x".repeat(300);
const TOKEN = "e".repeat(43);
const PROFILES = { local: {}, public: PUBLIC_SETTINGS };

/** A path for an endpoint. */
function pathOf({ path }: Endpoint): string {
  return path.replace(":id", "01970000-0000-7000-8000-000000000000");
}

/** Fields that every schema accepts: the example, with tokens of a valid form. */
function formOf({ example, input }: Endpoint): Record<string, string> | undefined {
  if (!input) return undefined;
  return Object.fromEntries(
    Object.entries(example ?? {}).map(([name, value]) => [name, name.endsWith("_token") ? TOKEN : value]),
  );
}

/** Registers a user and returns a session. */
async function signedUp(service: Service, email = EMAIL): Promise<string> {
  if (service.auth.config.profile === "local") await service.register(email, PASSWORD);
  else {
    await service.send("POST", "/users", { email, password: PASSWORD });
    const { token } = (await service.mails()).at(-1)!;
    await service.send("PUT", "/verify_email", { verification_token: token });
  }
  return await service.logIn(email, PASSWORD);
}

for (const [profile, settings] of Object.entries(PROFILES)) {
  test(`every route is described and every described route exists, in the ${profile} profile`, async ({ auth }) => {
    const keys = (routes: { method: string; path: string }[]) =>
      routes.filter(({ method, path }) => method !== "ALL" && path !== "/*").map(({ method, path }) =>
        `${method} ${path}`
      );
    const described = keys(endpointsOf(auth));
    // Pages are for people and not described, also the page that shows the description. Some share their path with an
    // endpoint.
    const forPeople = new Set([...keys(pages(auth).routes), "GET /docs"].filter((key) => !described.includes(key)));
    const there = keys(servedRequests(auth)).filter((key) => !forPeople.has(key));
    assert.deepEqual([...described].sort(), [...new Set(there)].sort());
    assert.equal(new Set(described).size, described.length);
    await Promise.resolve();
  }, settings);

  test(`every endpoint answers its general refusals as described, in the ${profile} profile`, async (service) => {
    const session = await signedUp(service);
    const evil = "https://evil.example";
    for (const endpoint of endpointsOf(service.auth)) {
      const { method, input, query } = endpoint;
      const path = pathOf(endpoint), form = formOf(endpoint);
      if (profile === "local") {
        await expectAnswer(service, "host_refused", method, path, { headers: { host: "evil.example" } });
      }
      if (method !== "GET") {
        await expectAnswer(service, "origin_refused", method, path, { form, headers: { origin: evil } });
      }
      if (endpoint.session === true) await expectAnswer(service, "no_session", method, path, { form });
      if (query) {
        await expectAnswer(service, "invalid_field", method, `${path}?${Object.keys(query.shape)[0]}=`, { session });
      }
      if (!input) continue;
      const headers = { "content-type": "application/json" };
      await expectAnswer(service, "invalid_body", method, path, { session, headers, body: "{" });
      await expectAnswer(service, "body_too_large", method, path, { session, headers, body: "x".repeat(20_000) });
      const body = new ReadableStream();
      await expectAnswer(service, "body_too_slow", method, path, {
        session,
        headers,
        body,
        app: appWithBodyDeadline(service.auth, 5),
      });
      await expectAnswer(service, "unsupported_media_type", method, path, {
        session,
        headers: { "content-type": "text/plain" },
        body: "x",
      });
      await expectAnswer(service, "invalid_field", method, path, {
        session,
        json: { [Object.keys(input.shape)[0]]: 1 },
      });
    }
  }, settings);

  test(`without its database every endpoint answers as described, in the ${profile} profile`, async (service) => {
    for (
      const [code, error] of [["database_unavailable", new DatabaseUnavailable("away")], [
        "internal_error",
        new Error(),
      ]]
    ) {
      const refuse = () => Promise.reject(error);
      const db = new Proxy({}, { get: (_target, name) => name === "relaxed" ? db : refuse }) as DB;
      for (const endpoint of endpointsOf(service.auth)) {
        const path = pathOf(endpoint);
        if (["/", "/logout/done", "/healthz", "/dev/mailbox", "/openapi.json"].includes(path)) continue;
        const options = { auth: { ...service.auth, db }, form: formOf(endpoint), session: TOKEN };
        await expectAnswer(service, String(code), endpoint.method, path, options);
      }
    }
  }, settings);
}

test("every endpoint answers as described in the local profile", async (service) => {
  await expectAnswer(service, "ok", "GET", "/");
  await expectAnswer(service, "ok", "DELETE", "/");
  for (const method of ["GET", "DELETE"]) await expectAnswer(service, "ok", method, "/logout/done");
  await expectAnswer(service, "ok", "GET", "/healthz");
  await expectAnswer(service, "ok", "GET", "/readyz");
  await expectAnswer(service, "ok", "GET", "/openapi.json");
  const form = { email: EMAIL, password: PASSWORD };
  await expectAnswer(service, "ok", "POST", "/users", { form });
  await expectAnswer(service, "email_taken", "POST", "/users", { form });
  await expectAnswer(service, "invalid_email", "POST", "/users", { form: { ...form, email: "nobody" } });
  await expectAnswer(service, "invalid_password", "POST", "/users", { form: { email: OTHER, password: LONG } });
  await expectAnswer(service, "invalid_email", "POST", "/verify_email", { form: { email: "nobody" } });
  await expectAnswer(service, "ok", "POST", "/verify_email", { form: { email: EMAIL } });
  const { response } = await expectAnswer(service, "ok", "POST", "/sessions", { form });
  const session = sessionOf(response)!;
  await expectAnswer(service, "wrong_credentials", "POST", "/sessions", { form: { email: OTHER, password: "x" } });
  await expectAnswer(service, "invalid_password", "POST", "/sessions", { form: { email: EMAIL, password: LONG } });
  await expectAnswer(service, "ok", "GET", "/profile", { session });
  await expectAnswer(service, "not_logged_in", "GET", "/session");
  await expectAnswer(service, "ok", "GET", "/session", { session });
  await expectAnswer(service, "ok", "GET", "/sessions", { session });
  const other = await service.logIn(EMAIL, PASSWORD);
  const { body } = await expectAnswer(service, "ok", "GET", "/sessions", { session: other });
  const [{ id }] = (body.sessions as { id: string; current: boolean }[]).filter((each) => !each.current);
  await expectAnswer(service, "ok", "DELETE", `/sessions/${id}`, { session: other });
  await expectAnswer(service, "unknown_session", "DELETE", `/sessions/${id}`, { session: other });
  await expectAnswer(service, "ok", "DELETE", "/sessions/others", { session: other });
  await expectAnswer(service, "ok", "GET", "/account", { session: other });
  await expectAnswer(service, "ok", "PATCH", "/account", { session: other, form: { name: "Guillaume", locale: "fr" } });
  await expectAnswer(service, "ok", "GET", "/account", { session: other });
  await expectAnswer(service, "ok", "GET", "/account/events?limit=2", { session: other });
  await expectAnswer(service, "ok", "GET", "/account/export", { session: other });
  service.clock.now += 11 * 60_000;
  await expectAnswer(service, "login_required", "GET", "/account/export", { session: other });
  await expectAnswer(service, "ok", "DELETE", "/sessions", { session: other });
  await expectAnswer(service, "unknown_email", "POST", "/reset_password", { form: { email: OTHER } });
  const asked = await expectAnswer(service, "ok", "POST", "/reset_password", { form: { email: EMAIL } });
  const reset = { email: EMAIL, reset_token: String(asked.body.reset_token), new_password: NEW };
  await expectAnswer(service, "invalid_token", "PUT", "/reset_password", { form: { ...reset, reset_token: TOKEN } });
  await expectAnswer(service, "invalid_password", "PUT", "/reset_password", { form: { ...reset, new_password: LONG } });
  await expectAnswer(service, "ok", "PUT", "/reset_password", { form: reset });
  await service.mails();
  // Without a mail server the developer reads the mails here.
  if ("mails" in service.auth.transport) await expectAnswer(service, "ok", "GET", "/dev/mailbox");
  service.auth.stopping = true;
  await expectAnswer(service, "stopping", "GET", "/readyz");
});

test("every endpoint answers as described in the public profile", async (service) => {
  const form = { email: EMAIL, password: PASSWORD };
  await expectAnswer(service, "weak_password", "POST", "/users", { form: { ...form, password: "password" } });
  await expectAnswer(service, "ok", "POST", "/users", { form });
  const [{ token: verification_token }] = await service.mails();
  await expectAnswer(service, "invalid_token", "PUT", "/verify_email", { form: { verification_token: TOKEN } });
  await expectAnswer(service, "ok", "PUT", "/verify_email", { form: { verification_token } });
  let session = await service.logIn(EMAIL, PASSWORD);
  const change = { current_password: PASSWORD, new_password: NEW };
  const put = (code: string, more: Record<string, string>) =>
    expectAnswer(service, code, "PUT", "/password", { session, form: { ...change, ...more } });
  await put("wrong_password", { current_password: "x" });
  await put("invalid_password", { new_password: LONG });
  await put("weak_password", { new_password: "password" });
  session = sessionOf((await put("ok", {})).response)!;
  await service.mails();
  const wish = (code: string, more: Record<string, string> = {}) =>
    expectAnswer(service, code, "POST", "/change_email", {
      session,
      form: { new_email: OTHER, password: NEW, ...more },
    });
  await wish("wrong_password", { password: "x" });
  await wish("invalid_email", { new_email: "nobody" });
  await wish("ok");
  const proof = (await service.mails()).find((mail) => mail.to === OTHER)!;
  await expectAnswer(service, "invalid_token", "PUT", "/change_email", { form: { change_token: TOKEN } });
  await expectAnswer(service, "no_session", "PUT", "/change_email", { form: { code: "12345678" } });
  await expectAnswer(service, "ok", "PUT", "/change_email", { session, form: { change_token: proof.token } });
  const { token: undo_token } = (await service.mails()).find((mail) => mail.to === EMAIL)!;
  const undo = (code: string, more: Record<string, string>) =>
    expectAnswer(service, code, "POST", "/undo", { form: { undo_token, password: NEW, ...more } });
  await undo("invalid_token", { undo_token: TOKEN });
  await undo("invalid_password", { password: LONG });
  for (let count = 0; count < 4; count++) await undo("wrong_password", { password: "wrong" });
  await undo("too_many_attempts", {});
  service.clock.now += 61 * 60_000;
  // An import gives the old address to another user, so the undo sends the reset to the current one.
  const lines = ReadableStream.from([JSON.stringify({ email: EMAIL })]);
  await importUsers(service.auth, OPERATOR, lines, { verified: true, onLeftOut: () => {} });
  await undo("email_taken", {});
  await undo("ok", { password: "" });
  const { token: reset_token, to: email } = (await service.mails()).at(-1)!;
  const reset = { email, reset_token, new_password: NEW };
  await expectAnswer(service, "weak_password", "PUT", "/reset_password", {
    form: { ...reset, new_password: "password" },
  });
  await expectAnswer(service, "ok", "PUT", "/reset_password", { form: reset });
  await expectAnswer(service, "invalid_email", "POST", "/reset_password", { form: { email: "nobody" } });
  await expectAnswer(service, "ok", "POST", "/reset_password", { form: { email } });
  session = await service.logIn(email, NEW);
  const leave = (code: string, password: string) =>
    expectAnswer(service, code, "DELETE", "/account", { session, form: { password } });
  await leave("wrong_password", "x");
  // Events of one millisecond have no order, and neither have their mails.
  await service.mails();
  await leave("ok", NEW);
  const [closing] = await service.mails();
  await expectAnswer(service, "invalid_token", "POST", "/reopen", { form: { reopen_token: TOKEN } });
  await expectAnswer(service, "ok", "POST", "/reopen", { form: { reopen_token: closing.token } });
}, PUBLIC_SETTINGS);

/**
 * The requests of every endpoint that hashes, with what each needs to reach the hash. An undo link needs a password
 * after a change of address.
 */
async function hashing(service: Service): Promise<[string, string, Record<string, string>, string?][]> {
  const session = await signedUp(service);
  const changed = await service.request("PUT", "/password", {
    session,
    form: { current_password: PASSWORD, new_password: NEW },
  });
  await service.mails();
  const wish = { new_email: MOVED, password: NEW };
  await service.request("POST", "/change_email", { session: sessionOf(changed), form: wish });
  const { token: change_token } = (await service.mails()).find((mail) => mail.to === MOVED)!;
  const proof = { session: sessionOf(changed), form: { change_token } };
  const now = sessionOf(await service.request("PUT", "/change_email", proof))!;
  const { token: undo_token } = (await service.mails()).find((mail) => mail.to === EMAIL)!;
  await service.send("POST", "/reset_password", { email: MOVED });
  const { token: reset_token } = (await service.mails()).at(-1)!;
  return [
    ["POST", "/sessions", { email: MOVED, password: PASSWORD }],
    ["PUT", "/password", { current_password: PASSWORD, new_password: NEW }, now],
    ["POST", "/change_email", { new_email: OTHER, password: PASSWORD }, now],
    ["DELETE", "/account", { password: PASSWORD }, now],
    ["POST", "/undo", { undo_token, password: PASSWORD }],
    ["POST", "/users", { email: OTHER, password: PASSWORD }],
    ["PUT", "/reset_password", { email: MOVED, reset_token, new_password: PASSWORD }],
  ];
}

test("every endpoint that hashes answers as described while no hash can be made", async (service) => {
  const calls = await hashing(service);
  for (const code of ["overloaded", "hashing_unavailable", "client_gone"] satisfies AuthErrorCode[]) {
    const queue: Pick<HashQueue, "hash" | "counts" | "requireRoom"> = {
      hash: () => Promise.reject(new AuthError(code, "try again")),
      counts: { running: 0, waiting: 0, done: 0 },
      requireRoom: () => {},
    };
    const auth = { ...service.auth, hashQueue: queue as HashQueue };
    for (const [method, path, form, session] of calls) {
      await expectAnswer(service, code, method, path, { auth, form, session });
    }
  }
}, PUBLIC_SETTINGS);

test("guesses beyond the limit answer as described", async (service) => {
  const calls = await hashing(service);
  const wrong = { email: MOVED, password: "wrong" };
  for (let count = 0; count < 10; count++) {
    await expectAnswer(service, "wrong_credentials", "POST", "/sessions", { form: wrong });
  }
  for (const [method, path, form, session] of calls.slice(0, 4)) {
    await expectAnswer(service, "throttled", method, path, { form, session });
  }
}, PUBLIC_SETTINGS);

test("codes beyond the limit answer as described", async (service) => {
  const session = await signedUp(service);
  const guess = { email: EMAIL, code: "00000000" };
  for (let count = 0; count < 5; count++) await service.send("PUT", "/verify_email", guess);
  await expectAnswer(service, "too_many_attempts", "PUT", "/verify_email", { form: guess });
  await expectAnswer(service, "too_many_attempts", "PUT", "/reset_password", { form: { ...guess, new_password: NEW } });
  await expectAnswer(service, "too_many_attempts", "PUT", "/change_email", { form: { code: guess.code }, session });
}, PUBLIC_SETTINGS);

test("registrations and mails beyond their limits answer as described", async (service) => {
  const session = await signedUp(service);
  const form = { email: OTHER, password: PASSWORD };
  for (let count = 0; count < 20; count++) await service.send("POST", "/users", form);
  await expectAnswer(service, "rate_limited", "POST", "/users", { form });
  for (let count = 0; count < 20; count++) await service.send("POST", "/reset_password", form);
  await expectAnswer(service, "rate_limited", "POST", "/reset_password", { form });
  await expectAnswer(service, "rate_limited", "POST", "/verify_email", { form });
  const wish = { new_email: OTHER, password: PASSWORD };
  await expectAnswer(service, "rate_limited", "POST", "/change_email", { form: wish, session });
  for (let count = 0; count < 20; count++) await service.send("PATCH", "/account", { name: `Ada ${count}` }, session);
  await expectAnswer(service, "rate_limited", "PATCH", "/account", { form: { name: "Ada" }, session });
  const { id } = await requireUser(service.auth, { session });
  for (let count = 0; count < 20; count++) await limitAccountChanges(service.auth, "password", id);
  const next = { current_password: PASSWORD, new_password: "battery staple horse" };
  await expectAnswer(service, "rate_limited", "PUT", "/password", { form: next, session });
  const running = await service.request("GET", "/account/export", { session });
  await expectAnswer(service, "rate_limited", "GET", "/account/export", { session });
  await running.body?.cancel();
}, PUBLIC_SETTINGS);

test("an account without a password, ten minutes after its sign-in, is answered as described", async (service) => {
  const session = await signedUp(service);
  await service.rows("UPDATE users SET hashed_password = NULL");
  service.clock.now += 10 * 60_000;
  await expectAnswer(service, "login_required", "PUT", "/password", { session, form: { new_password: NEW } });
  await expectAnswer(service, "login_required", "POST", "/change_email", { session, form: { new_email: OTHER } });
  await expectAnswer(service, "login_required", "DELETE", "/account", { session, form: {} });
}, PUBLIC_SETTINGS);

test("a login that needs a second factor is answered as described", async (service) => {
  await signedUp(service);
  const auth = { ...service.auth, policy: { needsSecondFactor: () => true } };
  const form = { email: EMAIL, password: PASSWORD };
  await expectAnswer(service, "second_factor_required", "POST", "/sessions", { auth, form });
}, PUBLIC_SETTINGS);

test("with SIGN_UP=closed a registration answers as described", async (service) => {
  await expectAnswer(service, "sign_up_closed", "POST", "/users", { form: { email: EMAIL, password: PASSWORD } });
}, { SIGN_UP: "closed" });

Deno.test("the tests above saw every described success and refusal", () => {
  assert.deepEqual(missingAnswers(), []);
});

test("GET /openapi.json has unique ids, valid references and all path parameters", async (service) => {
  const response = await service.request("GET", "/openapi.json");
  assert.equal(response.headers.get("content-type"), "application/json");
  const text = await response.text(), document = JSON.parse(text);
  assert.deepEqual(document, JSON.parse(JSON.stringify(openApi(service.auth))));
  const operations = Object.entries<Record<string, Record<string, unknown>>>(document.paths).flatMap((
    [path, methods],
  ) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  assert.equal(operations.length, endpointsOf(service.auth).length);
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = reference.split("/").reduce((at, name) => at?.[name], document);
    assert.ok(found, reference);
  }
  for (const { path, operation } of operations) {
    const told = (operation.parameters ?? []) as { name: string; in: string }[];
    const names = told.filter((each) => each.in === "path").map((each) => each.name);
    assert.deepEqual(names, [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name), path);
  }
  // The same schemas that parse the fields, with their limits.
  const body = document.paths["/users"].post.requestBody.content["application/json"].schema;
  assert.deepEqual(body.required, ["email", "password"]);
  assert.equal(body.properties.password.maxLength, 4096);
  assert.ok(
    !ALL_ENDPOINTS.some(({ input }) => input && Object.keys(input.shape).some((name) => /hint|question/.test(name))),
    "S8",
  );
});
