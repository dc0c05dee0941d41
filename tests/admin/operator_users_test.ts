/**
 * The operator's commands about users: they follow the same rules as the endpoints, and never print a token or a
 * password.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { UserDetails, UserView } from "../../auth/admin/user_lists.ts";
import { run, runJson } from "../kit/command_line.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const EMAIL = "Guillaume@Holberton.io", PASSWORD = "Tr1ckyEn0ugh!", NEW_PASSWORD = "An0therG00dOne";
const CLOSED = { ...PUBLIC_SETTINGS, SIGN_UP: "closed" };

function login(service: Service, password: string): Promise<[number, unknown]> {
  return service.send("POST", "/sessions", { email: EMAIL, password });
}

async function addWithPassword(service: Service, email = EMAIL): Promise<void> {
  const { code, noted } = await run(service, ["users", "add", email, "--password-stdin"], { input: `${PASSWORD}\n` });
  assert.equal(code, 0, noted);
}

/** Uses the link of a reset mail. */
function reset(service: Service, reset_token: string, new_password: string): Promise<[number, unknown]> {
  return service.send("PUT", "/reset_password", { email: EMAIL, reset_token, new_password });
}

test("users add mails a link to set a password, also with SIGN_UP=closed", async (service) => {
  const refused = await service.send("POST", "/users", { email: EMAIL, password: PASSWORD });
  assert.equal(refused[0], 403);
  const { code, printed, noted } = await run(service, ["users", "add", EMAIL]);
  assert.deepEqual([code, noted], [0, ""]);
  const [mail, ...more] = await service.mails();
  assert.deepEqual([mail.to, more], [EMAIL, []]);
  // S64: only the mailbox gets the link.
  assert.ok(!printed.includes(mail.token) && !printed.includes("token="));
  assert.equal((await login(service, PASSWORD))[0], 401);
  assert.equal((await reset(service, mail.token, PASSWORD))[0], 200);
  assert.equal((await login(service, PASSWORD))[0], 200, "the address counts as proven");
}, CLOSED);

test("S64: users add reads a first password from standard input, under the password policy", async (service) => {
  const add = ["users", "add", EMAIL, "--password-stdin"];
  const weak = await run(service, add, { settings: CLOSED, input: "password\n" });
  assert.equal(weak.code, 1, weak.printed);
  assert.match(weak.noted, /password/);
  assert.equal((await run(service, add, { settings: CLOSED, input: "" })).code, 2);
  const invalid = new Blob([new Uint8Array([0x78, 0xff])]).stream();
  assert.equal((await run(service, add, { settings: CLOSED, input: invalid })).code, 2);
  const added = await run(service, add, { settings: CLOSED, input: `${PASSWORD}\r\nmore` });
  assert.deepEqual([added.code, added.noted], [0, ""]);
  assert.ok(!added.printed.includes(PASSWORD));
  assert.equal((await login(service, PASSWORD))[0], 200);
  assert.deepEqual(await service.mails(), []);
  for (const more of [[], ["--password-stdin"]]) {
    const again = ["users", "add", EMAIL.toLowerCase(), ...more];
    const refused = await run(service, again, { settings: CLOSED, input: NEW_PASSWORD });
    assert.equal(refused.code, 1);
    assert.match(refused.noted, /already exists/);
  }
  assert.equal((await login(service, PASSWORD))[0], 200, "the address counts as proven, the password stays");
  assert.equal((await login(service, NEW_PASSWORD))[0], 401);
}, CLOSED);

test("S35: a stranger's registration for an address ends when the operator adds that address", async (service) => {
  await service.register(EMAIL, "the stranger's 1");
  const [stranger] = await service.mails();
  await addWithPassword(service);
  assert.equal((await service.send("PUT", "/verify_email", { verification_token: stranger.token }))[0], 403);
  assert.equal((await login(service, "the stranger's 1"))[0], 401);
  assert.equal((await login(service, PASSWORD))[0], 200);
}, PUBLIC_SETTINGS);

test("users list sorts by address, searches by prefix without case, and pages", async (service) => {
  const emails = ["b_x@x.test", "bax@x.test", "a@x.test", "B%y@x.test", "c@x.test"];
  for (const email of emails) await service.register(email, PASSWORD);
  const listed = async (...words: string[]): Promise<string[]> => {
    const { code, printed } = await run(service, ["users", "list", "--json", ...words]);
    assert.equal(code, 0);
    return printed.split("\n").filter((line) => line !== "").map((line) => (JSON.parse(line) as UserView).email);
  };
  // Engines sort punctuation differently, so only the set of addresses is compared.
  assert.deepEqual((await listed()).toSorted(), emails.toSorted());
  assert.deepEqual((await listed("--search", "B")).toSorted(), ["B%y@x.test", "b_x@x.test", "bax@x.test"]);
  // The engine's pattern characters stand for themselves.
  assert.deepEqual(await listed("--search", "b_"), ["b_x@x.test"]);
  assert.deepEqual(await listed("--search", "b%"), ["B%y@x.test"]);
  const pages: string[] = [];
  for (let after: string[] = []; pages.length < 10;) {
    const page = await listed("--limit", "2", ...after);
    if (page.length === 0) break;
    pages.push(...page);
    after = ["--after", page.at(-1)!];
  }
  assert.deepEqual(pages, await listed());
  const { printed, noted } = await run(service, ["users", "list", "--limit", "1"]);
  assert.match(printed, /^email +id +state/);
  assert.match(noted, /There are more: --after \S+@x\.test/);
});

test("users list returns any number of users, each once", async (service) => {
  const { db } = service.auth;
  await db.transaction(async (tx) => {
    const sql = "INSERT INTO users (id, email, email_key, created_at, updated_at) VALUES ($1, $2, $2, 1, 1)";
    for (let index = 0; index < 1_203; index++) await tx.run(sql, `id-${index}`, `user-${index}@x.test`);
  });
  const { printed } = await run(service, ["users", "list", "--limit", "5000", "--json"]);
  const ids = printed.trimEnd().split("\n").map((line) => JSON.parse(line).id);
  assert.deepEqual([ids.length, new Set(ids).size], [1_203, 1_203]);
});

test("users show lists state, sessions and events, by address or id, without secrets", async (service) => {
  await service.register(EMAIL, PASSWORD);
  service.clock.now++;
  const session = await service.logIn(EMAIL, PASSWORD);
  service.clock.now++;
  await service.send("POST", "/reset_password", { email: EMAIL });
  const byEmail = await runJson<UserDetails>(service, ["users", "show", EMAIL.toUpperCase()]);
  assert.deepEqual(await runJson<UserDetails>(service, ["users", "show", byEmail.id]), byEmail);
  assert.deepEqual([byEmail.email, byEmail.password, byEmail.sessions.length], [EMAIL, true, 1]);
  assert.deepEqual(byEmail.events.map((event) => event.type), ["password_reset_requested", "logged_in", "registered"]);
  const { printed } = await run(service, ["users", "show", EMAIL]);
  const secrets = await service.rows<{ secret: string }>(
    "SELECT hashed_password AS secret FROM users UNION SELECT secret_hash FROM sessions UNION SELECT secret_hash FROM tokens",
  );
  assert.equal(secrets.length, 3);
  for (const secret of [session, ...secrets.map((row) => row.secret)]) {
    assert.ok(!printed.includes(secret) && !JSON.stringify(byEmail).includes(secret));
  }
  const nobody = await run(service, ["users", "show", "nobody@x.test"]);
  assert.deepEqual([nobody.code, nobody.printed], [1, ""]);
  assert.match(nobody.noted, /no user has the e-mail address or id/);
});

test("S23: a client's user agent cannot move the cursor of the operator's terminal", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await service.logIn(EMAIL, PASSWORD);
  // Written to the database directly, because no request header may contain these: C0, C1, a direction mark, a line
  // break.
  for (const name of ["sessions", "events"]) {
    await service.rows(`UPDATE ${name} SET user_agent = $1`, "a\x1b[2Jb\x9b2J\u202e\n");
  }
  for (
    const words of [["users", "show", EMAIL], ["users", "show", EMAIL, "--json"], ["events"], ["events", "--json"]]
  ) {
    const { printed } = await run(service, words);
    assert.doesNotMatch(printed, /[^\P{Cc}\n]/u, words.join(" "));
    if (!words.includes("--json")) assert.doesNotMatch(printed, /\u202e/);
  }
});

test("S45, S46: users end-sessions ends all sessions of one user and no others", async (service) => {
  for (const email of [EMAIL, "other@x.test"]) await service.register(email, PASSWORD);
  const sessions = [await service.logIn(EMAIL, PASSWORD), await service.logIn(EMAIL, PASSWORD)];
  const other = await service.logIn("other@x.test", PASSWORD);
  assert.equal((await runJson(service, ["users", "end-sessions", EMAIL])).ended, 2);
  for (const session of sessions) assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  assert.equal((await service.send("GET", "/profile", undefined, other))[0], 200);
});

test(
  "S64: users reset mails a link and never prints it",
  async (service) => {
    await addWithPassword(service);
    const plain = await run(service, ["users", "reset", EMAIL]);
    const asJson = await run(service, ["users", "reset", EMAIL, "--json"]);
    assert.deepEqual([plain.code, asJson.code], [0, 0]);
    const mails = await service.mails();
    assert.deepEqual(mails.map((mail) => mail.to), [EMAIL, EMAIL]);
    // The link of the last mail is the valid one.
    const first = mails[1];
    const tokens = await service.rows<{ secret_hash: string }>("SELECT secret_hash FROM tokens");
    for (const secret of [first.token, first.code, ...tokens.map((row) => row.secret_hash)]) {
      for (const said of [plain, asJson]) assert.ok(!(said.printed + said.noted).includes(secret));
    }
    assert.equal((await login(service, PASSWORD))[0], 200);
    assert.equal((await reset(service, first.token, NEW_PASSWORD))[0], 200);
    assert.equal((await login(service, PASSWORD))[0], 401);
    await run(service, ["users", "disable", EMAIL]);
    const refused = await run(service, ["users", "reset", EMAIL]);
    assert.equal(refused.code, 1);
    assert.match(refused.noted, /disabled; enable it first/);
  },
  PUBLIC_SETTINGS,
);

test(
  "S7: a compromised password is refused, and a mail lets the user set a new one",
  async (service) => {
    await addWithPassword(service);
    const session = await service.logIn(EMAIL, PASSWORD);
    // A login from a second device makes an undo link.
    await service.logIn(EMAIL, PASSWORD);
    assert.equal((await run(service, ["users", "compromised", EMAIL])).code, 0);
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await login(service, PASSWORD))[0], 401);
    const mails = await service.mails();
    const mail = mails.find((each) => each.token !== "" && /reset/.test(each.text))!;
    assert.equal((await reset(service, mail.token, NEW_PASSWORD))[0], 200);
    assert.equal((await login(service, NEW_PASSWORD))[0], 200);
    assert.equal((await login(service, PASSWORD))[0], 401);
    // The owner needs it if somebody with the password changed the account.
    const undo = mails.find((each) => /\/undo\?token=/.test(each.text))!;
    assert.equal((await service.send("POST", "/undo", { undo_token: undo.token }))[0], 200);
  },
  PUBLIC_SETTINGS,
);

test("S46, V57: users delete needs --yes and erases at once; the address can register anew", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users");
  const unsure = await run(service, ["users", "delete", EMAIL]);
  assert.equal(unsure.code, 2);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  assert.equal((await run(service, ["users", "delete", EMAIL, "--yes"])).code, 0);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
  for (const table of ["users", "sessions", "tokens"]) {
    assert.deepEqual(await service.rows(`SELECT * FROM ${table}`), []);
  }
  const traces = await service.rows("SELECT * FROM events WHERE ip IS NOT NULL OR user_agent IS NOT NULL");
  assert.deepEqual(traces, []);
  await service.register(EMAIL, PASSWORD);
  const [again] = await service.rows<{ id: string }>("SELECT id FROM users");
  assert.notEqual(again.id, id);
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
});

test("the audit log marks every change made by an operator", async (service) => {
  await run(service, ["users", "add", EMAIL]);
  for (const word of ["disable", "enable", "end-sessions", "reset", "compromised"]) {
    // Ids are ordered by milliseconds.
    service.clock.now++;
    assert.equal((await run(service, ["users", word, EMAIL])).code, 0, word);
  }
  service.clock.now++;
  await run(service, ["users", "delete", EMAIL, "--yes"]);
  const rows = await service.rows<{ type: string; details: string }>("SELECT type, details FROM events ORDER BY id");
  const types = rows.map((row) => row.type).filter((type) => type !== "password_reset_requested");
  assert.deepEqual(types, [
    "registered",
    "account_disabled",
    "account_enabled",
    "sessions_ended",
    "password_compromised",
    "account_purged",
  ]);
  // Erasure also removes the user from older events.
  assert.deepEqual(JSON.parse(rows.at(-1)!.details), { by: "operator" });
});
