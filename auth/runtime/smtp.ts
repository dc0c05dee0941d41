/**
 * Hands mails to the operator's mail server over SMTP. Must not decide when or how often: whoever calls does. Nothing
 * that it throws holds a password, an address or a word of a mail.
 *
 * @module
 */
import type { Transporter } from "nodemailer";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { plainText } from "../text.ts";

/** One mail to one person. */
export interface MailMessage {
  /** The address as it is stored. */
  to: string;
  /** One line. */
  subject: string;
  /** The mail for who reads text. */
  text: string;
  /** The mail for who reads HTML. */
  html: string;
  /** Names this mail, also when it is sent a second time, so that a duplicate can be recognised (RFC 5322 3.6.4). */
  id: string;
}

/** The mail server said a lasting no (5xx) to this recipient or this mail: sending it again is of no use. */
export class MailRefused extends Error {
  /** Takes a sentence without address or text. */
  constructor(message: string) {
    super(message);
    this.name = "MailRefused";
  }
}

/** A way out for mails. */
export interface MailTransport {
  /** Resolves once the server has taken the mail. Throws {@linkcode MailRefused}; anything else may pass by itself. */
  send(message: MailMessage): Promise<void>;
  /** Breaks off what is being sent; its senders get an error. */
  close(): void;
}

/** A mail server, out of `MAIL_URL`. */
export interface MailServer {
  /** Name or address, without brackets. */
  host: string;
  /** TCP port. */
  port: number;
  /** TLS from the first byte (RFC 8314), not by STARTTLS. */
  secure: boolean;
  /** Whether the connection never leaves this machine. */
  loopback: boolean;
  /** Who we are there. */
  credentials?: {
    /** The user. */
    user: string;
    /** The password. */
    password: string;
  };
}

/** For tests, and for servers whose certificate comes from an authority of their own. */
export interface SmtpOptions {
  /** Certificates to trust, PEM, in place of the usual ones. */
  ca?: string;
  /** How long to wait for a connection, for the greeting, for each answer, and for all of it, in milliseconds. */
  timeouts?: { connection: number; greeting: number; socket: number; total: number };
}

const TIMEOUTS = { connection: 10_000, greeting: 10_000, socket: 30_000, total: 90_000 };
const HELP = "write smtp://user:password@mail.example:587 or smtps://user:password@mail.example:465, " +
  "with %40 for an @ in user or password, and so on";

/** What `MAIL_URL` means. Throws an Error with a sentence for the operator, which does not repeat the URL. */
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
    // Said below; the error of decodeURIComponent says nothing that helps.
  }
  // SMTP's AUTH PLAIN separates by NUL, and a line break would be a command of its own.
  if (/\p{Cc}/u.test(text)) throw new Error(`user or password is not percent-encoded text; ${HELP}`);
  return text;
}

/** Sends through the server at `mailUrl`, a connection a mail. `from` is an address, or a name and `<address>`. */
export function smtpTransport(mailUrl: string, from: string, options: SmtpOptions = {}): MailTransport {
  const server = parseMailUrl(mailUrl);
  const sender = parseSender(from);
  const timeouts = options.timeouts ?? TIMEOUTS;
  const domain = sender.address.slice(sender.address.lastIndexOf("@") + 1);
  const running = new Set<AbortController>();
  let opened: Promise<Transporter> | undefined;
  return {
    send: async (message) => {
      const address = deliverable(message.to);
      // Before nodemailer sees it: given a line break in an address it mails to whoever stands behind it (V19, V67).
      if (address === undefined) throw new MailRefused("the recipient is not an e-mail address");
      if (!/^[\w.-]{1,100}$/.test(message.id)) throw new Error("the id of a mail is letters, digits, dots and hyphens");
      const abort = new AbortController();
      // Timeouts for each answer alone let a server that drips bytes hold the sender for ever.
      const timer = setTimeout(() => abort.abort(), timeouts.total);
      running.add(abort);
      try {
        const transporter = await (opened ??= open(server, domain, timeouts, options.ca));
        await transporter.sendMail({
          from: sender,
          to: { name: "", address },
          envelope: { from: sender.address, to: [address] },
          subject: plainText(message.subject),
          text: message.text,
          html: message.html,
          messageId: `<${message.id}@${domain}>`,
          // So that no vacation answer comes back (RFC 3834 5).
          headers: { "Auto-Submitted": "auto-generated" },
          xMailer: false,
          signal: abort.signal,
        });
      } catch (error) {
        throw failure(error as SmtpError);
      } finally {
        clearTimeout(timer);
        running.delete(abort);
      }
    },
    close: () => {
      for (const abort of running) abort.abort();
    },
  };
}

/** Loads nodemailer, so that a service without mail starts without it. */
async function open(
  server: MailServer,
  domain: string,
  timeouts: NonNullable<SmtpOptions["timeouts"]>,
  ca: string | undefined,
): Promise<Transporter> {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    host: server.host,
    port: server.port,
    secure: server.secure,
    // A server that hides STARTTLS, or somebody on the way who strips it, gets neither password nor mail.
    requireTLS: !server.secure && !server.loopback,
    // On loopback nobody is on the way, plain text would do, and local servers have certificates of their own making.
    tls: { rejectUnauthorized: server.secure || !server.loopback, minVersion: "TLSv1.2", ...(ca && { ca }) },
    ...(server.credentials && {
      auth: { user: server.credentials.user, pass: server.credentials.password },
      forceAuth: true,
    }),
    // What we call ourselves to the server; without it nodemailer asks the machine for its name, which is nobody's
    // business and takes a permission.
    name: domain,
    connectionTimeout: timeouts.connection,
    dnsTimeout: timeouts.connection,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.socket,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** The sender as nodemailer takes it without parsing: an app called "Ada, Inc" is one sender, not two. */
function parseSender(from: string): { name: string; address: string } {
  const [, name, bracketed] = /^(.*)<([^<>]*)>\s*$/s.exec(from) ?? [undefined, "", from];
  const address = deliverable(bracketed.trim());
  if (address === undefined) throw new Error("the sender is not an e-mail address; write no-reply@app.example");
  return { name: plainText(name), address };
}

/**
 * The address for the envelope: the local part as typed, the domain as it was checked and keyed. Converted once and by
 * one rule, so that no other program's idea of Unicode sends mail where the key does not point (V44).
 */
function deliverable(email: string): string | undefined {
  const key = emailKeyOrUndefined(email);
  return key && `${email.normalize("NFC").split("@")[0]}${key.slice(key.lastIndexOf("@"))}`;
}

/** What nodemailer throws. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

/**
 * The error without anything secret: of the server's answer only its codes, since servers quote addresses and, when
 * they take a mail for spam, links. A no to the recipient or the mail lasts; one to our login or our sender's address
 * is the operator's to mend, and the mail can go then. 503 and 530 to 539 are about the session, whatever they answer.
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
