/**
 * The commands `users`: what the operator may do to an account. Must not contain a rule about accounts, nor set the
 * password of an existing user (S64).
 *
 * @module
 */
import { OPERATOR } from "../../auth/admin/actor.ts";
import { findUser, listUsers, showUser, type UserDetails, type UserView } from "../../auth/admin/user_lists.ts";
import {
  createUser,
  disableUser,
  dropPassword,
  enableUser,
  endSessionsOf,
  eraseUser,
  mailReset,
} from "../../auth/admin/users.ts";
import type { Auth } from "../../auth/auth.ts";
import { type Command, type Given, JSON_OPTION, Misuse, type Outside, withAuth } from "./command.ts";
import { facts, json, moment, table } from "./output.ts";
import { readAll } from "./stdin.ts";

/** How many users a list shows without `--limit`. */
const LIST = 100;
/** Longest input that could hold a password, in bytes. */
const MOST_INPUT = 8_192;
/** Only the service sends mails: it has the connection and the origin for links. */
const BY_SERVICE = "The running service sends the mail within seconds; one that waits for an hour is given up.";

/** A command about one existing user. `work` does it, and gives the sentence that reports it. */
function aboutOne(
  summary: string,
  help: string,
  work: (auth: Auth, user: UserView) => Promise<{ done: Record<string, unknown>; sentence: string }>,
): Command {
  return {
    summary,
    help,
    words: ["email|id"],
    options: JSON_OPTION,
    run: (given, outside) =>
      withAuth(outside, async (auth) => {
        const user = await findUser(auth, given.words[0]);
        const { done, sentence } = await work(auth, user);
        outside.print(given.flag("json") ? json({ id: user.id, email: user.email, ...done }) : sentence);
      }),
  };
}

/** The commands about accounts. */
export const ACCOUNT_COMMANDS: Readonly<Record<string, Command>> = {
  list: {
    summary: "users in the order of their addresses",
    help: `Lists users in the order of their addresses. Where there are more, the last line says how to go on.`,
    words: [],
    options: {
      search: { value: "prefix", help: "only addresses that begin so" },
      limit: { value: "number", help: `how many at most, ${LIST} unless given` },
      after: { value: "email", help: "go on behind this address" },
      json: { help: "a line of JSON a user" },
    },
    run: list,
  },
  show: {
    summary: "one user, with sessions and last events",
    help: "Shows all that is stored of a user, without secrets: state, live sessions, the last 20 events.",
    words: ["email|id"],
    options: JSON_OPTION,
    run: (given, outside) =>
      withAuth(outside, async (auth) => {
        const user = await showUser(auth, given.words[0]);
        outside.print(given.flag("json") ? json(user) : toText(user));
      }),
  },
  add: {
    summary: "a new user, also while SIGN_UP is closed",
    help: `Adds a user. The address counts as proven. Without a password the user gets a mail to set one; this is the
better way, since nobody else knows the password then. ${BY_SERVICE}
No command sets the password of a user who is there: users reset mails a link instead.`,
    words: ["email"],
    options: {
      invite: { help: "mail a link to set a password; so it is, too, without any option" },
      "password-stdin": { help: "the first line of standard input is the password" },
      ...JSON_OPTION,
    },
    run: add,
  },
  disable: aboutOne(
    "keep a user out",
    "Ends all sessions and tokens at once. From then on every way in answers as to a wrong password.",
    async (auth, user) => {
      const changed = await disableUser(auth, OPERATOR, user);
      return {
        done: { changed },
        sentence: changed ? `${user.email} is disabled.` : `${user.email} was disabled already.`,
      };
    },
  ),
  enable: aboutOne(
    "let a disabled user in again",
    "Takes back users disable. The password is the same as before; sessions do not come back.",
    async (auth, user) => {
      const changed = await enableUser(auth, OPERATOR, user);
      return { done: { changed }, sentence: changed ? `${user.email} is enabled.` : `${user.email} was not disabled.` };
    },
  ),
  "end-sessions": aboutOne(
    "log a user out everywhere",
    "Ends all sessions of a user on all devices, at once and on every instance.",
    async (auth, user) => {
      const ended = await endSessionsOf(auth, OPERATOR, user);
      return { done: { ended }, sentence: `${ended} sessions of ${user.email} have ended.` };
    },
  ),
  reset: aboutOne(
    "mail a user a link for a new password",
    `Has a reset mail sent to the stored address. The old password stays good until the link is used. Nobody but the
mailbox sees the link. ${BY_SERVICE}`,
    async (auth, user) => {
      await mailReset(auth, OPERATOR, user);
      return { done: { mail: "reset" }, sentence: `A reset mail for ${user.email} is on its way. ${BY_SERVICE}` };
    },
  ),
  compromised: aboutOne(
    "for a password that others know",
    `Takes the password away, ends all sessions and tokens, and mails a link for a new one: until that is used, nobody
logs in. ${BY_SERVICE}`,
    async (auth, user) => {
      await dropPassword(auth, OPERATOR, user);
      return {
        done: { mail: "reset" },
        sentence: `The password of ${user.email} opens nothing any more, and a reset mail is on its way. ${BY_SERVICE}`,
      };
    },
  ),
  delete: {
    summary: "erase a user for good",
    help: `Erases a user at once and for good, with sessions and tokens, and takes the person out of the events. Without
--yes nothing is done.`,
    words: ["email|id"],
    options: { yes: { help: "really do it" }, ...JSON_OPTION },
    run: erase,
  },
};

async function list(given: Given, outside: Outside): Promise<void> {
  const limit = given.count("limit") ?? LIST;
  await withAuth(outside, async (auth) => {
    const rows: UserView[] = [];
    let found = 0, last = "";
    for await (const user of listUsers(auth, { prefix: given.text("search"), after: given.text("after") })) {
      if (++found > limit) break;
      last = user.email;
      if (given.flag("json")) outside.print(json(user));
      else rows.push(user);
    }
    if (!given.flag("json")) outside.print(found === 0 ? "There is no such user." : listed(rows));
    if (found > limit) outside.note(`There are more: --after ${last}`);
  });
}

async function add(given: Given, outside: Outside): Promise<void> {
  if (given.flag("invite") && given.flag("password-stdin")) {
    throw new Misuse("--invite and --password-stdin exclude each other");
  }
  const password = given.flag("password-stdin") ? await typedPassword(outside) : undefined;
  await withAuth(outside, async (auth) => {
    const user = await createUser(auth, OPERATOR, given.words[0], password);
    if (given.flag("json")) return outside.print(json({ ...user, mail: password === undefined ? "reset" : null }));
    const how = password === undefined
      ? `A mail to set a password is on its way. ${BY_SERVICE}`
      : "The password is set.";
    outside.print(`${user.email} is added. ${how}`);
  }, { make: true });
}

/**
 * Reads the password from standard input. As an argument it would be in the list of processes and in the shell's
 * history.
 */
async function typedPassword(outside: Outside): Promise<string> {
  const [line] = (await readAll(outside.input, MOST_INPUT)).split(/\r?\n/, 1);
  if (line === "") throw new Misuse("there is no password on standard input");
  return line;
}

async function erase(given: Given, outside: Outside): Promise<void> {
  await withAuth(outside, async (auth) => {
    const user = await findUser(auth, given.words[0]);
    if (!given.flag("yes")) throw new Misuse(`--yes is missing: nothing brings ${user.email} back afterwards`);
    const erased = await eraseUser(auth, OPERATOR, user);
    outside.print(given.flag("json") ? json({ id: user.id, email: user.email, erased }) : `${user.email} is erased.`);
  });
}

function listed(users: UserView[]): string {
  return table(
    ["email", "id", "state", "made", "last login"],
    users.map((user) => [
      user.email,
      user.id,
      user.state.join(", ") || "ok",
      moment(user.createdAt),
      moment(user.signedInAt),
    ]),
  );
}

function toText(user: UserDetails): string {
  const lines = facts([
    ["id", user.id],
    ["email", user.email],
    ["name", user.name ?? "-"],
    ["language", user.locale ?? "-"],
    ["state", user.state.join(", ") || "ok"],
    ["made", moment(user.createdAt)],
    ["last login", moment(user.signedInAt)],
    ["address proven", moment(user.emailVerifiedAt)],
    ["disabled", moment(user.disabledAt)],
    ["closed", moment(user.closedAt)],
    ["erased at", moment(user.purgeAt)],
  ]);
  const sessions = table(
    ["session", "logged in", "used", "from", "by"],
    user.sessions.map((each) => [
      each.id,
      moment(each.createdAt),
      moment(each.lastSeenAt),
      each.ip ?? "-",
      each.userAgent ?? "-",
    ]),
  );
  const events = table(
    ["event", "when", "from"],
    user.events.map((each) => [each.type, moment(each.createdAt), each.ip ?? "-"]),
  );
  return [lines, user.sessions.length === 0 ? "no live session" : sessions, events].join("\n\n");
}
