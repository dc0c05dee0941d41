/**
 * Change of an account's address: it needs the password and the new mailbox's proof, and the old mailbox gets a notice.
 *
 * @module
 */
import assert from "node:assert/strict";
import { changeEmail } from "../../auth/account/change_email.ts";
import { requireUser } from "../../auth/sign_in/current_user.ts";
import {
  ANNA,
  BERT,
  browserOf,
  DAY,
  logIn,
  mailTo,
  MINUTE,
  moveTo,
  outcome,
  PASSWORD,
  raw,
  signUp,
  THIEF,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const NEW = "anna@example.org";

/** Logs Anna in and requests a change of address. Returns her session. */
async function asked(service: Service, new_email = NEW): Promise<string> {
  await signUp(service);
  const { session } = await logIn(service);
  await ask(service, session, new_email);
  return session;
}

async function ask(service: Service, session: string, new_email: string): Promise<void> {
  const answer = await service.send("POST", "/change_email", { new_email, password: PASSWORD }, session);
  assert.deepEqual(answer, [200, { email: new_email, message: "verification mail sent" }]);
}

test("S34, V16: the old address is valid until the new mailbox is proven, and both get a mail", async (service) => {
  const session = await asked(service);
  assert.deepEqual(
    (await service.send("GET", "/account", undefined, session) as [number, { email: string }])[1].email,
    ANNA,
  );
  const mails = await service.mails();
  assert.deepEqual(mails.map(({ to, token }) => [to, token !== ""]), [[NEW, true], [ANNA, false]]);
  await logIn(service);
  assert.deepEqual(await outcome(service, "POST", "/sessions", { form: { email: NEW, password: PASSWORD } }), [
    401,
    "wrong_credentials",
  ]);
  const answer = await service.send("PUT", "/change_email", { change_token: mails[0].token });
  assert.deepEqual(answer, [200, { email: NEW, message: "email changed" }]);
  const told = await mailTo(service, ANNA);
  assert.match(told.text, /\/undo\?token=/);
  await logIn(service, NEW);
  assert.equal((await service.send("POST", "/sessions", { email: ANNA, password: PASSWORD }))[0], 401);
}, PUBLIC_SETTINGS);

test("V16: no other code than that of the mail proves the new mailbox", async (service) => {
  const session = await asked(service);
  const { code } = await mailTo(service, NEW);
  const refused = (wrong: string) => outcome(service, "PUT", "/change_email", { form: { code: wrong }, session });
  const other = code.replace(/^./, (digit) => String(9 - Number(digit)));
  assert.deepEqual(await refused(other), [403, "invalid_token"]);
  for (const wrong of [code.slice(1), `${code}0`]) {
    assert.deepEqual(await refused(wrong), [400, "invalid_field"], wrong);
  }
  assert.deepEqual(await service.send("GET", "/profile", undefined, session), [200, { email: ANNA }]);
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { code }, session }), [200, null]);
}, PUBLIC_SETTINGS);

test("S34, S39: a change of address ends all sessions, and the session that asked gets a new id", async (service) => {
  const session = await asked(service);
  const other = await logIn(service);
  const { token } = (await service.mails()).find(({ to }) => to === NEW)!;
  const moved = await service.request("PUT", "/change_email", { json: { change_token: token }, session });
  const fresh = browserOf(moved).session;
  assert.ok(fresh && fresh !== session);
  for (const [id, status] of [[session, 403], [other.session, 403], [fresh, 200]] as const) {
    assert.equal((await service.send("GET", "/profile", undefined, id))[0], status);
  }
}, PUBLIC_SETTINGS);

test("a change of address does not count as a fresh login: the session keeps its age and end", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const signedIn = service.clock.now;
  const ends = async () => (await service.rows("SELECT ends_at FROM sessions"))[0].ends_at;
  const before = await ends();
  service.clock.now += 6 * DAY;
  await ask(service, session, NEW);
  const { token } = await mailTo(service, NEW);
  const moved = await service.request("PUT", "/change_email", { form: { change_token: token }, session });
  assert.match(moved.headers.getSetCookie()[0], /; Max-Age=2073600;/, "24 days of the 30 are left");
  const fresh = browserOf(moved).session;
  const refused = await outcome(service, "GET", "/account/export", { session: fresh });
  assert.deepEqual(refused, [403, "login_required"]);
  const [, { sessions }] = await service.send("GET", "/sessions", undefined, fresh) as [number, {
    sessions: { created_at: string }[];
  }];
  assert.deepEqual(sessions.map(({ created_at }) => Date.parse(created_at)), [signedIn]);
  assert.equal(await ends(), before);
}, PUBLIC_SETTINGS);

test("PUT /change_email takes a code only from a session of the account itself", async (service) => {
  const session = await asked(service);
  const { code } = await mailTo(service, NEW);
  await signUp(service, BERT);
  const bert = await logIn(service, BERT);
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { code } }), [403, "no_session"]);
  const elsewhere = { form: { code }, session: bert.session };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", elsewhere), [403, "invalid_token"]);
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { code }, session }), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "S34: POST /change_email answers 403 when the password is wrong or missing, even with a valid session",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    for (const password of ["not the password", "", undefined, "x\ty", "p".repeat(300)]) {
      const form = { new_email: THIEF, ...(password !== undefined && { password }) };
      const refused = await outcome(service, "POST", "/change_email", { form, session });
      assert.deepEqual(refused, [403, "wrong_password"], JSON.stringify(password));
    }
    assert.deepEqual(await service.mails(), []);
    const form = { new_email: THIEF, password: PASSWORD };
    assert.deepEqual(await outcome(service, "POST", "/change_email", { form }), [403, "no_session"]);
  },
  PUBLIC_SETTINGS,
);

test(
  "V41: the token of a delayed mail proves only its own mailbox, not an address that was requested later",
  async (service) => {
    const victim = "victim@example.org";
    const session = await asked(service, THIEF);
    await ask(service, session, victim);
    const mails = await service.mails();
    for (const { token } of mails.filter(({ to, token }) => to === THIEF && token !== "")) {
      await service.send("PUT", "/change_email", { change_token: token });
    }
    const rows = await service.rows<{ email: string }>("SELECT email FROM users");
    assert.deepEqual(rows.map(({ email }) => email), [ANNA], "the account has an address that nobody has proven");
  },
  PUBLIC_SETTINGS,
);

test("V41: a queued reset mail is not sent to the old mailbox after a change of address", async (service) => {
  const session = await asked(service);
  const { token } = await mailTo(service, NEW);
  await service.send("POST", "/reset_password", { email: ANNA });
  assert.equal((await service.send("PUT", "/change_email", { change_token: token }, session))[0], 200);
  await service.send("POST", "/reset_password", { email: NEW });
  const resets = (await service.mails()).filter(({ text }) => text.includes("/reset?token="));
  assert.deepEqual(resets.map(({ to }) => to), [NEW]);
}, PUBLIC_SETTINGS);

test("S36: beyond the mail limit a request sends no mail and leaves the last link valid", async (service) => {
  const session = await asked(service);
  const { token, code } = await mailTo(service, NEW);
  for (let count = 0; count < 4; count++) {
    await outcome(service, "POST", "/change_email", {
      form: { new_email: NEW, password: PASSWORD },
      session,
    });
  }
  const newest = await mailTo(service, NEW);
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { change_token: token } }), [
    403,
    "invalid_token",
  ]);
  const answers = new Set<string>();
  for (let count = 0; count < 2; count++) {
    const form = { new_email: NEW, password: PASSWORD };
    answers.add(await raw(await service.request("POST", "/change_email", { form, session })));
    assert.ok(!(await service.mails()).some(({ to }) => to === NEW), "the sixth mail was sent");
  }
  assert.match([...answers].join(), /^200\n[^]*verification mail sent/);
  assert.equal(answers.size, 1);
  assert.notEqual(newest.code, code);
  const form = { change_token: newest.token };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form }), [200, null]);
}, PUBLIC_SETTINGS);

test("asking for another user's address mails that user a notice without a token", async (service) => {
  await signUp(service, BERT);
  const session = await asked(service, BERT);
  const mails = await service.mails();
  assert.deepEqual(mails.map(({ to, token, code }) => [to, token, code]), [[BERT, "", ""], [ANNA, "", ""]]);
  for (const code of ["00000000", ""]) {
    const refused = await service.request("PUT", "/change_email", { form: { code, change_token: "" }, session });
    assert.ok([400, 403].includes(refused.status));
  }
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: {}, session }), [400, "invalid_field"]);
}, PUBLIC_SETTINGS);

test("PUT /change_email fails when another user has proven the address meanwhile", async (service) => {
  await asked(service);
  const { token } = await mailTo(service, NEW);
  await signUp(service, NEW, "somebody else's words");
  const form = { change_token: token };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form }), [403, "invalid_token"]);
  await logIn(service, ANNA);
  await logIn(service, NEW, "somebody else's words");
}, PUBLIC_SETTINGS);

test(
  "POST /change_email refuses the current or an invalid address; a new request ends the earlier one",
  async (service) => {
    const session = await asked(service);
    const { token } = await mailTo(service, NEW);
    for (const new_email of [ANNA, "@", "a@example.com,b@example.com"]) {
      const form = { new_email, password: PASSWORD };
      assert.deepEqual(await outcome(service, "POST", "/change_email", { form, session }), [400, "invalid_email"]);
    }
    await ask(service, session, "anna@example.net");
    const old = { form: { change_token: token } };
    assert.deepEqual(await outcome(service, "PUT", "/change_email", old), [403, "invalid_token"]);
    await mailTo(service, "anna@example.net");
  },
  PUBLIC_SETTINGS,
);

test("the link is valid for 24 hours, the code for 10 minutes", async (service) => {
  const session = await asked(service);
  const { token, code } = await mailTo(service, NEW);
  service.clock.now += 10 * MINUTE;
  const typed = { form: { code }, session };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", typed), [403, "invalid_token"]);
  service.clock.now += DAY - 10 * MINUTE;
  const opened = { form: { change_token: token } };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", opened), [403, "invalid_token"]);
  service.clock.now -= 1;
  assert.deepEqual(await outcome(service, "PUT", "/change_email", opened), [200, null]);
}, PUBLIC_SETTINGS);

test("guesses made before an address had an account do not lock out its new owner", async (service) => {
  const wrong = { form: { email: NEW, password: "not the password" } };
  for (let tries = 0; tries < 11; tries++) await outcome(service, "POST", "/sessions", wrong);
  assert.deepEqual(await outcome(service, "POST", "/sessions", wrong), [429, "throttled"]);
  await signUp(service);
  await moveTo(service, await logIn(service), NEW, PASSWORD);
  await logIn(service, NEW);
}, PUBLIC_SETTINGS);

test("A1: the code of a change proves nothing once the session that it was typed in has ended", async (service) => {
  const session = await asked(service);
  const { code } = await mailTo(service, NEW);
  // The session ends between the look for its user and the change.
  const user = await requireUser(service.auth, { session });
  assert.equal((await service.request("DELETE", "/sessions", { session })).status, 302);
  await assert.rejects(changeEmail(service.auth, { code, user }, { session }), { code: "invalid_token" });
  const rows = await service.rows<{ email: string }>("SELECT email FROM users");
  assert.deepEqual(rows.map(({ email }) => email), [ANNA]);
  const again = await logIn(service);
  assert.deepEqual(await outcome(service, "PUT", "/change_email", { form: { code }, session: again.session }), [
    200,
    null,
  ]);
}, PUBLIC_SETTINGS);

for (const [profile, settings] of [["public", PUBLIC_SETTINGS], ["local", {}]] as const) {
  test(
    `B9: the letter case of one's own address is corrected by a proof of the new spelling, ${profile}`,
    async (service) => {
      const [typed, right] = ["ANNA@example.com", "Anna@Example.com"];
      if (profile === "public") await signUp(service, typed);
      else await service.register(typed, PASSWORD);
      const { session } = await logIn(service, ANNA);
      const answer = await service.send("POST", "/change_email", { new_email: right, password: PASSWORD }, session);
      assert.deepEqual(answer, [200, { email: right, message: "verification mail sent" }]);
      const [proof, notice] = await service.mails();
      assert.deepEqual([proof.to, notice.to], [right, typed]);
      assert.notEqual(proof.token, "", "another account was told instead");
      const moved = await service.request("PUT", "/change_email", { form: { change_token: proof.token }, session });
      assert.deepEqual(await moved.json(), { email: right, message: "email changed" });
      const profileOf = await service.send("GET", "/profile", undefined, browserOf(moved).session);
      assert.deepEqual(profileOf, [200, { email: right }]);
      const told = await mailTo(service, typed);
      await logIn(service, ANNA);
      const same = { form: { new_email: right, password: PASSWORD }, session: browserOf(moved).session };
      assert.deepEqual(await outcome(service, "POST", "/change_email", same), [400, "invalid_email"]);
      // A mail server may tell letter case apart, so that the correction can be undone like any other change.
      const undo = { undo_token: told.token, password: PASSWORD };
      assert.deepEqual(await service.send("POST", "/undo", undo), [200, { email: typed, message: "change undone" }]);
      const [row] = await service.rows("SELECT email, email_key FROM users");
      assert.deepEqual([row.email, row.email_key], [typed, ANNA]);
    },
    settings,
  );
}

test(
  "B9: the page corrects the letter case of one's own address, and says when nothing would change",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    const post = (new_email: string) =>
      service.request("POST", "/account/email", {
        form: { new_email, password: PASSWORD },
        session,
        headers: { accept: "text/html" },
      });
    const same = await post(ANNA);
    assert.equal(same.status, 400);
    await same.body?.cancel();
    const asked = await post("Anna@example.com");
    assert.ok([200, 303].includes(asked.status), String(asked.status));
    await asked.body?.cancel();
    assert.notEqual((await mailTo(service, "Anna@example.com")).token, "");
  },
  PUBLIC_SETTINGS,
);
