/**
 * What users read and change of their own account: profile, name and language, events, export.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { disableUser, enableUser } from "../../auth/admin/users.ts";
import {
  ANNA,
  BERT,
  type Body,
  ISO_TIME,
  logIn,
  mailTo,
  MINUTE,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

async function get(service: Service, path: string, session: string): Promise<Body> {
  const [status, body] = await service.send("GET", path, undefined, session);
  assert.equal(status, 200, path);
  return body as Body;
}

test("GET /account answers only id, address, proof, name, language and age of the account", async (service) => {
  await service.request("POST", "/users", {
    form: { email: ANNA, password: PASSWORD },
    headers: { "accept-language": "fr-CH, en;q=0.5" },
  });
  await service.send("PUT", "/verify_email", { verification_token: (await mailTo(service, ANNA)).token });
  const { session } = await logIn(service);
  const { id, email_verified_at, created_at, ...rest } = await get(service, "/account", session);
  assert.deepEqual(rest, { email: ANNA, name: null, locale: "fr" });
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  for (const time of [email_verified_at, created_at]) assert.match(String(time), ISO_TIME);
  assert.deepEqual(await outcome(service, "GET", "/account"), [403, "no_session"]);
}, PUBLIC_SETTINGS);

test("PATCH /account changes the given name and language, as form and as JSON", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const before = await get(service, "/account", session);
  const changes: [Record<string, string>, Body][] = [
    [{ name: "Anna 😀 O'Hara" }, { name: "Anna 😀 O'Hara" }],
    [{ locale: "de" }, { locale: "de" }],
    [{}, {}],
    // Persian needs the zero-width non-joiner, emoji of families the joiner.
    [{ name: "می\u200cخواهم 👩\u200d👧" }, { name: "می\u200cخواهم 👩\u200d👧" }],
    [{ name: "" }, { name: null }],
  ];
  let expected = before;
  for (const [fields, change] of changes) {
    for (const kind of ["form", "json"]) {
      const response = await service.request("PATCH", "/account", { [kind]: fields, session });
      expected = { ...expected, ...change };
      assert.deepEqual([response.status, await response.json()], [200, expected]);
    }
    assert.deepEqual(await get(service, "/account", session), expected);
  }
  await service.send("POST", "/reset_password", { email: ANNA });
  assert.match((await mailTo(service, ANNA)).html, /lang="de"/);
}, PUBLIC_SETTINGS);

test("PATCH /account answers 400 to an invalid name or language", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const faults: Record<string, unknown>[] = [
    { name: "a\r\nBcc: thief@example.net" },
    { name: "a\u202eb" },
    { name: "a\u2028b" },
    { name: "x".repeat(101) },
    { name: 5 },
    { name: ["a"] },
    { locale: "xx" },
    { locale: "" },
    { name: "fine", locale: "EN" },
  ];
  for (const json of faults) {
    const refused = await outcome(service, "PATCH", "/account", { json, session });
    assert.deepEqual(refused, [400, "invalid_field"], JSON.stringify(json));
  }
  assert.equal((await get(service, "/account", session)).name, null);
}, PUBLIC_SETTINGS);

test("V53, S13, V01: PATCH /account cannot change address, proof, password, id or another user", async (service) => {
  await signUp(service, BERT);
  const bert = await logIn(service, BERT);
  const other = await get(service, "/account", bert.session);
  await signUp(service);
  const { session } = await logIn(service);
  const before = await service.rows("SELECT * FROM users ORDER BY id");
  const json = {
    id: other.id,
    user_id: other.id,
    email: BERT,
    email_key: BERT,
    email_verified_at: null,
    email_verified: 1,
    hashed_password: "x",
    created_at: 0,
    closed_at: 1,
    frozen_at: 1,
    role: "admin",
  };
  const path = `/account?id=${other.id}&user_id=${other.id}`;
  assert.deepEqual(await outcome(service, "PATCH", path, { json, session }), [200, null]);
  assert.deepEqual(await service.rows("SELECT * FROM users ORDER BY id"), before);
}, PUBLIC_SETTINGS);

test("GET /account/events answers the user's own events, newest first, in pages", async (service) => {
  await signUp(service, BERT);
  await signUp(service);
  const form = { email: ANNA, password: PASSWORD };
  const from = { form, ip: "192.0.2.7", headers: { "user-agent": "phone/1.0" } };
  const { session, device } = await logIn(service, ANNA, PASSWORD, from);
  for (let count = 0; count < 6; count++) {
    service.clock.now += 1_000;
    await logIn(service, ANNA, PASSWORD, { form, device });
  }
  const all = (await get(service, "/account/events", session)).events as Body[];
  const expected = [
    ...Array(7).fill("logged_in"),
    "email_verified",
    "registered",
    "registration_requested",
  ];
  assert.deepEqual(all.map(({ type }) => type).sort(), expected.sort());
  assert.deepEqual(all.map(({ created_at }) => created_at), all.map(({ created_at }) => created_at).sort().reverse());
  const first = all.find(({ type, ip }) => type === "logged_in" && ip !== null)!;
  assert.deepEqual({ ...first, id: "", created_at: "" }, {
    id: "",
    created_at: "",
    type: "logged_in",
    ip: "192.0.2.7",
    user_agent: "phone/1.0",
  });
  assert.match(String(first.created_at), ISO_TIME);

  const paged: Body[] = [];
  let next: unknown = null;
  do {
    const page = await get(service, `/account/events?limit=3${next === null ? "" : `&cursor=${next}`}`, session);
    paged.push(...page.events as Body[]);
    next = page.next;
    assert.ok((page.events as Body[]).length <= 3);
  } while (next !== null);
  assert.deepEqual(paged, all);
}, PUBLIC_SETTINGS);

test(
  "V24: GET /account/events refuses invalid limits and cursors, and another user's cursor shows only own events",
  async (service) => {
    await signUp(service, BERT);
    const bert = await logIn(service, BERT);
    await signUp(service);
    const { session } = await logIn(service);
    const bad = [
      "limit=0",
      "limit=101",
      "limit=x",
      "limit=-1",
      "limit=1e1",
      "limit=1&limit=2",
      "cursor=x",
      "cursor=%00",
    ];
    bad.push(`cursor=${"0".repeat(35)}'`, "cursor=1'%20OR%201=1--", `cursor=${"a".repeat(500)}`, "cursor=");
    for (const query of bad) {
      const refused = await outcome(service, "GET", `/account/events?${query}`, { session });
      assert.deepEqual(refused, [400, "invalid_field"], query);
    }
    const [newest] = (await get(service, "/account/events", bert.session)).events as Body[];
    const mine = await get(service, "/account/events", session);
    const seen = await get(service, `/account/events?cursor=${newest.id}`, session);
    const own = "SELECT id FROM events WHERE user_id = (SELECT id FROM users WHERE email_key = $1)";
    const ids = (await service.rows<{ id: string }>(own, ANNA)).map(({ id }) => id);
    for (const { events } of [mine, seen]) assert.ok((events as Body[]).every(({ id }) => ids.includes(String(id))));
    assert.ok((mine.events as Body[]).length > 0);
    assert.deepEqual(await outcome(service, "GET", "/account/events"), [403, "no_session"]);
  },
  PUBLIC_SETTINGS,
);

test(
  "GET /account/export answers all data stored about the user as one file, with ISO 8601 times and no secrets",
  async (service) => {
    await signUp(service, BERT);
    await signUp(service);
    const { session, device } = await logIn(service);
    const wish = { new_email: "anna@example.org", password: PASSWORD };
    await service.send("POST", "/change_email", wish, session);
    const { token, code } = await mailTo(service, "anna@example.org");
    await service.send("POST", "/reset_password", { email: ANNA });
    const response = await service.request("GET", "/account/export", { session });
    assert.equal(response.headers.get("content-disposition"), 'attachment; filename="account.json"');
    const text = await response.text();
    const body = JSON.parse(text) as { account: Body; sessions: Body[]; tokens: Body[]; events: Body[] };
    const [user] = await service.rows<{ updated_at: number; signed_in_at: number }>(
      "SELECT updated_at, signed_in_at FROM users WHERE email_key = $1",
      ANNA,
    );
    assert.deepEqual(body.account, {
      ...await get(service, "/account", session),
      updated_at: new Date(user.updated_at).toISOString(),
      signed_in_at: new Date(user.signed_in_at).toISOString(),
      frozen_at: null,
      closed_at: null,
      purge_at: null,
      disabled_at: null,
    });
    assert.equal(body.sessions.length, 1);
    assert.deepEqual(body.tokens.map(({ purpose }) => purpose).sort(), ["change_email", "reset"]);
    assert.ok(body.events.length >= 6);
    for (const row of [...body.sessions, ...body.tokens, ...body.events]) {
      for (const [name, value] of Object.entries(row)) if (name.endsWith("_at")) assert.match(String(value), ISO_TIME);
    }
    const secrets = [PASSWORD, session, device, token, code, BERT, "$2b$", "hash", "secret"];
    const rows = await service.rows<{ secret_hash: string }>(
      "SELECT secret_hash FROM sessions UNION SELECT secret_hash FROM tokens",
    );
    for (const secret of [...secrets, ...rows.map((row) => row.secret_hash)]) {
      assert.ok(!text.includes(secret), `${secret} is in the export`);
    }
  },
  PUBLIC_SETTINGS,
);

test("GET /account/export needs a login or a new password within the last 10 minutes", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  service.clock.now += 10 * MINUTE - 1;
  assert.deepEqual(await outcome(service, "GET", "/account/export", { session }), [200, null]);
  service.clock.now += 1;
  assert.deepEqual(await outcome(service, "GET", "/account/export", { session }), [403, "login_required"]);
  assert.deepEqual(await outcome(service, "GET", "/account/export"), [403, "no_session"]);
  const form = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session }), [200, null]);
  const fresh = await logIn(service, ANNA, NEW_PASSWORD);
  assert.deepEqual(await outcome(service, "GET", "/account/export", { session: fresh.session }), [200, null]);
}, PUBLIC_SETTINGS);

test("PUT /password needs the old password, ends other sessions and gives this one a new id", async (service) => {
  await signUp(service);
  const [one, two] = [await logIn(service), await logIn(service)];
  for (const current of [{ current_password: "not the password" }, { current_password: "" }, {}]) {
    const json = { ...current, new_password: NEW_PASSWORD };
    const refused = await outcome(service, "PUT", "/password", { json, session: one.session });
    assert.deepEqual(refused, [403, "wrong_password"]);
  }
  const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/password", { json }), [403, "no_session"]);
  const missing = await outcome(service, "PUT", "/password", {
    json: { ...json, new_password: "" },
    session: one.session,
  });
  assert.deepEqual(missing, [400, "invalid_field"]);
  const response = await service.request("PUT", "/password", { json, session: one.session });
  assert.deepEqual([response.status, await response.json()], [200, { email: ANNA, message: "Password updated" }]);
  const fresh = /^__Host-session_id=([^;]+)/.exec(response.headers.getSetCookie()[0])![1];
  const statuses = [];
  for (const session of [one.session, two.session, fresh]) {
    statuses.push((await service.send("GET", "/profile", undefined, session))[0]);
  }
  assert.deepEqual(statuses, [403, 403, 200]);
}, PUBLIC_SETTINGS);

test("V15: a session that ends while its body arrives changes nothing and shows nothing", async (service) => {
  await signUp(service);
  const ends: Record<string, (session: string) => Promise<unknown>> = {
    "a log-out": (session) => service.request("DELETE", "/sessions", { session }),
    "the operator": async () => {
      const user = await findUser(service.auth, ANNA);
      await disableUser(service.auth, OPERATOR, user);
      await enableUser(service.auth, OPERATOR, user);
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const { session } = await logIn(service);
    const pieces = ["na", "me=Mallory"].map((text) => new TextEncoder().encode(text));
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (pieces.length === 1) await end(session);
        controller.enqueue(pieces.shift());
        if (pieces.length === 0) controller.close();
      },
    }, { highWaterMark: 0 });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await service.request("PATCH", "/account", { session, headers, body });
    assert.deepEqual([response.status, response.headers.get("error-code")], [403, "no_session"], name);
    assert.deepEqual(await service.rows("SELECT name FROM users WHERE name IS NOT NULL"), [], name);
  }
}, PUBLIC_SETTINGS);
