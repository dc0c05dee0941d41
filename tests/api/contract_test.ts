/**
 * The classic contract over HTTP: status and JSON body of `GET`, `POST`, `PUT` and `DELETE`, byte for byte.
 *
 * @module
 */
import assert from "node:assert/strict";
import { registerUser } from "../../auth/account/register.ts";
import { runContractSteps } from "../kit/contract_steps.ts";
import { type RequestOptions, test } from "../kit/service.ts";

test("the steps of the exercise work, from registration to a new password", (service) => runContractSteps(service));

const BODIES: [string, (fields: Record<string, string>) => RequestOptions][] = [
  ["urlencoded", (form) => ({ form })],
  ["JSON", (json) => ({ json })],
  ["multipart", (fields) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return { body };
  }],
];

for (const [name, bodyOf] of BODIES) {
  test(`every endpoint with fields accepts them as ${name}`, async ({ request }) => {
    const email = "bob@example.com";
    const call = async (method: string, path: string, fields: Record<string, string>) => {
      const response = await request(method, path, bodyOf(fields));
      return [response.status, await response.json()] as const;
    };
    const password = "pass word+&=ü€😀";
    assert.deepEqual(await call("POST", "/users", { email, password }), [200, { email, message: "user created" }]);
    assert.deepEqual(await call("POST", "/sessions", { email, password }), [200, { email, message: "logged in" }]);
    const [status, { reset_token }] = await call("POST", "/reset_password", { email });
    assert.equal(status, 200);
    assert.deepEqual(await call("PUT", "/reset_password", { email, reset_token, new_password: "n" }), [200, {
      email,
      message: "Password updated",
    }]);
    assert.equal((await call("POST", "/sessions", { email, password: "n" }))[0], 200);
  });
}

test("a trailing slash is accepted on every path", async ({ send, logIn }) => {
  const email = "bob@example.com", password = "b4l0u";
  assert.equal((await send("POST", "/users/", { email, password }))[0], 200);
  assert.equal((await send("POST", "/sessions/", { email, password }))[0], 200);
  const session = await logIn(email, password);
  assert.deepEqual(await send("GET", "/profile/", undefined, session), [200, { email }]);
  const [, { reset_token }] = await send("POST", "/reset_password/", { email }) as [number, Record<string, string>];
  assert.equal((await send("PUT", "/reset_password/", { email, reset_token, new_password: "x" }))[0], 200);
  const again = await logIn(email, "x");
  assert.equal((await send("DELETE", "/sessions/", undefined, again))[0], 302);
});

test("GET / and DELETE / give the same answer, so a client may follow the logout's redirect with either", async (service) => {
  const { send, request } = service;
  await service.register("bob@example.com", "b4l0u");
  const session = await service.logIn("bob@example.com", "b4l0u");
  const logout = await request("DELETE", "/sessions", { session });
  assert.equal(logout.status, 302);
  assert.equal(logout.headers.get("location"), "/");
  assert.match(logout.headers.getSetCookie().join(), /^session_id=; Max-Age=0; Path=\//);
  for (const method of ["GET", "DELETE"]) {
    assert.deepEqual(await send(method, "/", undefined, session), [200, { message: "Bienvenue" }]);
  }
  assert.equal((await send("DELETE", "/sessions", undefined, session))[0], 403);
  assert.equal((await send("DELETE", "/sessions"))[0], 403);
});

test("the cookie of a login is session_id, for the whole site, HttpOnly, with the session's maximum age", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const response = await service.request("POST", "/sessions", {
    form: { email: "bob@example.com", password: "b4l0u" },
  });
  const [cookie, device, ...others] = response.headers.getSetCookie();
  assert.match(device, /^device_id=[^;]+; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax; Expires=[^;]+ GMT$/);
  assert.deepEqual(others, []);
  const [pair, ...attributes] = cookie.split("; ");
  assert.match(pair, /^session_id=[A-Za-z0-9_-]{43}$/);
  const maxAge = service.auth.config.sessionMax / 1000;
  const expires = `Expires=${new Date(Math.floor(service.clock.now / 1000 + maxAge) * 1000).toUTCString()}`;
  assert.deepEqual(attributes.sort(), [expires, "HttpOnly", `Max-Age=${maxAge}`, "Path=/", "SameSite=Lax"]);
});

test("POST answers repeat the address as sent, and GET /profile answers it as stored", async ({ send, logIn, register }) => {
  await register("Bob@Example.COM", "b4l0u");
  const sent = "bOB@example.com";
  assert.deepEqual(await send("POST", "/sessions", { email: sent, password: "b4l0u" }), [200, {
    email: sent,
    message: "logged in",
  }]);
  assert.deepEqual(await send("POST", "/users", { email: sent, password: "b4l0u" }), [400, {
    message: "email already registered",
  }]);
  const [, reset] = await send("POST", "/reset_password", { email: sent }) as [number, Record<string, string>];
  assert.equal(reset.email, sent);
  const session = await logIn(sent, "b4l0u");
  assert.deepEqual(await send("GET", "/profile", undefined, session), [200, { email: "Bob@Example.COM" }]);
});

test("POST /users answers 400 to a taken address, and the rule throws a named code with the exercise's message", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const response = await service.request("POST", "/users", { form: { email: "bob@example.com", password: "other" } });
  assert.equal(response.headers.get("error-code"), "email_taken");
  assert.deepEqual(await response.json(), { message: "email already registered" });
  await assert.rejects(
    registerUser(service.auth, "bob@example.com", "other"),
    { code: "email_taken", message: "User bob@example.com already exists" },
  );
});

test("a percent sign without two hex digits is taken literally", async ({ request, logIn, register }) => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = "email=bob@example.com&password=50%";
  assert.equal((await request("POST", "/users", { body, headers })).status, 200);
  await logIn("bob@example.com", "50%");
  for (const [index, [raw, meant]] of [["%4", "%4"], ["%zz%41", "%zzA"], ["100%25%", "100%%"]].entries()) {
    const email = `p${index}@example.com`;
    await register(email, meant);
    const login = await request("POST", "/sessions", { body: `email=${email}&password=${raw}`, headers });
    assert.equal(login.status, 200, raw);
  }
});

const REQUIRED: [string, string, Record<string, string>][] = [
  ["POST", "/users", { email: "bob@example.com", password: "b4l0u" }],
  ["POST", "/sessions", { email: "bob@example.com", password: "b4l0u" }],
  ["POST", "/reset_password", { email: "bob@example.com" }],
  ["PUT", "/reset_password", { email: "bob@example.com", reset_token: "x", new_password: "b4l0u" }],
];

test("a missing or empty field, or no body, answers 400 that names the field", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  for (const [method, path, fields] of REQUIRED) {
    for (const name of Object.keys(fields)) {
      const { [name]: _, ...without } = fields;
      for (const form of [without, { ...fields, [name]: "" }]) {
        assert.deepEqual(await service.send(method, path, form), [400, { message: `${name} is missing` }]);
      }
    }
    assert.deepEqual(await service.send(method, path), [400, { message: `${Object.keys(fields)[0]} is missing` }]);
  }
});

test("unknown addresses and bad tokens answer 403; wrong and unknown logins answer the same 401", async (service) => {
  await service.register("bob@example.com", "b4l0u");
  const known = await service.send("POST", "/sessions", { email: "bob@example.com", password: "wrong" });
  const unknown = await service.send("POST", "/sessions", { email: "eve@example.com", password: "wrong" });
  assert.equal(known[0], 401);
  assert.deepEqual(unknown, known);
  assert.equal((await service.send("POST", "/reset_password", { email: "eve@example.com" }))[0], 403);
  const [status] = await service.send("PUT", "/reset_password", {
    email: "bob@example.com",
    reset_token: "b".repeat(43),
    new_password: "x",
  });
  assert.equal(status, 403);
});
