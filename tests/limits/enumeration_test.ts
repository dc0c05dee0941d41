/**
 * Nobody can learn who has an account: every form gives known and unknown addresses the same answer, for the same
 * hashes and the same kinds of statements. Times are not asserted; they follow from the work.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { BROWSER_ACCEPT } from "../kit/form_browser.ts";
import { recordHashes } from "../kit/hash_recorder.ts";
import { ANNA, BERT, type Browser, logIn, mailTo, NOBODY, PASSWORD, raw, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

/** An answer and its work. */
interface Seen {
  answer: string;
  hashes: number[];
  statements: string[];
}

/** Calls the service and records the whole answer, its hashes, and the kinds of its statements with their tables. */
async function see(service: Service, method: string, path: string, options: RequestOptions): Promise<Seen> {
  const { auth, costs } = recordHashes(service.auth);
  const statements: string[] = [];
  const stop = service.watch((sql) => statements.push(kindOf(sql)));
  const response = await service.requestTo(createApp(auth), method, path, options);
  const answer = await raw(response);
  stop();
  return { answer, hashes: costs, statements: statements.sort() };
}

/** Verb and table. An inserted event counts like an updated counter, because both cost the same. */
function kindOf(sql: string): string {
  const [, verb, table] = /^(SELECT|INSERT|UPDATE|DELETE)[^]*?(?:FROM|INTO|UPDATE) (\w+)/.exec(sql) ?? ["", sql, ""];
  return verb === "INSERT" && ["events", "counters"].includes(table) ? "INSERT event or counter" : `${verb} ${table}`;
}

/** Masks the address in an answer, which repeats what was sent. */
function masked({ answer, hashes, statements }: Seen, email: string): Seen {
  const plain = answer.replaceAll(encodeURIComponent(email), "<email>").replaceAll(email, "<email>");
  // Random for every form and browser.
  const ids = plain.replaceAll(/(name="form_id" value=|browser_id=)"?[\w.-]+/g, "$1");
  return { answer: ids.replace(/^content-length: \d+$/m, ""), hashes, statements };
}

/** One user of each state. All passwords are right, but only `known` may log in. */
async function everybody(service: Service): Promise<Record<string, string>> {
  const people = {
    known: ANNA,
    closed: "closed@example.com",
    frozen: "frozen@example.com",
    unproven: "unproven@example.com",
    registering: "registering@example.com",
  };
  for (const email of [people.known, people.closed, people.frozen, people.unproven]) await signUp(service, email);
  await service.register(people.registering, PASSWORD);
  const leaving = await logIn(service, people.closed);
  assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, leaving.session))[0], 200);
  await logIn(service, people.frozen);
  const other = await logIn(service, people.frozen);
  assert.ok(other.device);
  const { token } = await mailTo(service, people.frozen);
  assert.equal((await service.send("POST", "/undo", { undo_token: token }))[0], 200);
  await service.rows("UPDATE users SET email_verified_at = NULL WHERE email_key = $1", people.unproven);
  await service.mails();
  return people;
}

async function assertAlike(
  service: Service,
  emails: Record<string, string>,
  method: string,
  path: string,
  options: (email: string) => RequestOptions,
): Promise<Seen> {
  const unknown = masked(await see(service, method, path, options(NOBODY)), NOBODY);
  assert.ok(unknown.statements.length > 0);
  for (const [who, email] of Object.entries(emails)) {
    const seen = masked(await see(service, method, path, options(email)), email);
    assert.deepEqual(seen, unknown, `${method} ${path}: ${who}`);
  }
  return unknown;
}

test("S16, V48: POST /sessions refuses alike: wrong, unknown, pending, unproven, frozen, closed", async (service) => {
  const people = await everybody(service);
  const wrong = await assertAlike(service, people, "POST", "/sessions", (email) => ({
    form: { email, password: "not the password" },
  }));
  assert.match(wrong.answer, /^401\n/);
  assert.equal(wrong.hashes.length, 1);
  const { known: _known, ...shut } = people;
  const right = await assertAlike(
    service,
    shut,
    "POST",
    "/sessions",
    (email) => ({ json: { email, password: PASSWORD } }),
  );
  assert.equal(right.answer, wrong.answer);
}, PUBLIC_SETTINGS);

test("S17, V52: with a stranger's device cookie known and unknown addresses get the same answer", async (service) => {
  await signUp(service, BERT);
  const { device } = await logIn(service, BERT);
  await signUp(service);
  await assertAlike(service, { known: ANNA }, "POST", "/sessions", (email) => ({
    form: { email, password: "not the password" },
    device,
  }));
}, PUBLIC_SETTINGS);

test("V52: POST /users answers every address alike and costs one hash", async (service) => {
  const people = await everybody(service);
  const seen = await assertAlike(
    service,
    people,
    "POST",
    "/users",
    (email) => ({ form: { email, password: PASSWORD } }),
  );
  assert.match(seen.answer, /^200\n/);
  assert.equal(seen.hashes.length, 1);
}, PUBLIC_SETTINGS);

for (const path of ["/reset_password", "/verify_email"]) {
  test(`V52: POST ${path} answers every address alike`, async (service) => {
    const people = await everybody(service);
    const seen = await assertAlike(service, people, "POST", path, (email) => ({ form: { email } }));
    assert.match(seen.answer, /^200\n/);
    assert.deepEqual(seen.hashes, []);
  }, PUBLIC_SETTINGS);
}

const PAGES: [string, Record<string, string>][] = [
  ["/register", { password: PASSWORD }],
  ["/forgot", {}],
  ["/verify/again", {}],
  ["/login", { password: "not the password" }],
];
for (const [path, more] of PAGES) {
  test(`V52: the form at ${path} answers every address alike`, async (service) => {
    const people = await everybody(service);
    const headers = { accept: BROWSER_ACCEPT };
    // Reads the key of forms, as one page a minute does.
    await service.request("GET", path, { headers });
    await assertAlike(service, people, "POST", path, (email) => ({ form: { email, ...more }, headers }));
  }, PUBLIC_SETTINGS);
}

test("V52: PUT /verify_email and PUT /reset_password refuse a wrong code of every address alike", async (service) => {
  const people = await everybody(service);
  for (
    const [path, more] of [["/verify_email", {}], ["/reset_password", { new_password: "battery staple" }]] as const
  ) {
    const seen = await assertAlike(service, people, "PUT", path, (email) => ({
      form: { email, code: "00000000", ...more },
    }));
    assert.match(seen.answer, /^403\n/);
    assert.deepEqual(seen.hashes, []);
  }
}, PUBLIC_SETTINGS);

test("V52: POST /change_email answers alike for a free address and another user's", async (service) => {
  const people = await everybody(service);
  const browsers: Browser[] = [];
  for (let count = 0; count < 2; count++) {
    await signUp(service, `asker${count}@example.com`);
    browsers.push(await logIn(service, `asker${count}@example.com`));
  }
  const { session } = browsers[0];
  const seen = await assertAlike(service, people, "POST", "/change_email", (email) => ({
    form: { new_email: email, password: PASSWORD },
    session,
  }));
  assert.match(seen.answer, /^200\n/);
  assert.equal(seen.hashes.length, 1);
}, PUBLIC_SETTINGS);

/** A new user asks for this address several times. Returns everything that this user can read afterwards. */
async function readAfterAsking(service: Service, asker: string, address: string): Promise<string> {
  const start = service.clock.now;
  await signUp(service, asker);
  const { session } = await logIn(service, asker);
  const seen: string[] = [];
  for (let asked = 0; asked < 7; asked++) {
    const form = { new_email: address, password: PASSWORD };
    seen.push(await raw(await service.request("POST", "/change_email", { form, session })));
    service.clock.now += 5_000;
    await service.mails();
    service.clock.now += 5_000;
    for (const path of ["/account/export", "/account/events?limit=100", "/account"]) {
      seen.push(await raw(await service.request("GET", path, { session })));
    }
  }
  const wrong = { form: { code: "00000000" }, session };
  seen.push(await raw(await service.request("PUT", "/change_email", wrong)));
  return seen.join("\n")
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => `<+${Date.parse(time) - start}>`)
    .replaceAll(asker, "<asker>").replaceAll(address, "<address>")
    // Rows of one millisecond are ordered by the random part of their ids.
    .split(/(?<=[[\]}\n]),?/).sort().join("\n");
}

test(
  "V52: after asking for an address, the asker's events and export are the same whoever owns it",
  async (service) => {
    const people = await everybody(service);
    const unknown = await readAfterAsking(service, "asker@example.com", NOBODY);
    assert.match(unknown, /change_email/);
    for (const [index, [who, email]] of Object.entries(people).entries()) {
      // The hourly limits of the askers' network are not under test.
      await service.rows("DELETE FROM counters WHERE id LIKE '%unknown'");
      assert.equal(await readAfterAsking(service, `asker${index}@example.com`, email), unknown, who);
    }
  },
  PUBLIC_SETTINGS,
);

test("S16, V52: beyond the limits known and unknown addresses are refused alike", async (service) => {
  await signUp(service);
  const answers: Record<string, string[]> = {};
  for (const email of [ANNA, NOBODY]) {
    answers[email] = [];
    for (let tries = 0; tries < 12; tries++) {
      const form = { email, password: "not the password" };
      answers[email].push(await raw(await service.request("POST", "/sessions", { form })));
    }
    for (let tries = 0; tries < 7; tries++) {
      const form = { email, code: "00000000" };
      answers[email].push(await raw(await service.request("PUT", "/verify_email", { form })));
    }
  }
  assert.deepEqual(answers[ANNA], answers[NOBODY]);
  assert.match(answers[ANNA].at(-1)!, /^429\n[^]*retry-after: 3600\n/);
}, PUBLIC_SETTINGS);
