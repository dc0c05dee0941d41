/**
 * The steps of the exercise against a local service, from registration to a new password. They are a test by
 * themselves, and they must still work after other tests of a service.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Service, sessionOf } from "./service.ts";

/** Runs all steps with an address that is not registered yet. */
export async function runContractSteps(
  service: Pick<Service, "send" | "request" | "logIn">,
  email = "guillaume@holberton.io",
): Promise<void> {
  const { send } = service;
  assert.deepEqual(await send("POST", "/users", { email, password: "b4l0u" }), [200, {
    email,
    message: "user created",
  }]);
  assert.deepEqual(await send("POST", "/users", { email, password: "b4l0u" }), [400, {
    message: "email already registered",
  }]);
  assert.equal((await send("POST", "/sessions", { email, password: "t4rt1fl3tt3" }))[0], 401);
  assert.equal((await send("GET", "/profile"))[0], 403);
  const login = await service.request("POST", "/sessions", { form: { email, password: "b4l0u" } });
  assert.deepEqual([login.status, await login.json()], [200, { email, message: "logged in" }]);
  const session = sessionOf(login);
  assert.deepEqual(await send("GET", "/profile", undefined, session), [200, { email }]);
  const logout = await service.request("DELETE", "/sessions", { session });
  assert.deepEqual([logout.status, logout.headers.get("location")], [302, "/"], await logout.text());
  assert.equal((await send("GET", "/profile", undefined, session))[0], 403);
  const [status, body] = await send("POST", "/reset_password", { email });
  const { reset_token, ...rest } = body as { email: string; reset_token: string };
  assert.deepEqual([status, rest], [200, { email }]);
  const update = { email, reset_token, new_password: "t4rt1fl3tt3" };
  assert.deepEqual(await send("PUT", "/reset_password", update), [200, { email, message: "Password updated" }]);
  await service.logIn(email, "t4rt1fl3tt3");
}
