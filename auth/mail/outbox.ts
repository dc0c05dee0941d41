/**
 * Sends the mails that events ask for: each at least once, outside any request, by the first instance that claims it.
 * Must not hold a lock while it sends.
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import {
  claimMail,
  type EventRow,
  finishMail,
  listDueMails,
  listUrgentMails,
  listWaitingMails,
  postponeMail,
} from "../../db/events.ts";
import { findTokenOf, issueToken, type Purpose, type TokenRow } from "../../db/tokens.ts";
import { findUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { hashCode, randomCode } from "../credentials/mail_codes.ts";
import { asAuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { CODE_LIFETIME, MAIL_RULES, type MailRequest } from "../mail_kinds.ts";
import { MailRefused } from "../runtime/smtp.ts";
import { hashToken, randomToken } from "../secrets.ts";
import { isActive } from "../users.ts";
import { composeMail } from "./compose.ts";

/** Time that an instance has to send a mail before another one tries, in milliseconds. */
const LEASE = 2 * 60_000;
/** How many mails one query reads. */
const BATCH = 10;
/** Pause after the first failure, in milliseconds. It doubles with each failure, up to the longest. */
const FIRST_PAUSE = 5_000, LONGEST_PAUSE = 10 * 60_000;
/** How often an instance looks for mails of other instances and for mails to try again, in milliseconds. */
const LOOK_EVERY = 5_000;
/** How long a stop waits for the mail that is being sent, in milliseconds. */
const LAST_MAIL = 5_000;

/** Sends all mails that are due, but stops when the signal fires. Gives the number of mails sent. */
export async function deliverMails(auth: Auth, signal?: AbortSignal): Promise<number> {
  let sent = 0;
  for (;;) {
    let due = await listDueMails(auth.db, auth.clock(), BATCH);
    // More mails are due than fit into one batch: those that somebody waits for go before a flood of notices.
    if (due.length === BATCH) due = await listUrgentMails(auth.db, auth.clock(), BATCH);
    if (due.length === 0) return sent;
    for (const { id, mail_at } of due) {
      if (signal?.aborted) return sent;
      if (await deliver(auth, id, mail_at!)) sent++;
    }
  }
}

/** The number of mails that wait, up to 10,000, and the age of the oldest in milliseconds. */
export async function waitingMails(auth: Auth): Promise<{ count: number; oldest: number }> {
  const times = await listWaitingMails(auth.db, 10_000);
  const oldest = times.reduce((least, time) => Math.min(least, time), auth.clock());
  return { count: times.length, oldest: auth.clock() - oldest };
}

/**
 * Sends mails as they come due until the returned function is called. That function starts no further mail, and breaks
 * off the current one when the mail server takes too long. Unsent mails stay due for the next start.
 */
export function deliverRegularly(auth: Auth): () => Promise<void> {
  const stop = auth.mails.start(
    (signal) => deliverMails(auth, signal).catch((error) => note(auth, error)),
    () => LOOK_EVERY,
  );
  return async () => {
    const stopped = stop();
    const patience = setTimeout(() => auth.transport.close(), LAST_MAIL);
    await stopped;
    clearTimeout(patience);
  };
}

/** Claims the mail, sends it, then settles the claim. No lock is held between the two transactions. */
async function deliver(auth: Auth, id: string, dueAt: number): Promise<boolean> {
  const lease = auth.clock() + LEASE;
  const codeKey = await auth.keyring.current("code");
  const claimed = await auth.db.transaction((db) => claim(auth, db, { id, dueAt, lease, codeKey })).catch(
    async (error) => {
      if (error instanceof DatabaseUnavailable) throw error;
      // This version cannot read the row, but another one may. It must not block the mails after it.
      await postponeMail(auth.db, id, dueAt, auth.clock() + LONGEST_PAUSE);
      note(auth, error);
    },
  );
  if (!claimed) return false;
  const { event, request, secrets } = claimed;
  const { link, code } = secrets;
  try {
    const content = composeMail({
      kind: request.kind,
      locale: request.locale,
      appName: auth.config.appName,
      name: request.name ?? undefined,
      link,
      code,
      codeMinutes: CODE_LIFETIME / 60_000,
      time: event.created_at,
      ip: event.ip ?? undefined,
      userAgent: event.user_agent ?? undefined,
      newEmail: request.newEmail,
      purgeAt: request.purgeAt,
    });
    await auth.transport.send({ id: event.id, to: request.to, ...content });
  } catch (error) {
    await settleFailure(auth, event, request, lease, error);
    return false;
  }
  await settle(auth, event, request, lease, "mail_sent");
  return true;
}

interface MailClaim {
  id: string;
  dueAt: number;
  lease: number;
  codeKey: string;
}

interface Claimed {
  event: EventRow;
  request: MailRequest;
  secrets: { link?: string; code?: string };
}

/**
 * Claims the mail and makes its secrets. Ends the mail when its time is over, or when its token was used or replaced.
 */
async function claim(auth: Auth, db: DB, wanted: MailClaim): Promise<Claimed | undefined> {
  const { id, dueAt, lease, codeKey } = wanted;
  const event = await claimMail(db, id, dueAt, lease);
  if (!event?.mail) return undefined;
  const request = JSON.parse(event.mail) as MailRequest;
  if (auth.clock() >= event.mail_until!) {
    await finish(auth, db, event, request, lease, "mail_given_up");
    return undefined;
  }
  const secrets = await makeSecrets(auth, db, request, codeKey);
  if (secrets) return { event, request, secrets };
  await finishMail(db, event.id, lease);
  return undefined;
}

/** The lifetime of the mail's token and code starts here. Sending again replaces the secrets of the first mail. */
async function makeSecrets(
  auth: Auth,
  db: DB,
  request: MailRequest,
  codeKey: string,
): Promise<Claimed["secrets"] | undefined> {
  const { path, purpose, lifetime, code: wantsCode } = MAIL_RULES[request.kind];
  const base = path === undefined ? undefined : auth.origin + path;
  if (!purpose || request.subject === undefined) return { link: base };
  const now = auth.clock();
  const waiting = await findTokenOf(db, purpose, request.subject, now);
  // A later request may have replaced the token. A mailbox must get the proof of its own address only (V41).
  if (waiting?.email !== request.to || !await isStillOwn(db, waiting)) return undefined;
  const token = randomToken();
  const code = wantsCode ? randomCode() : undefined;
  const armed = await issueToken(db, purpose, request.subject, {
    secret_hash: hashToken(token),
    code_hash: code === undefined ? null : hashCode(codeKey, purpose, request.subject, code),
    code_expires_at: code === undefined ? null : now + CODE_LIFETIME,
    expires_at: lifetime === undefined ? waiting.expires_at : now + lifetime,
  });
  return armed ? { link: `${base}?token=${token}`, code } : undefined;
}

/** Tokens of these purposes are only for an active account that still has the token's address. */
const OF_THE_ADDRESS: readonly Purpose[] = ["reset", "verify"];

/** Whether the user still has the token's address; true for purposes that do not require it. */
async function isStillOwn(db: DB, { purpose, user_id, email_key }: TokenRow): Promise<boolean> {
  if (!OF_THE_ADDRESS.includes(purpose)) return true;
  const user = user_id === null ? undefined : await findUserBy(db, { id: user_id });
  return user !== undefined && isActive(user) && user.email_key === email_key;
}

async function settleFailure(auth: Auth, event: EventRow, request: MailRequest, lease: number, error: unknown) {
  if (error instanceof MailRefused) return await settle(auth, event, request, lease, "mail_refused");
  const pause = Math.min(FIRST_PAUSE * 2 ** (event.mail_tries - 1), LONGEST_PAUSE);
  await postponeMail(auth.db, event.id, lease, auth.clock() + pause);
  note(auth, error);
}

async function settle(auth: Auth, event: EventRow, request: MailRequest, lease: number, type: Outcome): Promise<void> {
  await auth.db.transaction((db) => finish(auth, db, event, request, lease, type));
}

type Outcome = "mail_sent" | "mail_refused" | "mail_given_up";

async function finish(auth: Auth, db: DB, event: EventRow, request: MailRequest, lease: number, type: Outcome) {
  if (!await finishMail(db, event.id, lease)) return;
  const details = { mail: request.kind, event: event.id, ...(request.subject && { subject: request.subject }) };
  await recordEvent(auth, db, { type, userId: request.untold ? null : event.user_id, details });
}

function note(auth: Auth, error: unknown): void {
  const code = asAuthError(error)?.code;
  if (code !== undefined) return auth.faults.report(code, error);
  const reason = error instanceof Error ? error.message : String(error);
  auth.log.write({ time: new Date().toISOString(), level: "warning", mail: reason });
}
