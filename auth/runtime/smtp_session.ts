/**
 * One SMTP session for one mail, from the connection to QUIT (RFC 5321 3.8, 4.1.1.10). Must not decide what is sent or
 * whether a failure is final.
 *
 * @module
 */
import type { MailComposerOptions } from "nodemailer/lib/mail-composer";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import type { SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";

/** How long a server has to answer QUIT, in milliseconds. The mail is already settled then. */
const QUIT_TIME = 2_000;

/** A session that has begun. */
export interface SmtpSession {
  /** Resolves when the server has taken the mail, and rejects with the error of nodemailer or of code `EABORT`. */
  sent: Promise<void>;
  /** Resolves when the session has ended too, at most two seconds later. */
  ended: Promise<void>;
}

/** User and password for the mail server. */
interface Login {
  user: string;
  password: string;
}

/** Sends a mail in a session of its own. The signal aborts it. Loads nodemailer only now: most starts send no mail. */
export function startSession(
  options: SMTPConnectionOptions,
  login: Login | undefined,
  mail: MailComposerOptions,
  signal: AbortSignal,
): SmtpSession {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  return { sent: runSession(options, login, mail, signal, end), ended };
}

async function runSession(
  options: SMTPConnectionOptions,
  login: Login | undefined,
  mail: MailComposerOptions,
  signal: AbortSignal,
  end: () => void,
): Promise<void> {
  let leave = end;
  try {
    const { default: Connection } = await import("nodemailer/lib/smtp-connection");
    const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
    const message = new MailComposer({ ...mail, disableFileAccess: true, disableUrlAccess: true }).compile();
    const stream = message.createReadStream();
    const smtp = new Connection(options);
    smtp.on("end", end);
    const broken = brokenSession(smtp, signal);
    let transfers = false;
    leave = () => {
      // Inside a mail, QUIT would be a part of its text. Without QUIT the server throws the half mail away.
      if (signal.aborted && !(transfers && (pipelines(smtp) || stream.readableFlowing !== null))) writeQuit(smtp);
      if (signal.aborted) smtp.close();
      else quit(smtp);
    };
    await Promise.race([broken, done((callback) => smtp.connect(callback))]);
    if (login) {
      const credentials = { user: login.user, pass: login.password };
      await Promise.race([broken, done((callback) => smtp.login({ credentials }, callback))]);
    }
    transfers = true;
    await Promise.race([broken, done((callback) => smtp.send(message.getEnvelope(), stream, callback))]);
  } finally {
    leave();
  }
}

/** Rejects when the connection breaks or the signal fires. */
function brokenSession(smtp: SMTPConnection, signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  // The race below may be over.
  promise.catch(() => {});
  smtp.on("error", (error) => {
    // Nodemailer closes the connection right after this event, for example after a refusal in the greeting.
    if (error.responseCode !== undefined) writeQuit(smtp);
    reject(error);
  });
  const abort = (): void => reject(Object.assign(new Error("aborted"), { code: "EABORT" }));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return promise;
}

/** Ends a session in order, and by force when the server does not answer in time. */
function quit(smtp: SMTPConnection): void {
  if (smtp.destroyed) return;
  const timer = setTimeout(() => smtp.close(), QUIT_TIME);
  smtp.once("end", () => clearTimeout(timer));
  smtp.quit();
}

/** Writes QUIT without waiting for the answer. Before the greeting a client must be silent (RFC 5321 3.1). */
function writeQuit(smtp: SMTPConnection): void {
  if (smtp.lastServerResponse && !smtp.upgrading && smtp._socket && smtp._socket.writable) {
    smtp._socket.write("QUIT\r\n");
  }
}

/** Whether nodemailer sends all commands of a mail at once. */
function pipelines(smtp: SMTPConnection): boolean {
  return /^250[ -]PIPELINING\b/im.test(smtp.lastServerResponse || "");
}

function done(call: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => error ? reject(error) : resolve()));
}
