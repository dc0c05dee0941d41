/**
 * A thief who knows the password once, and the owner who wants the account back: random steps of both, by requests, and
 * the owner's way back at the end. Must not call the rules of the account, and must only read the tables.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OPERATOR } from "../../auth/admin/actor.ts";
import { createUser, disableUser, dropPassword, enableUser, endSessionsOf, mailReset } from "../../auth/admin/users.ts";
import { deliverMails } from "../../auth/mail/outbox.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { hashToken } from "../../auth/secrets.ts";
import type { MailMessage } from "../../auth/runtime/smtp.ts";
import { DAY, HOUR, MINUTE, PASSWORD } from "./people.ts";
import { PUBLIC_SETTINGS, received, type ReceivedMail, type Service, sessionOf } from "./service.ts";

/** Settings of the service. Refused guesses would only cost the thief time. */
export const THEFT_SETTINGS: Record<string, string> = { ...PUBLIC_SETTINGS, THROTTLE: "observe" };

/** What somebody may try at a moment, and how often: most moves of a theft change the address or take that back. */
const DEEDS = {
  "move": 6,
  "undo": 5,
  "reset": 3,
  "change password": 2,
  "prove": 2,
  "ask to move": 1,
  "log in": 1,
  "verify": 1,
  "register": 1,
  "close": 1,
  "reopen": 1,
} as const;
/** What happens to the account from elsewhere. */
const EVENTS = {
  "sweep": 1,
  "disable and enable": 1,
  "end sessions": 1,
  "drop password": 1,
  "mail a reset": 1,
} as const;

/** One step: who does what, with which of the things that they hold, and after how many minutes. */
export interface Step {
  who: "owner" | "thief" | "operator";
  does: keyof typeof DEEDS | keyof typeof EVENTS;
  /** Chooses among the mails, passwords or ways that fit. */
  pick: number;
  /** Chooses among the mailboxes. */
  to: number;
  minutes: number;
}

/** What somebody holds. */
interface Party {
  mailboxes: string[];
  passwords: string[];
  sessions: string[];
}

/** One account and the two who fight for it. */
interface Theft {
  service: Service;
  id: string;
  /** The password that is in force, as far as anybody set one. */
  password: string | undefined;
  owner: Party;
  thief: Party;
  mails: Map<string, ReceivedMail[]>;
  requests: number;
}

/** Thieves act more often. All steps together take less than the 72 hours of a link. */
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: stepOf("thief", DEEDS) },
    { weight: 4, arbitrary: stepOf("owner", DEEDS) },
    { weight: 1, arbitrary: stepOf("operator", EVENTS) },
  ),
  { minLength: 1, maxLength: 12, size: "max" },
);

/**
 * Asserts for random sequences: whatever a thief with the password did before, the owner's own undo brings the account
 * back, and nothing that the thief then still holds takes it away again. Prints the shortest sequence that fails.
 */
export async function assertOwnerRecovers(
  service: Service,
  { runs, seed }: { runs: number; seed: number },
): Promise<void> {
  const caught = new Map<string, ReceivedMail[]>();
  // The service's own mailbox keeps only the newest mails.
  service.auth.transport.send = (message: MailMessage) => {
    caught.set(message.to, [...caught.get(message.to) ?? [], received(message)]);
    return Promise.resolve();
  };
  let count = 0;
  const property = fc.asyncProperty(steps, async (sequence) => {
    if (count++ % 100 === 0) await empty(service);
    caught.clear();
    service.clock.now += DAY;
    const theft = await begin(service, count, caught);
    for (const step of sequence) {
      service.clock.now += step.minutes * MINUTE;
      await take(theft, step);
      await deliverMails(service.auth);
    }
    await recover(theft);
  });
  await fc.assert(property, { numRuns: runs, seed, ignoreEqualValues: true });
}

function stepOf<T extends Step["does"]>(who: Step["who"], deeds: Readonly<Record<T, number>>): fc.Arbitrary<Step> {
  const weighted = Object.entries<number>(deeds).map(([does, weight]) => ({
    weight,
    arbitrary: fc.constant(does as Step["does"]),
  }));
  return fc.record({
    who: fc.constant(who),
    does: fc.oneof(...weighted),
    pick: fc.nat(11),
    to: fc.nat(5),
    minutes: fc.oneof({ weight: 5, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.nat(290) }),
  });
}

/** So that the tables do not grow with the number of sequences. */
async function empty(service: Service): Promise<void> {
  for (const table of ["users", "tokens", "events", "counters", "guesses"]) await service.rows(`DELETE FROM ${table}`);
}

async function begin(service: Service, count: number, mails: Map<string, ReceivedMail[]>): Promise<Theft> {
  const mailbox = (name: string) => `${name}-${count}@example.com`;
  const theft: Theft = {
    service,
    id: "",
    password: PASSWORD,
    owner: { mailboxes: ["Owner", "owner2"].map(mailbox), passwords: [PASSWORD, "words of the owner"], sessions: [] },
    thief: {
      mailboxes: ["thief1", "thief2", "thief3"].map(mailbox),
      passwords: [PASSWORD, "words of a thief", "more words of a thief"],
      sessions: [],
    },
    mails,
    requests: 0,
  };
  const [email] = theft.owner.mailboxes;
  theft.id = (await createUser(service.auth, OPERATOR, email, PASSWORD)).id;
  // The first login of an account tells nobody.
  await enter(theft, theft.owner);
  return theft;
}

/** Status, or the error code, of a request from an IP address of its own. Keeps the session that it gave to `party`. */
async function ask(
  theft: Theft,
  method: string,
  path: string,
  form: Record<string, string>,
  session?: string,
  party?: Party,
): Promise<string> {
  const count = ++theft.requests;
  const ip = `10.${count >> 16 & 255}.${count >> 8 & 255}.${count & 255}`;
  // Mails that are requested within one millisecond have no order.
  theft.service.clock.now += 1;
  const response = await theft.service.request(method, path, { form, session, ip });
  await response.body?.cancel();
  assert.ok(response.status < 500, `${method} ${path} answered ${response.status}`);
  const given = sessionOf(response);
  if (given && party) party.sessions.push(given);
  return response.headers.get("error-code") ?? String(response.status);
}

async function addressOf({ service, id }: Theft): Promise<string> {
  const [row] = await service.rows<{ email: string }>("SELECT email FROM users WHERE id = $1", id);
  return row.email;
}

/** Logs in if this party knows the password. */
async function enter(theft: Theft, party: Party): Promise<{ session: string; password: string } | undefined> {
  const { password } = theft;
  if (password === undefined || !party.passwords.includes(password)) return undefined;
  const email = await addressOf(theft);
  const answer = await ask(theft, "POST", "/sessions", { email, password }, undefined, party);
  // Closed accounts refuse it.
  return answer === "200" ? { session: party.sessions.at(-1)!, password } : undefined;
}

/** The mails in these mailboxes whose link leads to `path` and has a stored token, oldest first. */
async function linksOf(theft: Theft, mailboxes: string[], path: string): Promise<ReceivedMail[]> {
  const rows = await theft.service.rows<{ secret_hash: string }>("SELECT secret_hash FROM tokens");
  const stored = new Set(rows.map(({ secret_hash }) => secret_hash));
  return mailboxes.flatMap((to) => theft.mails.get(to) ?? []).filter(({ text, token }) =>
    text.includes(`/${path}?token=`) && stored.has(hashToken(token))
  );
}

async function take(theft: Theft, step: Step): Promise<void> {
  if (step.who === "operator") return await intervene(theft, step);
  const party = theft[step.who], { pick, to } = step;
  const all = [...party.mailboxes, ...theft.owner.mailboxes, ...theft.thief.mailboxes];
  const address = all[to % all.length];
  const password = party.passwords[pick % party.passwords.length];
  const chosen = async (path: string): Promise<ReceivedMail | undefined> => {
    const links = await linksOf(theft, party.mailboxes, path);
    return links[links.length - 1 - pick % links.length];
  };
  switch (step.does) {
    case "log in":
      await enter(theft, party);
      break;
    case "change password": {
      const entered = await enter(theft, party);
      if (!entered) break;
      const form = { current_password: entered.password, new_password: password };
      if (await ask(theft, "PUT", "/password", form, entered.session, party) === "200") theft.password = password;
      break;
    }
    case "move":
    case "ask to move": {
      const entered = await enter(theft, party);
      if (!entered) break;
      const new_email = step.does === "move" ? party.mailboxes[to % party.mailboxes.length] : address;
      await ask(theft, "POST", "/change_email", { new_email, password: entered.password }, entered.session);
      await deliverMails(theft.service.auth);
      const mail = step.does === "move" ? theft.mails.get(new_email)?.at(-1) : undefined;
      if (!mail) break;
      const form: Record<string, string> = pick % 2 ? { change_token: mail.token } : { code: mail.code };
      await ask(theft, "PUT", "/change_email", form, pick % 3 ? entered.session : undefined, party);
      break;
    }
    case "prove": {
      const mail = await chosen("change-email");
      if (mail) await ask(theft, "PUT", "/change_email", { change_token: mail.token });
      break;
    }
    case "undo": {
      const mail = await chosen("undo");
      // In a quarter of the cases without a password.
      for (const password of mail && to % 4 ? party.passwords : [""]) {
        const form = { undo_token: mail?.token ?? "", ...(password && { password }) };
        if (!mail || await ask(theft, "POST", "/undo", form) !== "200") continue;
        theft.password = undefined;
        break;
      }
      break;
    }
    case "reset": {
      if (pick % 3) await ask(theft, "POST", "/reset_password", { email: to % 2 ? address : await addressOf(theft) });
      await deliverMails(theft.service.auth);
      const mail = await chosen("reset");
      if (!mail) break;
      const form = { email: mail.to, reset_token: mail.token, new_password: password };
      const mine = mail.to === await addressOf(theft);
      if (await ask(theft, "PUT", "/reset_password", form) === "200" && mine) theft.password = password;
      break;
    }
    case "verify":
    case "register": {
      const form = { email: address, ...(step.does === "register" && { password }) };
      await ask(theft, "POST", step.does === "register" ? "/users" : "/verify_email", form);
      await deliverMails(theft.service.auth);
      const mail = await chosen("verify");
      if (mail) await ask(theft, "PUT", "/verify_email", { verification_token: mail.token });
      break;
    }
    case "close": {
      const entered = await enter(theft, party);
      if (entered) await ask(theft, "DELETE", "/account", { password: entered.password }, entered.session);
      break;
    }
    case "reopen": {
      const mail = await chosen("reopen");
      if (mail) await ask(theft, "POST", "/reopen", { reopen_token: mail.token });
    }
  }
}

async function intervene(theft: Theft, { does }: Step): Promise<void> {
  const { auth } = theft.service, user = { id: theft.id, email: await addressOf(theft) };
  // An account that is closed gets no reset.
  const ignored = () => undefined;
  if (does === "sweep") await sweep(auth);
  else if (does === "end sessions") await endSessionsOf(auth, OPERATOR, user);
  else if (does === "mail a reset") await mailReset(auth, OPERATOR, user).catch(ignored);
  else if (does === "drop password") {
    await dropPassword(auth, OPERATOR, user).then(() => theft.password = undefined, ignored);
  } else {
    await disableUser(auth, OPERATOR, user);
    await enableUser(auth, OPERATOR, user);
  }
}

/** The owner goes through the links in the first mailbox, oldest first, with the own passwords; then resets. */
async function recover(theft: Theft): Promise<void> {
  const { service, owner } = theft;
  const [email] = owner.mailboxes;
  // Earlier tries at these links count for an hour.
  service.clock.now += HOUR;
  await deliverMails(service.auth);
  const answers = await undoByOldest(theft);
  await deliverMails(service.auth);
  assert.equal(await addressOf(theft), email, `the owner's links answered ${answers.join(", ") || "nothing"}`);
  // Without a valid link there was no theft, and the owner only asks for a reset.
  if (answers.at(-1) === "200") await plunder(theft, 0);
  else await ask(theft, "POST", "/reset_password", { email });
  await deliverMails(service.auth);
  const reset = (await linksOf(theft, [email], "reset")).at(-1);
  const password = "only the owner knows";
  const form = { email, reset_token: reset?.token ?? "", new_password: password };
  assert.equal(await ask(theft, "PUT", "/reset_password", form), "200");
  assert.equal(await ask(theft, "POST", "/sessions", { email, password }), "200");
  await plunder(theft, 1);
}

async function undoByOldest(theft: Theft): Promise<string[]> {
  const answers: string[] = [];
  for (const { token } of await linksOf(theft, theft.owner.mailboxes.slice(0, 1), "undo")) {
    for (const password of theft.owner.passwords) {
      answers.push(await ask(theft, "POST", "/undo", { undo_token: token, password }));
      if (answers.at(-1) === "200") return answers;
      if (answers.at(-1) === "invalid_token") break;
    }
  }
  return answers;
}

/** The thief tries everything that is left, and has nothing of the account afterwards. */
async function plunder(theft: Theft, sessions: number): Promise<void> {
  const { service, id, owner, thief } = theft;
  const [email] = owner.mailboxes;
  await ask(theft, "POST", "/sessions", { email, password: PASSWORD });
  await ask(theft, "POST", "/reset_password", { email });
  await ask(theft, "POST", "/users", { email, password: PASSWORD });
  for (const { token } of await linksOf(theft, thief.mailboxes, "undo")) {
    for (const password of ["", ...thief.passwords]) {
      const answer = await ask(theft, "POST", "/undo", { undo_token: token, ...(password && { password }) });
      if (answer === "invalid_token") break;
    }
  }
  const uses = [
    ["change-email", "PUT", "/change_email", "change_token"],
    ["reset", "PUT", "/reset_password", "reset_token"],
    ["reopen", "POST", "/reopen", "reopen_token"],
    ["verify", "PUT", "/verify_email", "verification_token"],
  ];
  for (const [link, method, path, field] of uses) {
    for (const { token, to } of await linksOf(theft, thief.mailboxes, link)) {
      await ask(theft, method, path, {
        [field]: token,
        ...(link === "reset" && { email: to, new_password: PASSWORD }),
      });
    }
  }
  await deliverMails(service.auth);
  const [row] = await service.rows("SELECT email, closed_at FROM users WHERE id = $1", id);
  assert.deepEqual([row.email, row.closed_at], [email, null], "the thief took the account again");
  const [{ n }] = await service.rows<{ n: number }>("SELECT COUNT(*) AS n FROM sessions WHERE user_id = $1", id);
  assert.equal(Number(n), sessions, "the thief has a session");
}
