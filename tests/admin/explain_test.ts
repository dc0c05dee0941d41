/**
 * `explain` about all other causes: each cause is made by requests, and the finding is compared with a real login.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Explanation, Finding } from "../../auth/admin/explain_login.ts";
import { deliverMails } from "../../auth/mail/outbox.ts";
import { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import { MailRefused } from "../../auth/runtime/smtp.ts";
import { run, runJson } from "../kit/command_line.ts";
import {
  addUser,
  blockingCauses,
  EMAIL,
  explainFindings,
  explainJson,
  explainText,
  NEW_PASSWORD,
  PASSWORD,
  tryLogin,
} from "../kit/explain_command.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE;

/** An instance whose mail server answers this. */
function mailServer(service: Service, answer: () => Promise<void>): Service["auth"] {
  return { ...service.auth, transport: { send: answer, close: () => {} } };
}

test("explain finds nothing wrong when the right password works", async (service) => {
  await addUser(service);
  assert.deepEqual(await explainFindings(service), [{ cause: "nothing_wrong", blocks: false }]);
  assert.equal(await tryLogin(service), 200);
  const { findings, sessions, signedInAt } = await explainJson(service);
  assert.deepEqual([findings, sessions, signedInAt], [
    [{ cause: "nothing_wrong", blocks: false }],
    1,
    service.clock.now,
  ]);
  assert.match(await explainText(service), /Nothing keeps the right password from working/);
}, PUBLIC_SETTINGS);

test("explain takes no guess and writes nothing to the database", async (service) => {
  await addUser(service);
  for (let count = 0; count < 9; count++) await tryLogin(service, "wrong");
  const dump = async () => [await service.rows("SELECT * FROM guesses"), await service.rows("SELECT id FROM events")];
  const before = await dump();
  for (let count = 0; count < 5; count++) await explainFindings(service);
  assert.deepEqual(await dump(), before);
}, PUBLIC_SETTINGS);

test("explain tells an invalid address from an address without an account", async (service) => {
  assert.deepEqual(blockingCauses((await runJson<Explanation>(service, ["explain", "no address"])).findings), [
    "invalid_address",
  ]);
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["never_registered"]);
  assert.match(await explainText(service), /Nobody has registered/);
  assert.equal(await tryLogin(service), 401);
}, PUBLIC_SETTINGS);

test("explain shows the mail state of a pending registration: waiting, sent, refused, given up", async (service) => {
  const asks = async (): Promise<Finding> => {
    const [finding, ...more] = await explainFindings(service);
    assert.deepEqual([finding.cause, finding.blocks, more], ["registration_waits", true, []]);
    return finding;
  };
  await service.register(EMAIL, PASSWORD);
  const registeredAt = service.clock.now;
  const waiting = await asks();
  assert.deepEqual([waiting.at, waiting.until], [registeredAt, registeredAt + DAY]);
  assert.deepEqual([waiting.mail?.state, waiting.mail?.tries], ["waiting", 0]);
  await deliverMails(mailServer(service, () => Promise.reject(new Error("the server sleeps"))));
  assert.deepEqual([(await asks()).mail?.state, (await asks()).mail?.tries], ["waiting", 1]);
  assert.match(await explainText(service), /waits to be sent since .*tried 1 times/);
  service.clock.now += MINUTE;
  assert.equal((await service.mails()).length, 1);
  assert.deepEqual([(await asks()).mail?.state, (await asks()).mail?.at], ["sent", service.clock.now]);
  assert.match(await explainText(service), /was taken by the mail server/);
  // Each further registration has its own mail.
  service.clock.now += MINUTE;
  await service.register(EMAIL, PASSWORD);
  await deliverMails(mailServer(service, () => Promise.reject(new MailRefused("no such mailbox"))));
  assert.equal((await asks()).mail?.state, "refused");
  assert.match(await explainText(service), /was refused by the mail server/);
  service.clock.now += MINUTE;
  await service.register(EMAIL, PASSWORD);
  service.clock.now += 61 * MINUTE;
  assert.deepEqual(await service.mails(), []);
  assert.equal((await asks()).mail?.state, "given_up");
  for (let count = 0; count < 6; count++) {
    service.clock.now += 1_000;
    await service.register(EMAIL, PASSWORD);
  }
  const silent = (await asks()).mail;
  assert.equal(silent?.state, "none");
  assert.ok(silent.until! > service.clock.now);
  assert.match(await explainText(service), /there were too many to this address/);
  service.clock.now += DAY;
  assert.deepEqual(blockingCauses(await explainFindings(service)), ["never_registered"]);
}, PUBLIC_SETTINGS);

test("explain says that an address is not proven, and how its mail was delivered", async (service) => {
  await run(service, ["users", "import"], { input: JSON.stringify({ email: EMAIL, hashed_password: null }) });
  const sql = "UPDATE users SET hashed_password = $1";
  await service.rows(sql, "$2b$04$......................OBrHTpn1XMqHkUHxnq8eRxD7rLb1d6a");
  const [finding] = await explainFindings(service);
  assert.deepEqual([finding.cause, finding.blocks, finding.mail], ["unverified", true, undefined]);
  assert.equal((await service.send("POST", "/verify_email", { email: EMAIL }))[0], 200);
  assert.equal((await explainFindings(service))[0].mail?.state, "waiting");
  const [mail] = await service.mails();
  assert.equal((await explainFindings(service))[0].mail?.state, "sent");
  assert.match(await explainText(service), /The address is not proven yet\. The mail for it was taken/);
  const proof = { verification_token: mail.token };
  assert.equal((await service.send("PUT", "/verify_email", proof))[0], 200);
  // The password may be a stranger's, so the owner is signed in and has to choose a new one.
  const [password] = await explainFindings(service);
  assert.equal(password.cause, "no_password");
}, PUBLIC_SETTINGS);

test("explain says since when an account is disabled, before any other cause", async (service) => {
  await addUser(service);
  for (let count = 0; count < 10; count++) await tryLogin(service, "wrong");
  await run(service, ["users", "disable", EMAIL]);
  const [finding, ...more] = await explainFindings(service);
  assert.deepEqual([finding.cause, finding.at], ["disabled", service.clock.now]);
  assert.ok(more.some((each) => each.cause === "throttled_account"));
  assert.match(await explainText(service), /disabled since .*users enable/);
}, PUBLIC_SETTINGS);

test("explain says that its owner closed the account, and when it is erased", async (service) => {
  await addUser(service);
  const session = await service.logIn(EMAIL, PASSWORD);
  assert.equal((await service.send("DELETE", "/account", { password: PASSWORD }, session))[0], 200);
  const [finding] = await explainFindings(service);
  assert.deepEqual([finding.cause, finding.at, finding.until], [
    "closed",
    service.clock.now,
    service.clock.now + 14 * DAY,
  ]);
  assert.equal(await tryLogin(service), 401);
}, PUBLIC_SETTINGS);

test("explain says that an account is frozen until a reset, and how the reset mail was delivered", async (service) => {
  await addUser(service);
  await service.logIn(EMAIL, PASSWORD);
  await service.logIn(EMAIL, PASSWORD);
  const [notice] = await service.mails();
  service.clock.now += 1_000;
  assert.equal((await service.send("POST", "/undo", { undo_token: notice.token }))[0], 200);
  const [frozen] = await explainFindings(service);
  assert.deepEqual([frozen.cause, frozen.at, frozen.mail?.state], ["frozen", service.clock.now, "waiting"]);
  assert.equal(await tryLogin(service), 401);
  const [mail] = await service.mails();
  assert.equal((await explainFindings(service))[0].mail?.state, "sent");
  const reset = { email: EMAIL, reset_token: mail.token, new_password: NEW_PASSWORD };
  assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
  assert.deepEqual(blockingCauses(await explainFindings(service)), []);
}, PUBLIC_SETTINGS);

test("explain says that an invited account has no password, and that its mail was refused", async (service) => {
  await run(service, ["users", "add", EMAIL], { settings: PUBLIC_SETTINGS });
  const [waiting] = await explainFindings(service);
  assert.deepEqual([waiting.cause, waiting.blocks, waiting.mail?.state], ["no_password", true, "waiting"]);
  await deliverMails(mailServer(service, () => Promise.reject(new MailRefused("550"))));
  const [refused] = await explainFindings(service);
  assert.deepEqual([refused.cause, refused.mail?.state, refused.mail?.at], [
    "no_password",
    "refused",
    service.clock.now,
  ]);
  assert.match(await explainText(service), /no password.*refused by the mail server/);
}, PUBLIC_SETTINGS);

test("a refused mail is listed but does not block a user who has a password", async (service) => {
  await addUser(service);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  await deliverMails(mailServer(service, () => Promise.reject(new MailRefused("550"))));
  const findings = await explainFindings(service);
  assert.deepEqual(findings.map((finding) => finding.cause), ["nothing_wrong", "mail"]);
  assert.deepEqual([findings[1].mail?.state, findings[1].mail?.kind], ["refused", "reset"]);
  assert.equal(await tryLogin(service), 200);
}, PUBLIC_SETTINGS);

test("explain says until when no mail is sent because there were too many", async (service) => {
  await addUser(service);
  for (let count = 0; count < 5; count++) await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  assert.equal((await service.mails()).length, 5);
  assert.deepEqual((await explainFindings(service)).map((finding) => finding.cause), ["nothing_wrong"]);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  assert.deepEqual(await service.mails(), []);
  const findings = await explainFindings(service);
  assert.deepEqual(findings.map((finding) => finding.cause), ["nothing_wrong", "mail"]);
  const { state, until } = findings[1].mail!;
  assert.equal(state, "none");
  assert.match(
    await explainText(service),
    /- The last mail \(reset\) was not sent, since there were too many .* until \d{4}-/,
  );
  service.clock.now = until!;
  assert.deepEqual((await explainFindings(service)).map((finding) => finding.cause), ["nothing_wrong"]);
  await service.request("POST", "/reset_password", { form: { email: EMAIL } });
  assert.equal((await service.mails()).length, 1);
}, PUBLIC_SETTINGS);

test("explain shows the last wrong password until a right login", async (service) => {
  await addUser(service);
  assert.equal(await tryLogin(service, "wrong"), 401);
  const at = service.clock.now;
  service.clock.now += MINUTE;
  assert.deepEqual(await explainFindings(service), [
    { cause: "nothing_wrong", blocks: false },
    { cause: "wrong_password", blocks: false, at },
  ]);
  assert.match(await explainText(service), /The last attempt, at .* the password was wrong/);
  assert.equal(await tryLogin(service), 200);
  assert.deepEqual((await explainFindings(service)).map((finding) => finding.cause), ["nothing_wrong"]);
}, PUBLIC_SETTINGS);

test("in the local profile an unproven address does not block a login", async (service) => {
  await service.register(EMAIL, PASSWORD);
  assert.deepEqual(blockingCauses(await explainFindings(service)), []);
  assert.equal(await tryLogin(service), 200);
  assert.ok(service.auth.transport instanceof DevMailbox);
});
