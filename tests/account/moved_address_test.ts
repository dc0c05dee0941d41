/**
 * Tokens and mails for a mailbox while the account changes to another address: they give no access, and no change is
 * lost.
 *
 * @module
 */
import assert from "node:assert/strict";
import { changeEmail } from "../../auth/account/change_email.ts";
import { requestPasswordReset } from "../../auth/account/reset_password.ts";
import { undoChange } from "../../auth/account/undo_change.ts";
import { requestVerification } from "../../auth/account/verify_email.ts";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser } from "../../auth/admin/user_lists.ts";
import { mailReset } from "../../auth/admin/users.ts";
import { getUserFromSessionId } from "../../auth/sign_in/current_user.ts";
import { runAfterUserIsRead, runBeforeTransaction } from "../kit/interleaved_database.ts";
import { ANNA, type Browser, logIn, mailTo, moveTo, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type ReceivedMail, type Service, test } from "../kit/service.ts";

const NEW = "anna@example.org";

/** How often each pair runs; both start at once, in alternating order. */
const ROUNDS = Number(Deno.env.get("RACE_ROUNDS") ?? 20);

async function entered(service: Service): Promise<Browser> {
  await signUp(service);
  return await logIn(service);
}

async function addressOf(service: Service): Promise<string> {
  return (await service.rows<{ email: string }>("SELECT email FROM users"))[0].email;
}

/** Changes the address directly in the database. */
async function moveBehind(service: Service): Promise<void> {
  await service.rows("UPDATE users SET email = $1, email_key = $1", NEW);
}

/** Tries the tokens of these mails; all must be refused. */
async function assertDead(service: Service, mails: ReceivedMail[]): Promise<void> {
  for (const { token, code } of mails.filter(({ to, token }) => to === ANNA && token !== "")) {
    const resets: Record<string, string>[] = [
      { reset_token: token, email: ANNA },
      { code, email: ANNA },
      { code, email: NEW },
    ];
    for (const form of resets) {
      const [status] = await outcome(service, "PUT", "/reset_password", {
        form: { ...form, new_password: NEW_PASSWORD },
      });
      assert.notEqual(status, 200, "the old mailbox set a password");
    }
    const [status] = await outcome(service, "PUT", "/verify_email", { form: { verification_token: token } });
    assert.notEqual(status, 200, "the old mailbox proved the new one");
  }
}

test("V41: a reset requested during a change of address sends no token to the old mailbox", async (service) => {
  const anna = await entered(service);
  const auth = runBeforeTransaction(service.auth, () => moveTo(service, anna, NEW, PASSWORD));
  await requestPasswordReset(auth, ANNA);
  const mails = await service.mails();
  assert.ok(!mails.some(({ text }) => text.includes("/reset?token=")), "a reset mail went to the old address");
  await assertDead(service, mails);
  await logIn(service, NEW);
}, PUBLIC_SETTINGS);

test("V41: an operator's reset during a change of address is mailed to the new address only", async (service) => {
  const anna = await entered(service);
  const auth = runBeforeTransaction(service.auth, () => moveTo(service, anna, NEW, PASSWORD));
  await mailReset(auth, OPERATOR, await findUser(service.auth, ANNA));
  const mails = await service.mails();
  assert.deepEqual(mails.filter(({ text }) => text.includes("/reset?token=")).map(({ to }) => to), [NEW]);
}, PUBLIC_SETTINGS);

test("V41: a verification requested during a change of address cannot prove the new address", async (service) => {
  const anna = await entered(service);
  await service.rows("UPDATE users SET email_verified_at = NULL");
  const auth = runBeforeTransaction(service.auth, async () => {
    await moveTo(service, anna, NEW, PASSWORD);
    await service.rows("UPDATE users SET email_verified_at = NULL");
  });
  await requestVerification(auth, ANNA);
  await assertDead(service, await service.mails());
  const [row] = await service.rows("SELECT email_verified_at FROM users");
  assert.equal(row.email_verified_at, null);
}, PUBLIC_SETTINGS);

test("V41: tokens sent to the old address are refused after a change of address", async (service) => {
  await entered(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  await service.rows("UPDATE users SET email_verified_at = NULL");
  await service.send("POST", "/verify_email", { email: ANNA });
  const mails = await service.mails();
  assert.equal(mails.filter(({ token }) => token !== "").length, 2);
  await moveBehind(service);
  await assertDead(service, mails);
}, PUBLIC_SETTINGS);

test("V41: no mail with a token is sent to an address that the account no longer has", async (service) => {
  await entered(service);
  await service.rows("UPDATE users SET email_verified_at = NULL");
  await service.send("POST", "/reset_password", { email: ANNA });
  await service.send("POST", "/verify_email", { email: ANNA });
  await moveBehind(service);
  assert.deepEqual(await service.mails(), []);
}, PUBLIC_SETTINGS);

test("V48: a disabled account's verification tokens are refused, and no new one is mailed", async (service) => {
  await entered(service);
  await service.rows("UPDATE users SET email_verified_at = NULL");
  await service.send("POST", "/verify_email", { email: ANNA });
  const { token, code } = await mailTo(service, ANNA);
  await service.send("POST", "/verify_email", { email: ANNA });
  await service.rows("UPDATE users SET disabled_at = 1");
  assert.deepEqual(await service.mails(), []);
  const proofs: Record<string, string>[] = [{ verification_token: token }, { email: ANNA, code }];
  for (const form of proofs) {
    const refused = await outcome(service, "PUT", "/verify_email", { form });
    assert.deepEqual(refused, [403, "invalid_token"]);
  }
  const [row] = await service.rows("SELECT email_verified_at FROM users");
  assert.equal(row.email_verified_at, null);
}, PUBLIC_SETTINGS);

/** Anna with two sessions, the link that undoes the second login, and the link that changes her address. */
async function prepared(service: Service): Promise<{ undo: string; change: string }> {
  const anna = await entered(service);
  await logIn(service);
  const { token: undo } = await mailTo(service, ANNA);
  await service.send("POST", "/change_email", { new_email: NEW, password: PASSWORD }, anna.session);
  return { undo, change: (await mailTo(service, NEW)).token };
}

test("S34: an undo that started before a change of address does not overwrite the new address", async (service) => {
  const { undo, change } = await prepared(service);
  let changing: Promise<unknown> | undefined;
  const auth = runAfterUserIsRead(service.auth, () => changing = changeEmail(service.auth, { token: change }, {}));
  await undoChange(auth, undo, undefined);
  const changed = await changing?.then(() => true, () => false);
  assert.notEqual(changed, undefined);
  assert.equal(await addressOf(service), changed ? NEW : ANNA, "a change that was answered is lost");
}, PUBLIC_SETTINGS);

test(
  "V15: a code for a new address changes nothing once the session in which it was typed has ended",
  async (service) => {
    const { session } = await entered(service);
    await service.send("POST", "/change_email", { new_email: NEW, password: PASSWORD }, session);
    const { code } = await mailTo(service, NEW);
    const user = await getUserFromSessionId(service.auth, session);
    const auth = runBeforeTransaction(service.auth, () => service.request("DELETE", "/sessions", { session }));
    await assert.rejects(changeEmail(auth, { code, user: user! }, { session }), { code: "invalid_token" });
    assert.equal(await addressOf(service), ANNA);
    assert.deepEqual(await service.rows("SELECT * FROM sessions"), []);
  },
  PUBLIC_SETTINGS,
);

test("S28, V15: when undo and change of address run at once on two instances, no effect is lost", async (service) => {
  const other = await service.another();
  for (let round = 0; round < ROUNDS; round++) {
    const { undo, change } = await prepared(service);
    const undoing = () => outcome(service, "POST", "/undo", { form: { undo_token: undo } });
    const changing = () => outcome(other, "PUT", "/change_email", { form: { change_token: change } });
    const [undone, changed] = round % 2
      ? await Promise.all([undoing(), changing()])
      : (await Promise.all([changing(), undoing()])).toReversed();
    assert.equal(undone[0], 200);
    assert.ok([200, 403].includes(changed[0]), String(changed[0]));
    assert.equal(await addressOf(service), changed[0] === 200 ? NEW : ANNA, `round ${round}`);
    const [row] = await service.rows("SELECT hashed_password, frozen_at FROM users");
    assert.equal(row.hashed_password, null, "the undo is lost");
    assert.deepEqual(await service.rows("SELECT * FROM sessions"), []);
    for (const table of ["users", "counters", "events", "tokens"]) await service.rows(`DELETE FROM ${table}`);
  }
}, { ...PUBLIC_SETTINGS, THROTTLE: "observe" });

test("S28: when reset and change of address run at once, one fails and no session is left", async (service) => {
  const other = await service.another();
  for (let round = 0; round < ROUNDS; round++) {
    const { change } = await prepared(service);
    await service.send("POST", "/reset_password", { email: ANNA });
    const { token } = await mailTo(service, ANNA);
    const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
    const resetting = () => outcome(service, "PUT", "/reset_password", { form });
    const changing = () => outcome(other, "PUT", "/change_email", { form: { change_token: change } });
    const [reset, changed] = round % 2
      ? await Promise.all([resetting(), changing()])
      : (await Promise.all([changing(), resetting()])).toReversed();
    // Each ends the other's token, so exactly one of them succeeds.
    assert.deepEqual([reset[0], changed[0]].sort(), [200, 403], `round ${round}`);
    assert.equal(await addressOf(service), changed[0] === 200 ? NEW : ANNA, `round ${round}`);
    assert.deepEqual(await service.rows("SELECT purpose FROM tokens WHERE purpose <> 'undo'"), []);
    assert.deepEqual(await service.rows("SELECT * FROM sessions"), []);
    for (const table of ["users", "counters", "events", "tokens"]) await service.rows(`DELETE FROM ${table}`);
  }
}, { ...PUBLIC_SETTINGS, THROTTLE: "observe" });
