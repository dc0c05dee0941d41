/**
 * Listing and ending the user's own sessions: one, or all others, and never another user's.
 *
 * @module
 */
import assert from "node:assert/strict";
import { requestEmailChange } from "../../auth/account/change_email.ts";
import { changePassword } from "../../auth/account/change_password.ts";
import { closeAccount } from "../../auth/account/close_account.ts";
import { undoChange } from "../../auth/account/undo_change.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { disableUser, dropPassword, endSessionsOf } from "../../auth/admin/users.ts";
import type { Auth } from "../../auth/auth.ts";
import type { Caller } from "../../auth/caller.ts";
import { requireUser, type SignedIn } from "../../auth/sign_in/current_user.ts";
import { endOtherSessions } from "../../auth/sign_in/sessions.ts";
import { runBeforeTransaction } from "../kit/interleaved_database.ts";
import {
  ANNA,
  BERT,
  type Body,
  DAY,
  ISO_TIME,
  logIn,
  mailTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const PROOF = { password: PASSWORD };

/** A session as it is listed. */
interface Listed extends Body {
  id: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
  user_agent: string | null;
  ip: string | null;
  current: boolean;
}

async function list(service: Service, session: string): Promise<Listed[]> {
  const [status, body] = await service.send("GET", "/sessions", undefined, session);
  assert.equal(status, 200);
  return (body as { sessions: Listed[] }).sessions;
}

test(
  "S45: GET /sessions lists only the user's own sessions, newest first, with ISO 8601 times and no secrets",
  async (service) => {
    await signUp(service);
    await signUp(service, BERT);
    await logIn(service, BERT);
    const form = { email: ANNA, password: PASSWORD };
    const from = { form, ip: "192.0.2.7", headers: { "user-agent": "phone/1.0 <script>" } };
    const phone = await logIn(service, ANNA, PASSWORD, from);
    service.clock.now += 1_000;
    const laptop = await logIn(service, ANNA, PASSWORD, { form, ip: "2001:db8::1" });
    const sessions = await list(service, laptop.session);
    assert.deepEqual(sessions.map(({ ip, user_agent, current }) => [ip, user_agent, current]), [
      ["2001:db8::1", null, true],
      ["192.0.2.7", "phone/1.0 <script>", false],
    ]);
    for (const entry of sessions) {
      assert.deepEqual(
        Object.keys(entry).sort(),
        ["created_at", "current", "expires_at", "id", "ip", "last_seen_at", "user_agent"],
      );
      for (const time of [entry.created_at, entry.last_seen_at, entry.expires_at]) assert.match(time, ISO_TIME);
      assert.equal(Date.parse(entry.expires_at) - Date.parse(entry.last_seen_at), 7 * DAY);
    }
    const text = JSON.stringify(sessions);
    const hashes = await service.rows<{ secret_hash: string }>("SELECT secret_hash FROM sessions");
    for (const secret of [phone.session, laptop.session, ...hashes.map((row) => row.secret_hash)]) {
      assert.ok(!text.includes(secret));
    }
    assert.deepEqual(await outcome(service, "GET", "/profile", { session: sessions[0].id }), [403, "no_session"]);
  },
  PUBLIC_SETTINGS,
);

test("S45, V12: DELETE /sessions/:id ends only the user's own sessions, else it answers 404", async (service) => {
  await signUp(service);
  await signUp(service, BERT);
  const [phone, laptop, bert] = [await logIn(service), await logIn(service), await logIn(service, BERT)];
  const [berts] = await list(service, bert.session);
  const hash = (await service.rows<{ secret_hash: string }>("SELECT secret_hash FROM sessions"))[0].secret_hash;
  for (const id of [berts.id, crypto.randomUUID(), hash, bert.session, "%00", "%27%20OR%201=1", "x".repeat(500)]) {
    const refused = await outcome(service, "DELETE", `/sessions/${id}`, { session: phone.session });
    assert.deepEqual(refused, [404, "unknown_session"], id);
  }
  const refused = await outcome(service, "DELETE", `/sessions/${berts.id}`, { session: phone.session });
  assert.deepEqual(refused, [404, "unknown_session"]);
  assert.deepEqual(await outcome(service, "DELETE", `/sessions/${berts.id}`), [403, "no_session"]);
  assert.equal((await service.send("GET", "/profile", undefined, bert.session))[0], 200);

  const other = (await list(service, phone.session)).find(({ current }) => !current)!;
  const answer = await service.send("DELETE", `/sessions/${other.id}`, undefined, phone.session);
  assert.deepEqual(answer, [200, { email: ANNA, message: "session ended" }]);
  assert.equal((await service.send("GET", "/profile", undefined, laptop.session))[0], 403);
  const again = await outcome(service, "DELETE", `/sessions/${other.id}`, { session: phone.session });
  assert.deepEqual(again, [404, "unknown_session"]);
}, PUBLIC_SETTINGS);

test(
  "S45: DELETE /sessions/others ends the user's other sessions and counts the live ones it ended",
  async (service) => {
    await signUp(service);
    await signUp(service, BERT);
    const bert = await logIn(service, BERT);
    await logIn(service);
    service.clock.now += 7 * DAY;
    const bertAgain = await logIn(service, BERT);
    const others = [await logIn(service), await logIn(service)];
    const { session } = await logIn(service);
    const answer = await service.send("DELETE", "/sessions/others", undefined, session);
    assert.deepEqual(answer, [200, { email: ANNA, message: "sessions ended", count: 2 }]);
    const statuses = [];
    for (const one of [...others, bert, bertAgain, { session }]) {
      statuses.push((await service.send("GET", "/profile", undefined, one.session))[0]);
    }
    assert.deepEqual(statuses, [403, 403, 403, 200, 200]);
    const none = await service.send("DELETE", "/sessions/others", undefined, session);
    assert.deepEqual(none, [200, { email: ANNA, message: "sessions ended", count: 0 }]);
    assert.deepEqual(await outcome(service, "DELETE", "/sessions/others"), [403, "no_session"]);
  },
  PUBLIC_SETTINGS,
);

test("V15: after DELETE /sessions/others an ended session is refused by every endpoint", async (service) => {
  await signUp(service);
  const [stolen, mine] = [await logIn(service), await logIn(service)];
  await list(service, stolen.session);
  assert.equal((await service.send("DELETE", "/sessions/others", undefined, mine.session))[0], 200);
  const acts: [string, string, Record<string, string>?][] = [
    ["GET", "/account"],
    ["GET", "/account/events"],
    ["GET", "/account/export"],
    ["GET", "/sessions"],
    ["PATCH", "/account", { name: "x" }],
    ["PUT", "/password", { current_password: PASSWORD, new_password: "staple horse battery" }],
    ["POST", "/change_email", { new_email: "thief@example.net", password: PASSWORD }],
    ["PUT", "/change_email", { code: "00000000" }],
    ["DELETE", "/sessions/others"],
    ["DELETE", "/account", { password: PASSWORD }],
  ];
  for (const [method, path, form] of acts) {
    const refused = await outcome(service, method, path, { form, session: stolen.session });
    assert.deepEqual(refused, [403, "no_session"], `${method} ${path}`);
  }
}, PUBLIC_SETTINGS);

test("V15: a session that ends while its password is checked changes nothing", async (service) => {
  await signUp(service);
  const acts: [string, string, Record<string, string>][] = [
    ["PUT", "/password", { current_password: PASSWORD, new_password: "staple horse battery" }],
    ["POST", "/change_email", { new_email: "thief@example.net", password: PASSWORD }],
    ["DELETE", "/account", { password: PASSWORD }],
  ];
  for (const [method, path, form] of acts) {
    const { session } = await logIn(service);
    const hash = service.auth.hashQueue.hash;
    // The owner ends the session after the request was accepted and before its change is made.
    service.auth.hashQueue.hash = async (...given) => {
      await service.rows("DELETE FROM sessions");
      return await hash.apply(service.auth.hashQueue, given);
    };
    const refused = await outcome(service, method, path, { form, session });
    service.auth.hashQueue.hash = hash;
    assert.deepEqual(refused, [403, "no_session"], `${method} ${path}`);
  }
  await logIn(service);
}, PUBLIC_SETTINGS);

test("V15: a request of a session fails when an undo ends that session first", async (service) => {
  const doors: Record<string, (auth: Auth, user: SignedIn, caller: Caller) => Promise<unknown>> = {
    change_email: (auth, user, caller) => requestEmailChange(auth, user, "thief2@example.net", PROOF, caller),
    password: (auth, user, caller) => changePassword(auth, user, PROOF, NEW_PASSWORD, caller),
    close: (auth, user, caller) => closeAccount(auth, user, PROOF, caller),
    others: (auth, user, caller) => endOtherSessions(auth, user, caller),
  };
  for (const [name, act] of Object.entries(doors)) {
    await signUp(service);
    await logIn(service);
    const thief = await logIn(service);
    const { token } = await mailTo(service, ANNA);
    // After the password check and right before the change, the owner uses undo.
    const auth = runBeforeTransaction(service.auth, () => undoChange(service.auth, token, undefined));
    const refusal = name === "password" ? "wrong_password" : "no_session";
    const caller = { session: thief.session };
    const user = await requireUser(service.auth, caller);
    await assert.rejects(act(auth, user, caller), { code: refusal }, name);
    const tokens = await service.rows("SELECT purpose FROM tokens WHERE purpose <> 'undo'");
    assert.deepEqual(tokens.map(({ purpose }) => purpose), ["reset"], name);
    const [row] = await service.rows("SELECT closed_at, hashed_password, frozen_at FROM users");
    assert.deepEqual([row.closed_at, row.hashed_password, row.frozen_at], [null, null, service.clock.now], name);
    for (const table of ["users", "counters"]) await service.rows(`DELETE FROM ${table}`);
  }
}, PUBLIC_SETTINGS);

test("every action that ends several sessions locks the user row first, to prevent deadlocks", async (service) => {
  const acts: Record<string, (user: SignedIn, caller: Caller) => Promise<unknown>> = {
    others: (user, caller) => endOtherSessions(service.auth, user, caller),
    operator: (user) => endSessionsOf(service.auth, OPERATOR, user),
    disabled: (user) => disableUser(service.auth, OPERATOR, user),
    compromised: (user) => dropPassword(service.auth, OPERATOR, user),
    password: (user, caller) => changePassword(service.auth, user, PROOF, NEW_PASSWORD, caller),
    close: (user, caller) => closeAccount(service.auth, user, PROOF, caller),
  };
  for (const [name, act] of Object.entries(acts)) {
    await signUp(service);
    const { session } = await logIn(service);
    const user = await requireUser(service.auth, { session });
    const locks: string[] = [];
    const stop = service.watch((sql) => locks.push(/^(?:UPDATE|DELETE FROM) (users|sessions)/.exec(sql)?.[1] ?? ""));
    await act(user, { session });
    stop();
    assert.equal(locks.find(Boolean), "users", name);
    assert.ok(locks.includes("sessions"), name);
    for (const table of ["users", "counters"]) await service.rows(`DELETE FROM ${table}`);
  }
}, PUBLIC_SETTINGS);

test("S41, S42: in public a session ends after 7 unused days and at an age of 30 days", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  service.clock.now += 7 * DAY - 1;
  assert.equal((await service.send("GET", "/account", undefined, session))[0], 200);
  for (let week = 0; week < 3; week++) {
    service.clock.now += 7 * DAY - 1;
    assert.equal((await service.send("GET", "/account", undefined, session))[0], 200);
  }
  service.clock.now += 2 * DAY + 3;
  assert.equal((await service.send("GET", "/account", undefined, session))[0], 200);
  service.clock.now += 1;
  assert.deepEqual(await outcome(service, "GET", "/account", { session }), [403, "no_session"]);
  assert.deepEqual(await list(service, (await logIn(service)).session).then((all) => all.length), 1);
}, PUBLIC_SETTINGS);
