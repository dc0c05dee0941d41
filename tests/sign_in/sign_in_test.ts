/**
 * The gate: what makes a session, what waits for a second factor, and what ends both. The rule that an account needs a
 * second factor is the test's own, since no account has one yet.
 *
 * @module
 */
import assert from "node:assert/strict";
import { closeAccount } from "../../auth/account/close_account.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { disableUser, dropPassword, enableUser, endSessionsOf } from "../../auth/admin/users.ts";
import type { Auth } from "../../auth/auth.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { hashToken } from "../../auth/secrets.ts";
import { byPassword } from "../../auth/sign_in/by_password.ts";
import { getUserFromSessionId, requireUser } from "../../auth/sign_in/current_user.ts";
import { endOtherSessions } from "../../auth/sign_in/sessions.ts";
import { continueSignIn, isEnough, type SignIn, signIn } from "../../auth/sign_in/sign_in.ts";
import type { Method, SignInPolicy } from "../../auth/users.ts";
import { findUserBy, type UserRow } from "../../db/users.ts";
import { createApp } from "../../routes/app.ts";
import { PUBLIC_SETTINGS, type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "anna@example.com", PASSWORD = "some staples of nine horses";
const SECOND: SignInPolicy = { needsSecondFactor: () => true };
const MINUTE = 60_000;

/** The context with the rule that every account needs a second factor. */
function withSecondFactor(auth: Auth): Auth {
  return { ...auth, policy: SECOND };
}

async function annasRow(service: Service): Promise<UserRow> {
  return (await findUserBy(service.auth.db, { email_key: EMAIL }))!;
}

/** Registers Anna, whose mailbox counts as proven, and gives what the gate said to her right password. */
async function pendingLogin(service: Service): Promise<string> {
  if (!await findUserBy(service.auth.db, { email_key: EMAIL })) {
    const app = createApp({
      ...service.auth,
      config: { ...service.auth.config, profile: "local", publicUrl: undefined },
    });
    const form = { email: EMAIL, password: PASSWORD };
    assert.equal((await service.requestTo(app, "POST", "/users", { form })).status, 200);
    await service.rows("UPDATE users SET email_verified_at = 1");
  }
  const result = await byPassword(withSecondFactor(service.auth), EMAIL, PASSWORD);
  assert.equal(result.state, "second_factor");
  return pendingOf(result);
}

function pendingOf(result: SignIn): string {
  assert.ok(result.state === "second_factor");
  return result.pending;
}

async function count(service: Service, table: string): Promise<number> {
  const [{ n }] = await service.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`);
  return Number(n);
}

/** Goes on with a pending login by a code of an authenticator app. */
async function withTotp(service: Service, pending: string, method: Method = "totp"): Promise<SignIn> {
  const user = await annasRow(service);
  return await continueSignIn(withSecondFactor(service.auth), pending, { user, method }, { ip: "198.51.100.7" });
}

Deno.test("V23: one factor is enough where no second one is needed; where it is, two of the same kind are not", () => {
  const user = {} as UserRow;
  const enough = (methods: Method[], policy = SECOND) => isEnough(user, methods, policy);
  assert.deepEqual([enough(["password"], { needsSecondFactor: () => false }), enough(["password"])], [true, false]);
  assert.equal(enough([], { needsSecondFactor: () => false }), false);
  const pairs: [Method[], boolean][] = [
    [["password", "totp"], true],
    [["password", "recovery_code"], true],
    [["provider", "passkey"], true],
    [["mail", "mail"], false],
    [["password", "mail"], false],
    [["password", "password"], false],
    [["totp"], false],
  ];
  for (const [methods, is] of pairs) assert.equal(enough(methods), is, methods.join(" "));
});

test("V23: with a second factor due, a right password makes no session, and the answer is 401", async (service) => {
  await pendingLogin(service);
  const app = createApp(withSecondFactor(service.auth));
  const form = { email: EMAIL, password: PASSWORD };
  const response = await service.requestTo(app, "POST", "/sessions", { form });
  assert.deepEqual([response.status, response.headers.get("error-code")], [401, "second_factor_required"]);
  assert.deepEqual(response.headers.getSetCookie(), [], "neither a session nor a device cookie");
  const page = await service.requestTo(app, "POST", "/login", { form });
  assert.equal(page.status, 401);
  const cookies = page.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
  assert.deepEqual(cookies, ["__Host-browser_id"], "neither a session nor a device cookie");
  assert.match(await page.text(), /needs a second factor/);
  assert.equal(await count(service, "sessions"), 0);
  assert.deepEqual(await service.rows("SELECT type FROM events WHERE type = 'logged_in'"), []);
}, PUBLIC_SETTINGS);

test("a pending login and a second factor make one session, which says by which methods", async (service) => {
  const pending = await pendingLogin(service);
  const [row] = await service.rows("SELECT * FROM pending_logins");
  assert.equal(row.secret_hash, hashToken(pending), "only its hash is stored");
  assert.deepEqual([row.methods, row.purpose], ["password", "login"]);
  const result = await withTotp(service, pending);
  assert.ok(result.state === "signed_in");
  const user = await getUserFromSessionId(service.auth, result.session.sessionId);
  assert.deepEqual([user?.email, user?.authenticatedAt], [EMAIL, service.clock.now]);
  const [session] = await service.rows("SELECT methods, authenticated_at FROM sessions");
  assert.deepEqual([session.methods, session.authenticated_at], ["password totp", service.clock.now]);
  await assert.rejects(withTotp(service, pending), { code: "invalid_token" }, "it is good once");
  assert.equal(await count(service, "sessions"), 1);
}, PUBLIC_SETTINGS);

test("a method that completes nothing makes the login go on waiting, under a new secret", async (service) => {
  const first = await pendingLogin(service);
  const second = pendingOf(await withTotp(service, first, "mail"));
  await assert.rejects(withTotp(service, first), { code: "invalid_token" });
  assert.equal((await withTotp(service, second)).state, "signed_in");
  const [{ methods }] = await service.rows("SELECT methods FROM sessions");
  assert.equal(methods, "password mail totp");
}, PUBLIC_SETTINGS);

test("V86: of 20 that take one pending login at once, over two instances, one gets a session", async (service) => {
  const pending = await pendingLogin(service);
  const other = await service.another();
  const tries = Array.from({ length: 20 }, (_, index) => withTotp(index % 2 ? service : other, pending));
  const results = await Promise.allSettled(tries);
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal(await count(service, "sessions"), 1);
}, PUBLIC_SETTINGS);

test("a pending login ends after ten minutes, is swept, and belongs to its user alone", async (service) => {
  const pending = await pendingLogin(service);
  const stranger = { ...await annasRow(service), id: "00000000-0000-7000-8000-000000000000" };
  const asStranger = continueSignIn(service.auth, pending, { user: stranger, method: "totp" }, {});
  await assert.rejects(asStranger, { code: "invalid_token" });
  await assert.rejects(withTotp(service, "x"), { code: "invalid_token" });
  service.clock.now += 10 * MINUTE - 1;
  const late = await pendingLogin(service);
  assert.equal(await count(service, "pending_logins"), 2);
  service.clock.now += 1;
  await assert.rejects(withTotp(service, pending), { code: "invalid_token" });
  await sweep(service.auth);
  assert.equal(await count(service, "pending_logins"), 1);
  assert.equal((await withTotp(service, late)).state, "signed_in");
}, PUBLIC_SETTINGS);

test("S47: a user has five pending logins at most, and the oldest make room", async (service) => {
  const first = await pendingLogin(service);
  for (let index = 0; index < 5; index++) {
    service.clock.now += 1;
    await pendingLogin(service);
  }
  assert.equal(await count(service, "pending_logins"), 5);
  await assert.rejects(withTotp(service, first), { code: "invalid_token" });
}, PUBLIC_SETTINGS);

test("S28, V48: whatever ends access ends the pending logins too", async (service) => {
  const { auth } = service;
  const acts: Record<string, (user: UserRow) => Promise<unknown>> = {
    "the operator's end-sessions": (user) => endSessionsOf(auth, OPERATOR, user),
    "the operator's disable": async (user) => {
      await disableUser(auth, OPERATOR, user);
      await enableUser(auth, OPERATOR, user);
    },
    "the user's end of other sessions": async () => {
      const session = sessionOf(
        await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }),
      );
      await endOtherSessions(auth, await requireUser(auth, { session }), { session });
    },
    "a change of the password": async () => {
      const session = sessionOf(
        await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }),
      );
      const form = { current_password: PASSWORD, new_password: "nine horses of some staples" };
      assert.equal((await service.request("PUT", "/password", { session, form })).status, 200);
      await service.request("PUT", "/password", { session, form });
    },
  };
  for (const [name, act] of Object.entries(acts)) {
    const pending = await pendingLogin(service);
    await act(await annasRow(service));
    assert.equal(await count(service, "pending_logins"), 0, name);
    await assert.rejects(withTotp(service, pending), { code: "invalid_token" }, name);
  }
}, PUBLIC_SETTINGS);

test("F23: a pending login counts for nothing once the password that opened it is another", async (service) => {
  const pending = await pendingLogin(service);
  // By a row of the table alone, as if a concurrent change had not seen the pending login.
  await service.rows("UPDATE users SET hashed_password = 'another'");
  await assert.rejects(withTotp(service, pending), { code: "invalid_token" });
  assert.equal(await count(service, "sessions"), 0);
}, PUBLIC_SETTINGS);

test("a disabled or unproven account goes no further, whatever is pending", async (service) => {
  for (const change of ["disabled_at = 1", "closed_at = 1, purge_at = 9e15", "email_verified_at = NULL"]) {
    await service.rows("DELETE FROM users");
    const pending = await pendingLogin(service);
    await service.rows(`UPDATE users SET ${change}`);
    await assert.rejects(withTotp(service, pending), { code: "invalid_token" }, change);
  }
}, PUBLIC_SETTINGS);

test("an account without a password closes by a recent sign-in, and one with a password does not", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const signedIn = await requireUser(service.auth, { session });
  await assert.rejects(closeAccount(service.auth, signedIn, "recent", { session }), { code: "wrong_password" });
  await service.rows("UPDATE users SET hashed_password = NULL");
  service.clock.now += 10 * MINUTE;
  await assert.rejects(closeAccount(service.auth, signedIn, "recent", { session }), { code: "login_required" });
  service.clock.now -= 1;
  const wrong = closeAccount(service.auth, signedIn, { password: PASSWORD }, { session });
  await assert.rejects(wrong, { code: "wrong_password" });
  const response = await service.request("DELETE", "/account", { session });
  assert.deepEqual([response.status, response.headers.get("clear-site-data")], [200, '"storage"']);
});

test("an account without a password changes its address and sets its first password", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  await service.rows("UPDATE users SET hashed_password = NULL");
  const asked = await service.request("POST", "/change_email", { session, form: { new_email: "new@example.com" } });
  assert.equal(asked.status, 200);
  const set = await service.request("PUT", "/password", { session, form: { new_password: PASSWORD } });
  assert.equal(set.status, 200);
  assert.equal((await service.request("GET", "/profile", { session: sessionOf(set) })).status, 200);
  await service.logIn(EMAIL, PASSWORD);
  await dropPassword(service.auth, OPERATOR, await annasRow(service));
});

test(
  "V23: an account that needs a second factor since its password was compared gets a pending login",
  async (service) => {
    await pendingLogin(service);
    await service.rows("DELETE FROM pending_logins");
    const auth = { ...service.auth, policy: { needsSecondFactor: ({ name }: UserRow) => name === "enrolled" } };
    const user = await annasRow(service);
    await service.rows("UPDATE users SET name = 'enrolled'");
    const result = await signIn(auth, { user, method: "password", hashed: user.hashed_password! }, {});
    assert.equal(result?.state, "second_factor");
    const after = await annasRow(service);
    assert.deepEqual([await count(service, "sessions"), after.signed_in_at], [0, null], "nothing of the login is left");
  },
  PUBLIC_SETTINGS,
);

test("V23: a session whose methods are no longer enough does not become fresh by its password", async (service) => {
  await pendingLogin(service);
  const session = sessionOf(await service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD } }));
  const began = service.clock.now;
  service.clock.now += 60 * MINUTE;
  const app = createApp(withSecondFactor(service.auth));
  const form = { current_password: PASSWORD, new_password: "nine horses of some staples" };
  const changed = await service.requestTo(app, "PUT", "/password", { session, form });
  assert.equal(changed.status, 200);
  const [{ created_at, authenticated_at }] = await service.rows("SELECT created_at, authenticated_at FROM sessions");
  assert.deepEqual([created_at, authenticated_at], [began, began]);
  const exported = await service.requestTo(app, "GET", "/account/export", { session: sessionOf(changed) });
  assert.equal(exported.headers.get("error-code"), "login_required");
}, PUBLIC_SETTINGS);

test(
  "S22: a password that waits for a second factor is an event, and uses up no mail about devices",
  async (service) => {
    const pending = await pendingLogin(service);
    const events = await service.rows("SELECT user_id FROM events WHERE type = 'second_factor_asked'");
    assert.deepEqual(events.map(({ user_id }) => user_id), [(await annasRow(service)).id]);
    await service.rows("UPDATE users SET signed_in_at = 1");
    for (let tries = 0; tries < 6; tries++) {
      await assert.rejects(withTotp(service, "x".repeat(43)), { code: "invalid_token" });
    }
    assert.deepEqual(await service.rows("SELECT id FROM counters WHERE id LIKE 'device-mail:%'"), []);
    await withTotp(service, pending);
    assert.deepEqual((await service.mails()).map(({ to }) => to), [EMAIL]);
  },
  PUBLIC_SETTINGS,
);
