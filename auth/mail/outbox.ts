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
  type MailTries,
  postponeMail,
} from "../../db/events.ts";
import { findTokenOf, issueToken, type Purpose, type TokenRow } from "../../db/tokens.ts";
import { findUserBy } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { hashCode, randomCode } from "../credentials/mail_codes.ts";
import { asAuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { CODE_LIFETIME, MAIL_RULES, type MailRequest, NO_MAIL_TEXT, type NoMail } from "../mail_kinds.ts";
import { MailRefused } from "../runtime/smtp.ts";
import { hashToken, randomToken } from "../secrets.ts";
import { isActive } from "../users.ts";
import { composeMail } from "./compose.ts";
import { PACING, type Pacing, Slots, UNPACED, UsualMail } from "./slots.ts";

/** Time that an instance has to send a mail before another one tries, in milliseconds. */
const LEASE = 2 * 60_000;
/** How many mails one query reads. */
const BATCH = 10;
/**
 * When more are due, every so many lists are in the order in which mails became due. Otherwise a thief who keeps asking
 * for mails would keep back the notices that tell an owner of the theft.
 */
const IN_ORDER = 4;
/** Pause after the first failure, in milliseconds. It doubles with each failure, up to the longest. */
const FIRST_PAUSE = 5_000, LONGEST_PAUSE = 10 * 60_000;
/** How often an instance looks for mails of other instances and for mails to try again, in milliseconds. */
const LOOK_EVERY = 5_000;
/** How long a stop waits for the mails that are being sent, in milliseconds. */
const LAST_MAIL = 5_000;
/**
 * Mails that were tried before have slots of their own. Otherwise the retries at a known address that fails would delay
 * new mails, and show that the address is known.
 */
const LANES: readonly { tries: MailTries; slots: number }[] = [
  { tries: { least: 0, most: 0 }, slots: 8 },
  { tries: { least: 1, most: Number.MAX_SAFE_INTEGER }, slots: 4 },
];

/** Sends mails, several at once. One of them runs in each worker. */
export class Outbox {
  readonly #auth: Auth;
  readonly #pacing: Pacing;
  readonly #usual = new UsualMail();
  readonly #lanes: readonly { tries: MailTries; slots: Slots }[];
  #fullLists = 0;
  /** How many mails were sent. */
  sent = 0;

  /**
   * `slots` is the number in each lane; by default it is that of a service. The local profile tells who has an account,
   * so its mails need no pacing.
   */
  constructor(auth: Auth, pacing: Pacing = auth.config.profile === "public" ? PACING : UNPACED, slots?: number) {
    this.#auth = auth;
    this.#pacing = pacing;
    this.#lanes = LANES.map((lane) => ({
      tries: lane.tries,
      slots: new Slots(slots ?? lane.slots, pacing, this.#usual),
    }));
  }

  /**
   * Begins with due mails as long as a slot is free and the signal has not fired. Returns whether it began with any.
   */
  async look(signal?: AbortSignal): Promise<boolean> {
    let begun = false;
    for (const { tries, slots } of this.#lanes) {
      let due: Pick<EventRow, "id" | "mail_at">[] = [];
      while (slots.free > 0 && !signal?.aborted) {
        if (due.length === 0) due = await this.#listDue(tries);
        const next = due.shift();
        if (!next) break;
        begun = true;
        const job = await this.#claim(next.id, next.mail_at!);
        if (job) this.#begin(slots, job, signal);
      }
    }
    return begun;
  }

  /** Resolves when no mail is being sent and no slot is held. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map(({ slots }) => slots.idle()));
  }

  async #listDue(tries: MailTries): Promise<Pick<EventRow, "id" | "mail_at">[]> {
    const { db, clock } = this.#auth;
    const due = await listDueMails(db, clock(), tries, BATCH);
    if (due.length < BATCH || ++this.#fullLists % IN_ORDER === 0) return due;
    // More mails are due than fit into one batch: those that somebody waits for go before a flood of notices.
    return await listUrgentMails(db, clock(), tries, BATCH);
  }

  /** Claims the mail. No lock is held between this transaction and the one that settles the claim. */
  async #claim(id: string, dueAt: number): Promise<Job | undefined> {
    const auth = this.#auth;
    const lease = auth.clock() + LEASE;
    const codeKey = await auth.keyring.current("code");
    return await deliveryDb(auth).transaction((db) => claim(auth, db, { id, dueAt, lease, codeKey })).catch(
      async (error) => {
        if (error instanceof DatabaseUnavailable) throw error;
        // This version cannot read the row, but another one may. It must not block the mails after it.
        await postponeMail(deliveryDb(auth), id, dueAt, auth.clock() + LONGEST_PAUSE);
        note(auth, error);
        return undefined;
      },
    );
  }

  #begin(slots: Slots, job: Job, signal: AbortSignal | undefined): void {
    // Mails may have waited for a slot.
    const freed = (): void => this.#auth.mails.wake();
    slots.take(
      async ({ pause, usual }) => {
        try {
          await this.#pacing.wait("pause", pause, signal);
          // The service stops. The mail is due at once for the next start.
          if (signal?.aborted) await postponeMail(deliveryDb(this.#auth), job.event.id, job.lease, this.#auth.clock());
          else if (job.mail) await this.#send(job, job.mail);
          else await this.#sendNothing(job, usual, signal);
        } catch (error) {
          note(this.#auth, error);
        }
      },
      signal,
      freed,
    );
  }

  async #send(job: Job, { request, secrets }: PreparedMail): Promise<void> {
    const auth = this.#auth;
    const { event } = job;
    const begun = this.#pacing.now();
    try {
      const content = composeMail({
        kind: request.kind,
        locale: request.locale,
        appName: auth.config.appName,
        name: request.name ?? undefined,
        ...secrets,
        codeMinutes: CODE_LIFETIME / 60_000,
        time: event.created_at,
        ip: event.ip ?? undefined,
        userAgent: event.user_agent ?? undefined,
        newEmail: request.newEmail,
        purgeAt: request.purgeAt,
      });
      await auth.transport.send({ id: event.id, to: request.to, ...content });
    } catch (error) {
      const refused = error instanceof MailRefused;
      this.#usual.note(this.#pacing.now() - begun, !refused);
      if (refused) return await settle(auth, job, request, "mail_refused");
      await postpone(auth, job);
      return note(auth, error);
    }
    this.#usual.note(this.#pacing.now() - begun, false);
    await settle(auth, job, request, "mail_sent");
    this.sent++;
  }

  /** Takes as long as the last mails, and is tried again if the last one is. Leaves nothing behind. */
  async #sendNothing(job: Job, usual: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#pacing.wait("no mail", usual, signal);
    if (this.#usual.failing) await postpone(this.#auth, job);
    else await finishMail(deliveryDb(this.#auth), job.event.id, job.lease);
  }
}

/** Sends all mails that are due, one after another, but stops when the signal fires. Gives the number of mails sent. */
export async function deliverMails(auth: Auth, signal?: AbortSignal): Promise<number> {
  const outbox = new Outbox(auth, UNPACED, 1);
  while (await outbox.look(signal)) await outbox.idle();
  return outbox.sent;
}

/** The number of mails that wait, up to 10,000, and the age of the oldest in milliseconds. */
export async function waitingMails(auth: Auth): Promise<{ count: number; oldest: number }> {
  const times = await listWaitingMails(auth.db, NO_MAIL_TEXT, 10_000);
  const oldest = times.reduce((least, time) => Math.min(least, time), auth.clock());
  return { count: times.length, oldest: auth.clock() - oldest };
}

/**
 * Sends mails as they come due until the returned function is called. That function starts no further mail, and breaks
 * off the current ones when the mail server takes too long. Unsent mails stay due for the next start.
 */
export function deliverRegularly(auth: Auth): () => Promise<void> {
  const outbox = new Outbox(auth);
  const stop = auth.mails.start(
    (signal) => outbox.look(signal).catch((error) => note(auth, error)),
    () => LOOK_EVERY,
  );
  return async () => {
    const stopped = stop().then(() => outbox.idle());
    const patience = setTimeout(() => auth.transport.close(), LAST_MAIL);
    await stopped;
    clearTimeout(patience);
  };
}

/**
 * For what is noted of a delivery. A power failure may lose the last notes. Then the mail is sent twice, and the link of
 * the second one replaces that of the first. No mail is lost: its request was synced with the change that it reports. A
 * used link is not forgotten: the commit of its use syncs the notes before it.
 */
function deliveryDb(auth: Auth): DB {
  return auth.db.relaxed;
}

interface MailClaim {
  id: string;
  dueAt: number;
  lease: number;
  codeKey: string;
}

interface PreparedMail {
  request: MailRequest;
  secrets: { link?: string; code?: string };
}

/** A claimed entry of the outbox. */
interface Job {
  event: EventRow;
  lease: number;
  /** Undefined: nothing is sent, but the slot is held as for a mail. */
  mail: PreparedMail | undefined;
}

/**
 * Claims the mail and makes its secrets. Ends the mail when its time is over. If its token was used or replaced, nothing
 * is sent. The slot is still held: of two requests to change an address, only the mail to an unknown one is replaced.
 */
async function claim(auth: Auth, db: DB, { id, dueAt, lease, codeKey }: MailClaim): Promise<Job | undefined> {
  const event = await claimMail(db, id, dueAt, lease);
  if (!event?.mail) return undefined;
  const request = JSON.parse(event.mail) as MailRequest | NoMail;
  if (auth.clock() >= event.mail_until!) {
    if (request.kind === "none") await finishMail(db, id, lease);
    else await finish(auth, db, { event, lease }, request, "mail_given_up");
    return undefined;
  }
  if (request.kind === "none") return { event, lease, mail: undefined };
  const secrets = await makeSecrets(auth, db, request, codeKey);
  return { event, lease, mail: secrets && { request, secrets } };
}

/** The lifetime of the mail's token and code starts here. Sending again replaces the secrets of the first mail. */
async function makeSecrets(
  auth: Auth,
  db: DB,
  request: MailRequest,
  codeKey: string,
): Promise<PreparedMail["secrets"] | undefined> {
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

/** Ends the claim until the next try. */
async function postpone(auth: Auth, { event, lease }: Job): Promise<void> {
  const pause = Math.min(FIRST_PAUSE * 2 ** (event.mail_tries - 1), LONGEST_PAUSE);
  await postponeMail(deliveryDb(auth), event.id, lease, auth.clock() + pause);
}

async function settle(auth: Auth, job: Job, request: MailRequest, type: Outcome): Promise<void> {
  await deliveryDb(auth).transaction((db) => finish(auth, db, job, request, type));
}

type Outcome = "mail_sent" | "mail_refused" | "mail_given_up";

async function finish(
  auth: Auth,
  db: DB,
  { event, lease }: Pick<Job, "event" | "lease">,
  request: MailRequest,
  type: Outcome,
): Promise<void> {
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
