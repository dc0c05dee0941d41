/**
 * An SMTP server on loopback for the tests: it keeps the mails that arrive and misbehaves on request. Must not forward
 * a mail.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";

/** How the server treats the next clients: `ok`, no greeting, cut after the mail was accepted, or a refusal. */
type SmtpBehaviour = "ok" | "slow" | "cut" | number | SmtpRefusal;

/** How long smtp-server waits before its greeting, in milliseconds. */
const EARLY_TALKERS = 100;

/** A refusal of one SMTP command; a bare number refuses RCPT TO. */
interface SmtpRefusal {
  at: "MAIL FROM" | "RCPT TO" | "DATA";
  /** The code of the reply, 400 to 599. */
  code: number;
  text?: string;
}

/** A mail as it arrived. */
export interface ParsedMail {
  /** The address of MAIL FROM. */
  sender: string;
  /** The addresses of RCPT TO. */
  recipients: string[];
  /** Whether it came over TLS. */
  secure: boolean;
  /** The name that the client gave in EHLO or HELO. */
  client: string;
  /** The name of the login, if there was one. */
  user?: string;
  /** The whole mail. */
  raw: string;
  /** The decoded subject. */
  subject: string;
  /** The plain text part. */
  text: string;
  /** The HTML part. */
  html: string;
  /** The Message-ID, with its brackets. */
  messageId: string;
  /** A decoded header by its name, or undefined. */
  header(name: string): string | undefined;
}

/** Options of the server. */
export interface SmtpServerOptions {
  /** 127.0.0.1 when absent. The service treats 127.0.0.1 as loopback and 127.0.0.2 as a remote host. */
  host?: "127.0.0.1" | "127.0.0.2";
  /** A free port when absent. */
  port?: number;
  /** No TLS, STARTTLS, or TLS from the first byte; none when absent. */
  tls?: "none" | "starttls" | "implicit";
  /** When set, clients must log in with these. */
  credentials?: { user: string; password: string };
  /** How long it takes before each answer, in milliseconds. */
  delay?: number;
}

/** A running server. */
export interface TestSmtpServer {
  /** MAIL_URL of the server, with the credentials. */
  url: string;
  /** Its certificate, PEM. */
  ca?: string;
  /** The mails that arrived, oldest first. */
  mails: ParsedMail[];
  /** Tests set it to change what the server does next. */
  behave: SmtpBehaviour;
  /** How many clients connected. */
  connections: number;
  /** Resolves with all mails once this many arrived. */
  arrived(count: number): Promise<ParsedMail[]>;
  /** Stops the server and cuts its connections. */
  stop(): Promise<void>;
}

/** Starts a server on loopback. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<TestSmtpServer> {
  const { host = "127.0.0.1", tls = "none", credentials, delay = 0 } = options;
  const later = (answer: () => void): void => void (delay === 0 ? answer() : setTimeout(answer, delay));
  const certificate = tls === "none" ? undefined : await selfMadeCertificate();
  const held = new Set<() => void>();
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    // Without these names it would look up the machine's name and the clients' names in the network.
    name: "mail.test",
    disableReverseLookup: true,
    secure: tls === "implicit",
    ...(certificate && { key: certificate.key, cert: certificate.cert }),
    disabledCommands: [...(tls === "none" ? ["STARTTLS"] : []), ...(credentials ? [] : ["AUTH"])],
    authOptional: credentials === undefined,
    logger: false,
    closeTimeout: 1,
    onConnect: (_session, callback) => {
      running.connections++;
      if (running.behave === "slow") held.add(callback);
      else later(callback);
    },
    onAuth: ({ username, password }, _session, callback) => {
      if (username === credentials?.user && password === credentials?.password) callback(null, { user: username });
      else callback(refusal(535, "5.7.8 Authentication credentials invalid"));
    },
    onMailFrom: (_address, _session, callback) => later(() => callback(refusalAt("MAIL FROM", running.behave))),
    onRcptTo: (_address, _session, callback) => later(() => callback(refusalAt("RCPT TO", running.behave))),
    onData: async (stream, session, callback) => {
      const mail = await parse(stream, session);
      await new Promise<void>(later);
      const refused = refusalAt("DATA", running.behave);
      if (refused) return callback(refused);
      running.mails.push(mail);
      for (const look of waiting) look();
      if (running.behave === "cut") cut(server, session.id);
      else callback();
    },
  });
  // Clients that disconnect during a command are part of the tests.
  server.on("error", () => {});
  let accepted = 0;
  server.server.on("connection", () => accepted++);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, host, () => resolve()));
  const { port } = server.server.address() as { port: number };
  const user = credentials && `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`;
  const running: TestSmtpServer = {
    url: `${tls === "implicit" ? "smtps" : "smtp"}://${user ?? ""}${host}:${port}`,
    ca: certificate?.cert,
    mails: [],
    behave: "ok",
    connections: 0,
    arrived: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (running.mails.length < count) return;
          waiting.delete(look);
          resolve([...running.mails]);
        };
        waiting.add(look);
        look();
      }),
    stop: async () => {
      for (const connection of server.connections) cut(server, connection.id);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      // The library waits for early talkers with a timer that nothing ends. Deno's leak check would find it.
      if (accepted > running.connections) await new Promise((resolve) => setTimeout(resolve, EARLY_TALKERS));
    },
  };
  return running;
}

function cut(server: SMTPServer, id: string): void {
  for (const connection of server.connections) {
    if (connection.id === id) connection._socket?.destroy();
  }
}

function refusalAt(command: SmtpRefusal["at"], behave: SmtpBehaviour): Error | null {
  const refused = typeof behave === "number" ? { at: "RCPT TO", code: behave, text: undefined } : behave;
  if (typeof refused === "string" || refused.at !== command) return null;
  return refusal(refused.code, refused.text ?? `${Math.trunc(refused.code / 100)}.1.1 no`);
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

async function parse(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<ParsedMail> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const mail = await PostalMime.parse(bytes);
  return {
    sender: session.envelope.mailFrom === false ? "" : session.envelope.mailFrom.address,
    recipients: session.envelope.rcptTo.map(({ address }) => address),
    secure: session.secure,
    client: session.hostNameAppearsAs,
    user: session.user,
    raw: bytes.toString(),
    subject: mail.subject ?? "",
    text: mail.text ?? "",
    html: mail.html ?? "",
    messageId: mail.messageId ?? "",
    header: (name) => mail.headers.find(({ key }) => key === name.toLowerCase())?.value,
  };
}

let made: Promise<{ key: string; cert: string }> | undefined;

/** A certificate for the loopback addresses, made once a run; nothing else trusts it. */
function selfMadeCertificate(): Promise<{ key: string; cert: string }> {
  return made ??= makeCertificate();
}

async function makeCertificate(): Promise<{ key: string; cert: string }> {
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2";
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-"];
  const { stdout, stderr, success } = await new Deno.Command("openssl", {
    args: ["req", "-x509", ...key, "-days", "2", "-subj", "/CN=mail.test", "-addext", names],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl made no certificate: ${new TextDecoder().decode(stderr)}`);
  const pem = new TextDecoder().decode(stdout);
  const [, keyText] = /(-----BEGIN PRIVATE KEY-----[^]*-----END PRIVATE KEY-----)/.exec(pem)!;
  const [, cert] = /(-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----)/.exec(pem)!;
  return { key: keyText, cert };
}
