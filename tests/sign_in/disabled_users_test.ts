/**
 * A disabled account: no session, token or password gives access, and nobody can tell it from a wrong password.
 *
 * @module
 */
import assert from "node:assert/strict";
import { hashPassword } from "../../auth/credentials/passwords.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import { run, runJson } from "../kit/command_line.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", PASSWORD = "Tr1ckyEn0ugh!", NEW_PASSWORD = "An0therG00dOne";
const ADD = ["users", "add", EMAIL, "--password-stdin"];

async function addUser(service: Service): Promise<void> {
  const { code, noted } = await run(service, ADD, { settings: PUBLIC_SETTINGS, input: PASSWORD });
  assert.equal(code, 0, noted);
}

/** An answer without the parts that differ each time. */
async function answerTo(service: Service, email: string, password: string): Promise<unknown> {
  const response = await service.request("POST", "/sessions", { form: { email, password } });
  const headers = [...response.headers].filter(([name]) => !["date", "x-request-id"].includes(name)).sort();
  return [response.status, headers, await response.text()];
}

test("V48, S16: a disabled user is refused like a wrong password, and can log in once enabled", async (service) => {
  await addUser(service);
  const session = await service.logIn(EMAIL, PASSWORD);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  const other = await service.another();
  assert.deepEqual((await runJson(service, ["users", "disable", EMAIL])).changed, true);
  assert.deepEqual((await runJson(service, ["users", "disable", EMAIL])).changed, false);
  // At once, and on every instance.
  for (const instance of [service, other]) {
    assert.equal((await instance.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await instance.send("GET", "/sessions", undefined, session))[0], 403);
  }
  const hashes = service.auth.hashQueue.counts.done;
  const refused = await answerTo(service, EMAIL, PASSWORD);
  const done = service.auth.hashQueue.counts.done - hashes;
  const wrong = await answerTo(service, EMAIL, "a wrong password");
  const unknown = await answerTo(service, "nobody@holberton.io", PASSWORD);
  assert.deepEqual(refused, wrong);
  assert.deepEqual(refused, unknown);
  assert.equal((refused as [number])[0], 401);
  assert.equal(service.auth.hashQueue.counts.done - hashes, 3 * done, "the same work for each");
  assert.deepEqual((await runJson(service, ["users", "enable", EMAIL])).changed, true);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403, "a session does not come back");
  await service.logIn(EMAIL, PASSWORD);
}, PUBLIC_SETTINGS);

test("V48: no token gives access to a disabled account, whether made before or requested after", async (service) => {
  await addUser(service);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  const [before] = await service.mails();
  assert.notEqual(before.token, "");
  // A reset whose mail has an undo link.
  const put = (reset_token: string, new_password: string) =>
    service.send("PUT", "/reset_password", { email: EMAIL, reset_token, new_password });
  assert.equal((await put(before.token, NEW_PASSWORD))[0], 200);
  const [changed] = await service.mails();
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  const [waiting] = await service.mails();
  await run(service, ["users", "disable", EMAIL]);
  assert.equal((await put(waiting.token, PASSWORD))[0], 403);
  const asked = await service.send("POST", "/reset_password", { email: EMAIL });
  assert.deepEqual(asked, await service.send("POST", "/reset_password", { email: EMAIL }));
  assert.deepEqual(asked, [200, { email: EMAIL, message: "reset mail sent" }]);
  assert.deepEqual(await service.mails(), []);
  assert.equal((await service.send("POST", "/undo", { undo_token: changed.token }))[0], 403);
  assert.equal(await createSession(service.auth, EMAIL), undefined);
  // The owner's undo link works again.
  await run(service, ["users", "enable", EMAIL]);
  assert.equal((await service.send("POST", "/undo", { undo_token: changed.token }))[0], 200);
}, PUBLIC_SETTINGS);

test(
  "V48: a verification token is refused while the account is disabled, and a new one must be requested after that",
  async (service) => {
    const hashed_password = await hashPassword(service.auth, PASSWORD);
    await run(service, ["users", "import"], { input: JSON.stringify({ email: EMAIL, hashed_password }) });
    await service.send("POST", "/verify_email", { email: EMAIL });
    const [{ token, code }] = await service.mails();
    await service.send("POST", "/verify_email", { email: EMAIL });
    assert.equal((await run(service, ["users", "disable", EMAIL])).code, 0);
    assert.deepEqual(await service.mails(), [], "the mail that waited");
    assert.deepEqual(await service.send("POST", "/verify_email", { email: EMAIL }), [200, {
      email: EMAIL,
      message: "verification mail sent",
    }]);
    assert.deepEqual(await service.mails(), [], "the mail that was asked for since");
    const proofs: Record<string, string>[] = [{ verification_token: token }, { email: EMAIL, code }];
    for (const when of ["disabled", "enabled"]) {
      for (const form of proofs) assert.equal((await service.send("PUT", "/verify_email", form))[0], 403, when);
      const [user] = await service.rows("SELECT email_verified_at FROM users");
      assert.equal(user.email_verified_at, null, when);
      if (when === "disabled") assert.equal((await run(service, ["users", "enable", EMAIL])).code, 0);
    }
    await service.send("POST", "/verify_email", { email: EMAIL });
    const [mail] = await service.mails();
    assert.equal((await service.send("PUT", "/verify_email", { verification_token: mail.token }))[0], 200);
  },
  PUBLIC_SETTINGS,
);

test("V48: a session made while the account is being disabled gives no access", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const [, asked] = await service.send("POST", "/reset_password", { email: EMAIL });
  const { reset_token } = asked as { reset_token: string };
  const results = await Promise.all([
    ...Array.from(
      { length: 6 },
      () => service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }),
    ),
    run(service, ["users", "disable", EMAIL]),
  ]);
  for (const result of results.slice(0, 6) as Response[]) {
    const session = /session_id=([^;]+)/.exec(result.headers.getSetCookie()[0] ?? "")?.[1];
    await result.body?.cancel();
    if (session !== undefined) assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  }
  const [{ sessions }] = await service.rows<{ sessions: number }>("SELECT count(*) AS sessions FROM sessions");
  assert.equal(Number(sessions), 0);
  assert.equal((await service.send("POST", "/reset_password", { email: EMAIL }))[0], 403);
  assert.equal(
    (await service.send("PUT", "/reset_password", { email: EMAIL, reset_token, new_password: "x" }))[0],
    403,
  );
});

test("V48: a session row of a disabled user gives no access", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  await service.auth.db.run("UPDATE users SET disabled_at = $1 WHERE email_key = $2", service.clock.now, EMAIL);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
});

test("V48: the reopen link of a closed account is refused while the account is disabled", async (service) => {
  await addUser(service);
  const session = await service.logIn(EMAIL, PASSWORD);
  const [closed] = await service.send("DELETE", "/account", { password: PASSWORD }, session);
  assert.equal(closed, 200);
  const [mail] = await service.mails();
  await service.auth.db.run("UPDATE users SET disabled_at = $1 WHERE email_key = $2", service.clock.now, EMAIL);
  assert.equal((await service.send("POST", "/reopen", { reopen_token: mail.token }))[0], 403);
}, PUBLIC_SETTINGS);
