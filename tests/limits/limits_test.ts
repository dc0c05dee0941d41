/**
 * The table of limits: its ids stay what running databases hold, the README says what it says, and what it calls
 * personal is erased with the account. Walks the table, so that a new row is tested without a word here.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { eraseUser } from "../../auth/admin/users.ts";
import type { Limit, PersonKey, WindowLimit } from "../../auth/limits/limit_rows.ts";
import { limitId, LIMITS } from "../../auth/limits/limits.ts";
import { limitTable } from "../kit/limit_table.ts";
import { countWithin } from "../../auth/limits/rate_limits.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { ANNA, BERT, browserOf, logIn, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { table } from "../kit/readme.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const ROWS: [string, Limit][] = Object.entries(LIMITS);
const WINDOWS = ROWS.filter((row): row is [string, WindowLimit] => "window" in row[1]);
const WRONG = "not the password";

/** How the ids of a row begin, up to the subject: once for each kind. */
function beginnings(limit: Limit): string[] {
  return limit.kinds?.map((kind) => limitId(limit, kind, "")) ?? [limitId(limit, "")];
}

/** The ids of all counters and guesses. */
async function storedIds(service: Service): Promise<string[]> {
  const rows = [];
  for (const name of ["counters", "guesses"]) {
    rows.push(...await service.rows<{ id: string }>(`SELECT id FROM ${name}`));
  }
  return rows.map(({ id }) => id);
}

/** Anna does, and others do to her, whatever is counted about a person. Gives what she is known by. */
async function liveCounted(service: Service): Promise<Record<PersonKey, string>> {
  await signUp(service);
  const first = await logIn(service);
  const again = { current_password: PASSWORD, new_password: PASSWORD };
  const { device } = browserOf(await service.request("PUT", "/password", { form: again, ...first }));
  // The first device of all gets no mail.
  const { session: own } = await logIn(service);
  await signUp(service, BERT);
  const { session } = await logIn(service, BERT);
  const requests: [string, string, Record<string, string>, string?][] = [
    ["POST", "/change_email", { new_email: BERT, password: PASSWORD }, own],
    ["POST", "/users", { email: ANNA, password: PASSWORD }],
    ["POST", "/verify_email", { email: ANNA }],
    ["POST", "/reset_password", { email: ANNA }],
    ["POST", "/change_email", { new_email: ANNA, password: PASSWORD }, session],
    ["PUT", "/verify_email", { email: ANNA, code: "00000000" }],
    ["POST", "/sessions", { email: ANNA, password: WRONG }],
  ];
  for (const [method, path, form, of] of requests) await outcome(service, method, path, { form, session: of });
  await outcome(service, "POST", "/sessions", { form: { email: ANNA, password: WRONG }, device });
  await outcome(service, "PATCH", "/account", { form: { name: "Anna" }, session: own });
  await outcome(service, "DELETE", "/account", { form: { password: WRONG }, session: own, device });
  // It counts as running until its body is read.
  await service.request("GET", "/account/export", { session: own });
  await service.mails();
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", ANNA);
  return { emailKey: ANNA, userId: id };
}

Deno.test("the ids are those of running databases", () => {
  assert.deepEqual(ROWS.flatMap(([, limit]) => beginnings(limit)), [
    "account:",
    "device:",
    "devices:",
    "guess:",
    "code:",
    "code-network:",
    "undo:",
    "register:",
    "register-address:",
    "mail-network:",
    "site:",
    "mail:register:",
    "mail:verify:",
    "mail:reset:",
    "mail:change:",
    "account-mail:",
    "device-mail:",
    "profile:",
    "account-change:password:",
    "account-change:address:",
    "own-failure:",
    "export:",
    "login-failed:",
  ]);
  assert.equal(limitId(LIMITS.addressMails, "reset", ANNA), `mail:reset:${ANNA}`);
  assert.equal(limitId(LIMITS.deviceGuesses, "user", "hash"), "device:user:hash");
  assert.equal(limitId(LIMITS.allDeviceGuesses, "user", "hash"), "devices:user:hash");
});

Deno.test("no id can belong to two rows, and no two rows have one name", () => {
  for (const [key, { prefix, kinds = [] }] of ROWS) {
    // One colon, at the end: what follows an equal beginning is then never part of the other's prefix.
    for (const word of [prefix.slice(0, -1), ...kinds]) assert.match(word, /^[a-z]+(?:-[a-z]+)*$/, key);
    assert.equal(prefix.at(-1), ":", key);
  }
  const all = ROWS.flatMap(([, limit]) => beginnings(limit));
  for (const [index, beginning] of all.entries()) {
    const same = all.filter((other, at) => at !== index && other.startsWith(beginning));
    assert.deepEqual(same, [], beginning);
  }
  const names = ROWS.map(([, { name }]) => name);
  assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
});

Deno.test("the README's table of limits is the one made of the rows, in their order", () => {
  const [, , ...lines] = limitTable().split("\n");
  assert.deepEqual(table("what is counted").map((cells) => `| ${cells.join(" | ")} |`), lines);
  assert.equal(lines.length, ROWS.filter(([, { readme }]) => readme !== undefined).length);
  const unsaid = WINDOWS.filter(([, { readme, most }]) => readme === undefined && Number.isFinite(most));
  assert.deepEqual(unsaid, [], "whatever refuses is in the README");
});

Deno.test("a row is personal unless it counts by network or link", () => {
  for (const [key, { scope, personal }] of ROWS) {
    assert.equal(personal.length > 0, !["network", "link"].includes(scope), key);
  }
});

test("erasing an account erases every counter about the person, whatever rows the table has", async (service) => {
  const person = await liveCounted(service);
  const before = await storedIds(service);
  for (const [key, limit] of ROWS) {
    const holding = limit.personal.flatMap((each) => beginnings(limit).map((beginning) => beginning + person[each]));
    for (const id of holding) {
      assert.ok(before.some((stored) => stored.startsWith(id)), `${key} was not counted: ${id}`);
    }
  }
  assert.equal(await eraseUser(service.auth, OPERATOR, { id: person.userId }), true);
  const limitOf = (id: string) => ROWS.filter(([, { prefix }]) => id.startsWith(prefix));
  const left = (await storedIds(service)).filter((id) => Object.values(person).some((key) => id.includes(key)));
  const wrong = left.filter((id) => !limitOf(id).some(([, limit]) => "outlives" in limit && limit.outlives !== ""));
  assert.deepEqual(wrong, []);
  // The others end by themselves, and every id has its one row of the table.
  assert.ok(left.length > 0 && left.every((id) => !id.includes(ANNA)));
  assert.deepEqual(before.filter((id) => limitOf(id).length !== 1), []);
  service.clock.now += LIMITS.deviceGuesses.memory;
  await sweep(service.auth);
  assert.deepEqual(await storedIds(service), []);
}, PUBLIC_SETTINGS);

for (const [profile, settings] of [["local", {}], ["public", PUBLIC_SETTINGS]] as const) {
  test(`the ${profile} profile counts every row of its own, and no other`, async (service) => {
    for (const [key, limit] of WINDOWS) {
      const statements: string[] = [];
      const stop = service.watch((sql) => statements.push(sql));
      const { within } = await countWithin(service.auth, limit, { of: ["x"] });
      stop();
      const counts = limit.profile === "both" || profile === "public";
      assert.deepEqual([within, statements.length], [true, counts ? 1 : 0], key);
      assert.equal((await storedIds(service)).includes(limitId(limit, "x")), counts, key);
    }
  }, settings);
}

test("one event a window is noted, by the row's name, where the row says so", async (service) => {
  for (const [key, limit] of WINDOWS.filter(([, { most }]) => Number.isFinite(most))) {
    const results = [];
    for (let count = 0; count < limit.most + 3; count++) {
      results.push((await countWithin(service.auth, limit, { of: ["x"] })).within);
    }
    assert.deepEqual(results, [...Array(limit.most).fill(true), false, false, false], key);
    const events = await service.rows<{ details: string }>("SELECT details FROM events WHERE type = 'throttled'");
    await service.rows("DELETE FROM events");
    const mode = limit.observable ? { mode: "enforce" } : {};
    assert.deepEqual(
      events.map(({ details }) => JSON.parse(details)),
      limit.noted ? [{ by: limit.name, ...mode }] : [],
    );
  }
}, PUBLIC_SETTINGS);
