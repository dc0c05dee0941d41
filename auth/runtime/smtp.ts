/**
 * Sends mails through the operator's SMTP server. Must not decide when or how often; the caller does. Its errors must
 * not hold a password, an address or text of a mail.
 *
 * @module
 */
import type { SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { plainText } from "../text.ts";
import { startSession } from "./smtp_session.ts";

/** One mail to one person. */
export interface MailMessage {
  /** The stored address. */
  to: string;
  /** One line. */
  subject: string;
  text: string;
  html: string;
  /** The same for every attempt, so that a duplicate can be recognised (RFC 5322 3.6.4). */
  id: string;
}

/** The mail server refused this recipient or this mail for good (5xx). Sending it again does not help. */
export class MailRefused extends Error {
  /** The message must not hold an address or text of the mail. */
  constructor(message: string) {
    super(message);
    this.name = "MailRefused";
  }
}

/** Sends mails. */
export interface MailTransport {
  /** Resolves once the server has taken the mail. Throws {@linkcode MailRefused}; other errors may be temporary. */
  send(message: MailMessage): Promise<void>;
  /** Aborts the mails that are being sent; their callers get an error. Resolves when all sessions have ended. */
  close(): void | Promise<void>;
}

/** A mail server, as `MAIL_URL` describes it. */
interface MailServer {
  /** Host name or IP address, without brackets. */
  host: string;
  port: number;
  /** TLS from the first byte (RFC 8314) instead of STARTTLS. */
  secure: boolean;
  /** Whether the connection stays on this machine. */
  loopback: boolean;
  credentials?: {
    user: string;
    password: string;
  };
}

/** For tests, and for servers whose certificate comes from a private authority. */
export interface SmtpOptions {
  /** Trusted certificates, PEM, instead of the usual ones. */
  ca?: string;
  /** Limits in milliseconds for the connection, the greeting, each answer, and everything together. */
  timeouts?: { connection: number; greeting: number; socket: number; total: number };
}

const TIMEOUTS = { connection: 10_000, greeting: 10_000, socket: 30_000, total: 90_000 };
const HELP = "write smtp://user:password@mail.example:587 or smtps://user:password@mail.example:465, " +
  "with %40 for an @ in user or password, and so on";

/** Parses `MAIL_URL`. Throws an Error with a sentence for the operator, which does not repeat the URL. */
export function parseMailUrl(text: string): MailServer {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "smtp:" && url?.protocol !== "smtps:") throw new Error(`not a URL of a mail server; ${HELP}`);
  if (/[^/]/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new Error(`nothing may follow the port; ${HELP}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (!/^(?:[a-z0-9.-]+|[0-9a-f:.]*:[0-9a-f:.]*)$/.test(host)) throw new Error(`no name of a mail server; ${HELP}`);
  const secure = url.protocol === "smtps:";
  const server = {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    loopback: ["localhost", "127.0.0.1", "::1"].includes(host),
  };
  if (url.username === "" && url.password === "") return server;
  if (url.username === "" || url.password === "") throw new Error(`user and password belong together; ${HELP}`);
  return { ...server, credentials: { user: decoded(url.username), password: decoded(url.password) } };
}

function decoded(part: string): string {
  let text = "\0";
  try {
    text = decodeURIComponent(part);
  } catch {
    // The check below reports it. The error of decodeURIComponent would not help.
  }
  // AUTH PLAIN separates its fields by NUL, and a line break would start another SMTP command.
  if (/\p{Cc}/u.test(text)) throw new Error(`user or password is not percent-encoded text; ${HELP}`);
  return text;
}

/** Sends through the server at `mailUrl`, one session per mail. `from` is an address, or a name and `<address>`. */
export function smtpTransport(mailUrl: string, from: string, options: SmtpOptions = {}): MailTransport {
  const server = parseMailUrl(mailUrl);
  const sender = parseSender(from);
  const timeouts = options.timeouts ?? TIMEOUTS;
  const domain = sender.address.slice(sender.address.lastIndexOf("@") + 1);
  const running = new Set<AbortController>();
  const ending = new Set<Promise<void>>();
  return {
    send: async (message) => {
      const address = deliverable(message.to);
      // Checked before nodemailer: it also mails to the address after a line break (V19, V67).
      if (address === undefined) throw new MailRefused("the recipient is not an e-mail address");
      if (!/^[\w.-]{1,100}$/.test(message.id)) throw new Error("the id of a mail is letters, digits, dots and hyphens");
      const abort = new AbortController();
      // A timeout for each answer is not enough: a server that sends byte by byte could block the sender for ever.
      const timer = setTimeout(() => abort.abort(), timeouts.total);
      running.add(abort);
      try {
        const session = startSession(connectionOptions(server, domain, timeouts, options.ca), server.credentials, {
          from: sender,
          to: { name: "", address },
          envelope: { from: sender.address, to: [address] },
          subject: plainText(message.subject),
          text: message.text,
          html: message.html,
          messageId: `<${message.id}@${domain}>`,
          // Prevents automatic vacation replies (RFC 3834 5).
          headers: { "Auto-Submitted": "auto-generated" },
        }, abort.signal);
        const ended = session.ended.then(() => void ending.delete(ended));
        ending.add(ended);
        await session.sent;
      } catch (error) {
        throw failure(error as SmtpError);
      } finally {
        clearTimeout(timer);
        running.delete(abort);
      }
    },
    close: async () => {
      for (const abort of running) abort.abort();
      await Promise.all(ending);
    },
  };
}

function connectionOptions(
  server: MailServer,
  domain: string,
  timeouts: NonNullable<SmtpOptions["timeouts"]>,
  ca: string | undefined,
): SMTPConnectionOptions {
  return {
    host: server.host,
    port: server.port,
    secure: server.secure,
    // If the server hides STARTTLS, or an attacker on the network removes it, neither password nor mail is sent.
    requireTLS: !server.secure && !server.loopback,
    // On loopback there is no attacker: plain text is enough, and local servers have self-signed certificates.
    tls: { rejectUnauthorized: server.secure || !server.loopback, minVersion: "TLSv1.2", ...(ca && { ca }) },
    // Our name for the server. Otherwise nodemailer reads the machine's name, which is private and needs a permission.
    name: domain,
    connectionTimeout: timeouts.connection,
    dnsTimeout: timeouts.connection,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.socket,
  };
}

/** The sender in parts that nodemailer does not parse: an app called "Ada, Inc" is one sender, not two. */
function parseSender(from: string): { name: string; address: string } {
  const [, name, bracketed] = /^(.*)<([^<>]*)>\s*$/s.exec(from) ?? [undefined, "", from];
  const address = deliverable(bracketed.trim());
  if (address === undefined) throw new Error("the sender is not an e-mail address; write no-reply@app.example");
  return { name: plainText(name), address };
}

/**
 * The address for the envelope: the local part as typed, the domain as in the key. Only one rule converts it, so that
 * no other Unicode conversion sends the mail to another mailbox than that of the key (V44).
 */
function deliverable(email: string): string | undefined {
  const key = emailKeyOrUndefined(email);
  return key && `${email.normalize("NFC").split("@")[0]}${key.slice(key.lastIndexOf("@"))}`;
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

/**
 * An error without secrets. Servers quote addresses and, in spam reports, links; so only the codes of an answer are
 * kept. A refusal of the recipient or the mail is final. After a refusal of our login or sender, the operator can fix
 * it, and the mail can be sent then. 503 and 530 to 539 are about the session, at any command.
 */
function failure(error: SmtpError): Error {
  const status = error.responseCode ?? 0;
  const said = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/.exec(error.response ?? "")?.[0].replace("-", " ");
  if (said !== undefined) {
    const sentence = `the mail server answered ${said} to ${error.command ?? "the connection"}`;
    const lasting = status >= 500 && status !== 503 && !(status >= 530 && status < 540);
    return lasting && ["RCPT TO", "DATA"].includes(error.command!) ? new MailRefused(sentence) : new Error(sentence);
  }
  if (error.code === "EABORT") return new Error("the mail server took too long, or the service is stopping");
  const why = error.response === undefined ? plainText(error.message).slice(0, 200) : "an answer that is not SMTP";
  return new Error(`the mail server could not be used: ${error.code ?? error.name}: ${why}`);
}
