/**
 * Who asks is looked up once for a request, in the route, whatever the request does. A second look would cost a round
 * trip, and the two could see different sessions.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ANNA, logIn, NEW_PASSWORD, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, sessionOf, test } from "../kit/service.ts";

/** What a browser asks for a page with. */
const HTML = { accept: "text/html" };

test("the user behind a session is looked up once for each request, JSON or page", async (service) => {
  await signUp(service);
  const other = await logIn(service);
  const { sessions } = await (await service.request("GET", "/sessions", { session: other.session })).json();
  let { session } = await logIn(service);
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  const requests: [string, string, Record<string, string>?, Record<string, string>?][] = [
    ["GET", "/profile"],
    ["GET", "/session"],
    ["GET", "/account"],
    ["PATCH", "/account", { name: "Anna" }],
    ["GET", "/account/events"],
    ["GET", "/account/export"],
    ["GET", "/sessions"],
    ["GET", "/", undefined, HTML],
    ["GET", "/account", undefined, HTML],
    ["GET", "/login", undefined, HTML],
    ["GET", "/register?lang=fr", undefined, HTML],
    ["GET", "/change-email", undefined, HTML],
    ["GET", "/.well-known/change-password", undefined, HTML],
    ["POST", "/account/profile", { name: "Anna B", locale: "en" }, HTML],
    ["POST", "/account/email", { new_email: "anna@x.test", password: "wrong" }, HTML],
    ["GET", "/account/download", undefined, HTML],
    ["DELETE", `/sessions/${sessions[0].id}`],
    ["DELETE", "/sessions/others"],
    ["POST", "/change_email", { new_email: "anna@y.test", password: PASSWORD }],
    ["PUT", "/change_email", { code: "00000000" }],
    ["PUT", "/password", form],
    ["POST", "/account/devices/others", {}, HTML],
    ["DELETE", "/account", { password: NEW_PASSWORD }],
  ];
  for (const [method, path, form, headers] of requests) {
    let looks = 0;
    const stop = service.watch((sql) => looks += /FROM sessions JOIN users/.test(sql) ? 1 : 0);
    const response = await service.request(method, path, { session, form, headers });
    stop();
    assert.ok(response.status < 404, `${method} ${path}: ${response.status} ${await response.text()}`);
    assert.equal(looks, 1, `${method} ${path}`);
    session = sessionOf(response) || session;
  }
  const [{ closed_at }] = await service.rows("SELECT closed_at FROM users WHERE email_key = $1", ANNA);
  assert.equal(closed_at, service.clock.now);
}, PUBLIC_SETTINGS);
