/**
 * One account in the public profile, from sign-up to erasure, with the requests that its owner would send.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { type Service, sessionOf } from "./service.ts";

/** Runs the whole lifecycle on an empty public service. */
export async function runAccountLifecycle(service: Service): Promise<void> {
  const email = "anna@example.com";
  const password = "correct horse battery";
  const { send, request } = service;
  assert.deepEqual(await send("POST", "/users", { email, password }), [200, { email, message: "user created" }]);
  assert.equal((await send("POST", "/sessions", { email, password }))[0], 401);
  assert.equal((await service.mails())[0].to, email);
  assert.equal((await send("POST", "/verify_email", { email }))[0], 200);
  const [mail] = await service.mails();
  assert.equal(mail.to, email);
  const verified = await send("PUT", "/verify_email", { verification_token: mail.token });
  assert.deepEqual(verified, [200, { email, message: "email verified" }]);

  const phone = await service.logIn(email, password);
  const login = await request("POST", "/sessions", { form: { email, password } });
  const laptop = sessionOf(login)!;
  const [device] = await service.mails();
  assert.match(device.text, /\/undo\?token=/);

  const [, list] = await send("GET", "/sessions", undefined, phone) as [
    number,
    { sessions: { id: string; current: boolean }[] },
  ];
  assert.equal(list.sessions.length, 2);
  const other = list.sessions.find((session) => !session.current)!;
  assert.equal((await send("DELETE", `/sessions/${other.id}`, undefined, phone))[0], 200);
  assert.equal((await send("GET", "/profile", undefined, laptop))[0], 403);

  assert.equal((await send("DELETE", "/sessions/others", undefined, phone))[0], 200);
  for (const page of ["events", "export"]) {
    assert.equal((await send("GET", `/account/${page}`, undefined, phone))[0], 200, page);
  }
  const newPassword = "battery staple horse";
  const changed = await request("PUT", "/password", {
    form: { current_password: password, new_password: newPassword },
    session: phone,
  });
  assert.equal(changed.status, 200);
  const session = sessionOf(changed)!;
  assert.equal((await service.mails()).length, 1);

  const wish = { new_email: "anna@example.org", password: newPassword };
  assert.equal((await send("POST", "/change_email", wish, session))[0], 200);
  const [proof, notice] = await service.mails();
  assert.deepEqual([proof.to, notice.to], ["anna@example.org", email]);
  const moved = await request("PUT", "/change_email", { form: { change_token: proof.token }, session });
  assert.equal(moved.status, 200);
  const [told] = await service.mails();
  assert.equal(told.to, email);

  assert.deepEqual(await send("POST", "/undo", { undo_token: told.token, password: newPassword }), [200, {
    email,
    message: "change undone",
  }]);
  assert.equal((await send("GET", "/profile", undefined, sessionOf(moved)))[0], 403);
  const [reset] = await service.mails();
  assert.equal(reset.to, email);
  const last = "staple battery correct";
  assert.equal((await send("PUT", "/reset_password", { email, code: reset.code, new_password: last }))[0], 200);
  await service.mails();

  const again = await service.logIn(email, last);
  assert.equal((await send("DELETE", "/account", { password: "wrong password" }, again))[0], 403);
  // Mails that were requested within one millisecond have no order, so the mails of the login are read first.
  await service.mails();
  const [closed, body] = await send("DELETE", "/account", { password: last }, again);
  assert.equal(closed, 200);
  assert.match((body as { purge_at: string }).purge_at, /^\d{4}-\d\d-\d\dT/);
  assert.equal((await send("POST", "/sessions", { email, password: last }))[0], 401);
  const [closing] = await service.mails();
  assert.equal((await send("POST", "/reopen", { reopen_token: closing.token }))[0], 200);
  await service.logIn(email, last);
  const leaving = await service.logIn(email, last);
  assert.equal((await send("DELETE", "/account", { password: last }, leaving))[0], 200);
  service.clock.now += 15 * 24 * 60 * 60_000;
  await sweep(service.auth);
  assert.deepEqual(await service.rows("SELECT id FROM users"), []);
}
