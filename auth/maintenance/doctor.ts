/**
 * Checks settings, database, files, hashing and mail. Says for each whether it is well, and what to do. Must not repair
 * anything or migrate the schema.
 *
 * @module
 */
import { dirname } from "node:path";
import { DB } from "../../db/db.ts";
import { listLateMails } from "../../db/events.ts";
import { clockOf, faultsOf, filesOf, freeBytes } from "../../db/maintenance/health.ts";
import { serversOf } from "../../db/maintenance/servers.ts";
import { schemaState } from "../../db/migrations.ts";
import { OPERATOR } from "../admin/actor.ts";
import { rowsOf, showUser } from "../admin/user_lists.ts";
import { createUser, eraseUser } from "../admin/users.ts";
import type { Auth } from "../auth.ts";
import type { Config } from "../config.ts";
import { hashPassword } from "../credentials/passwords.ts";
import { NO_MAIL_TEXT } from "../mail_kinds.ts";
import { newId, randomToken } from "../secrets.ts";
import type { Check } from "./check.ts";
import { serverChecks } from "./servers.ts";

const MINUTE = 60_000, GIBIBYTE = 2 ** 30;
/** Difference of two clocks, in milliseconds: from the first it is a warning, from the second logins suffer. */
const APART = { word: 1_000, trouble: 30_000 };
/** Time of one hash, in milliseconds. A longer one keeps users waiting, a shorter one helps an attacker who guesses. */
const HASH = { best: 500, most: 1_000 };
/** How long a mail may wait, in milliseconds, before it counts as a fault. */
const LATE = 5 * MINUTE;
/** Addresses of the temporary users. After this many milliseconds every visit is over. */
const VISITOR = /^doctor-[0-9a-f-]{36}@bienvenue\.invalid$/, LONGEST_VISIT = 10 * MINUTE;

/** Checks the database and its files. Throws `DatabaseRefused` when the database cannot be opened. */
export async function checkDatabase(
  config: Readonly<Config>,
  options: { folder: string; clock: () => number },
): Promise<{ checks: Check[]; current: boolean }> {
  const { folder, clock } = options;
  await using db = await DB.open(config.databaseUrl, { folder, existing: true });
  await db.requireFit();
  const checks: Check[] = [{ check: "database", state: "ok", found: `${db.place} can be opened` }];
  const { pending, unknown } = await schemaState(db);
  checks.push(schemaCheck(pending, unknown));
  checks.push(contentCheck(await faultsOf(db)));
  const before = clock();
  const apart = await clockOf(db) - (before + clock()) / 2;
  checks.push(clockCheck("clock of the database", apart));
  checks.push(...serverChecks(await serversOf(db)));
  checks.push(...fileChecks(config.databaseUrl, folder));
  return { checks, current: pending.length + unknown.length === 0 };
}

/** Judges a clock that is this many milliseconds ahead of this machine's clock. */
export function clockCheck(check: string, apart: number): Check {
  const found = `${(Math.abs(apart) / 1000).toFixed(1)} s ${apart < 0 ? "behind" : "ahead of"} this machine's`;
  if (Math.abs(apart) < APART.word) return { check, state: "ok", found };
  const state = Math.abs(apart) < APART.trouble ? "warn" : "fail";
  return { check, state, found, todo: "set both machines by NTP; tokens and limits end by these clocks" };
}

/** Measures hashes of the configured cost, one for each core at the same time, and judges the result. */
export async function checkHashing(auth: Auth): Promise<Check> {
  const { bcryptCost: cost } = auth.config;
  const cores = navigator.hardwareConcurrency;
  const kind = await auth.bcrypt.kind();
  await hashPassword(auth, "warm");
  const start = performance.now();
  await Promise.all(Array.from({ length: cores }, () => hashPassword(auth, "measured")));
  const took = performance.now() - start;
  const fits = Math.max(10, Math.min(16, cost + Math.floor(Math.log2(HASH.best / took))));
  const found = `cost ${cost} takes ${Math.ceil(took)} ms (${kind}); at most ${
    (cores * 1000 / took).toFixed(1)
  } logins a second on ${cores} cores`;
  if (cost < 10) {
    return { check: "hashing", state: "warn", found, todo: `BCRYPT_COST=${fits}: less than 10 is for tests` };
  }
  if (took > HASH.most) {
    return {
      check: "hashing",
      state: "warn",
      found,
      todo: `BCRYPT_COST=${fits} lets people in faster on this machine`,
    };
  }
  const room = fits > cost ? `; BCRYPT_COST=${fits} would stay below ${HASH.best} ms` : "";
  return { check: "hashing", state: "ok", found: found + room };
}

/** Looks for mails that wait too long, and sends a test mail when an address is given. */
export async function checkMail(auth: Auth, to: string | undefined): Promise<Check[]> {
  const late = await listLateMails(auth.db, auth.clock() - LATE, NO_MAIL_TEXT, 1_000);
  const waiting: Check = late.length === 0 ? { check: "mails waiting", state: "ok", found: "none is late" } : {
    check: "mails waiting",
    state: "fail",
    found: `${late.length} since up to ${Math.floor((auth.clock() - late[0].created_at) / MINUTE)} minutes`,
    todo: "see that the service runs, and what its log says of the mail server",
  };
  return [waiting, await sendingCheck(auth, to)];
}

async function sendingCheck(auth: Auth, to: string | undefined): Promise<Check> {
  const check = "mail";
  if (auth.config.mailUrl === undefined) {
    return { check, state: "ok", found: "no mail server: the local profile keeps mails to be looked at" };
  }
  if (to === undefined) {
    return { check, state: "warn", found: "not tried", todo: "add --mail and an address that you read" };
  }
  const text = `The doctor of ${auth.config.appName} sent this to see whether mail goes out. It does.`;
  try {
    await auth.transport.send({
      id: newId(auth.clock()),
      to,
      subject: `${auth.config.appName}: mail goes out`,
      text,
      html: `<p>Mail goes out.</p>`,
    });
    return { check, state: "ok", found: "the mail server took a mail; see that it arrives, and not as spam" };
  } catch (error) {
    return { check, state: "fail", found: (error as Error).message, todo: "look at MAIL_URL and MAIL_FROM" };
  }
}

/** A temporary user, with which the doctor checks the service from outside. */
export interface Visitor {
  /** No mail can reach this address. */
  email: string;
  password: string;
  /** The client addresses of the user's live sessions, as the service recorded them. */
  addresses(): Promise<(string | null)[]>;
}

/** Runs the work with a temporary user. An address under .invalid belongs to nobody (RFC 2606 2). */
export async function withVisitor<T>(auth: Auth, work: (visitor: Visitor) => Promise<T>): Promise<T> {
  const now = auth.clock();
  await eraseLeftVisitors(auth, now);
  const email = `doctor-${newId(now)}@bienvenue.invalid`, password = randomToken();
  const { id } = await createUser(auth, OPERATOR, email, password);
  try {
    return await work({
      email,
      password,
      addresses: async () => (await showUser(auth, id)).sessions.map((session) => session.ip),
    });
  } finally {
    await eraseUser(auth, OPERATOR, { id });
  }
}

/** Erases the users of visits that Ctrl-C broke off before they could clean up. */
async function eraseLeftVisitors(auth: Auth, now: number): Promise<void> {
  for await (const user of rowsOf(auth, "doctor-")) {
    if (VISITOR.test(user.email_key) && user.created_at < now - LONGEST_VISIT) await eraseUser(auth, OPERATOR, user);
  }
}

function schemaCheck(pending: string[], unknown: string[]): Check {
  const check = "schema";
  if (unknown.length > 0) {
    const found = `newer than this program: ${unknown.join(", ")}`;
    return { check, state: "fail", found, todo: "use the newer program, or restore a backup" };
  }
  if (pending.length === 0) return { check, state: "ok", found: "as this program needs it" };
  const found = `lacks ${pending.join(", ")}`;
  return { check, state: "warn", found, todo: "make a backup, then start this version of the service once" };
}

function contentCheck(faults: string[] | undefined): Check {
  const check = "content";
  if (faults === undefined) {
    return { check, state: "ok", found: "PostgreSQL checks by its own tool: pg_amcheck, with the extension amcheck" };
  }
  if (faults.length === 0) return { check, state: "ok", found: "every page and reference was read and is sound" };
  const todo = "stop the service, keep a copy of the file, and restore your last backup";
  return { check, state: "fail", found: faults.join("; "), todo };
}

function fileChecks(databaseUrl: string, folder: string): Check[] {
  const files = filesOf(databaseUrl, folder);
  if (files.length === 0) return [];
  const open = files.slice(1).filter(({ mode }) => (mode & 0o077) !== 0).map(({ path }) => path);
  const checks: Check[] = [
    open.length === 0 ? { check: "files", state: "ok", found: "only their owner can read the database" } : {
      check: "files",
      state: "fail",
      found: `others may use ${open.join(", ")}`,
      todo: `chmod 600 ${open.join(" ")}`,
    },
  ];
  const free = freeBytes(dirname(files[1].path));
  const found = free === undefined ? "cannot be known here" : `${(free / GIBIBYTE).toFixed(1)} GiB free`;
  if (free === undefined || free >= GIBIBYTE) checks.push({ check: "disk", state: "ok", found });
  else {
    const state = free < GIBIBYTE / 10 ? "fail" : "warn";
    checks.push({ check: "disk", state, found, todo: "make room; a full disk stops every login" });
  }
  return checks;
}
