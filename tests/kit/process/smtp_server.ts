/**
 * A mail server on loopback for the tests: it speaks real SMTP, keeps what arrived, and misbehaves as it is told. Must
 * not pass a mail on to anybody.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";

/** How the server treats the next clients: as it should, never greeting, gone after it took a mail, or saying no. */
export type SmtpBehaviour = "ok" | "slow" | "cut" | number | SmtpRefusal;

/** A no to one command; a bare number is a no to RCPT TO. */
export interface SmtpRefusal {
  /** The command. */
  at: "MAIL FROM" | "RCPT TO" | "DATA";
  /** The answer's code, 400 to 599. */
  code: number;
  /** The answer's text. */
  text?: string;
}

/** A mail as it arrived. */
export interface ParsedMail {
  /** MAIL FROM. */
  sender: string;
  /** RCPT TO. */
  recipients: string[];
  /** Whether it came over TLS. */
  secure: boolean;
  /** What the client called itself. */
  client: string;
  /** Who had logged in. */
  user?: string;
  /** All of it. */
  raw: string;
  /** The decoded subject. */
  subject: string;
  /** The part for who reads text. */
  text: string;
  /** The part for who reads HTML. */
  html: string;
  /** The Message-ID, with its brackets. */
  messageId: string;
  /** A decoded header by its name, or undefined. */
  header(name: string): string | undefined;
}

/** What the server is to be like. */
export interface SmtpServerOptions {
  /** Loopback address; 127.0.0.1 when absent. Only that one is loopback to the service, 127.0.0.2 is a stranger. */
  host?: "127.0.0.1" | "127.0.0.2";
  /** TCP port; a free one when absent. */
  port?: number;
  /** No TLS, STARTTLS, or TLS from the first byte; none when absent. */
  tls?: "none" | "starttls" | "implicit";
  /** Only who logs in with these may send. */
  credentials?: { user: string; password: string };
}

/** A running server. */
export interface TestSmtpServer {
  /** MAIL_URL for it, with the credentials. */
  url: string;
  /** The certificate that it shows, PEM. */
  ca?: string;
  /** What arrived, oldest first. */
  mails: ParsedMail[];
  /** Set it to what the server should do from now on. */
  behave: SmtpBehaviour;
  /** How many clients connected. */
  connections: number;
  /** Resolves with all mails as soon as there are this many. */
  arrived(count: number): Promise<ParsedMail[]>;
  /** Ends it and cuts its connections. */
  stop(): Promise<void>;
}

/** Starts a server on loopback. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<TestSmtpServer> {
  const { host = "127.0.0.1", tls = "none", credentials } = options;
  const certificate = tls === "none" ? undefined : await selfMadeCertificate();
  const held = new Set<() => void>();
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    // Without names of its own it would ask the machine for its name, and the network for its clients'.
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
      else callback();
    },
    onAuth: ({ username, password }, _session, callback) => {
      if (username === credentials?.user && password === credentials?.password) callback(null, { user: username });
      else callback(refusal(535, "5.7.8 Authentication credentials invalid"));
    },
    onMailFrom: (_address, _session, callback) => callback(refusalAt("MAIL FROM", running.behave)),
    onRcptTo: (_address, _session, callback) => callback(refusalAt("RCPT TO", running.behave)),
    onData: async (stream, session, callback) => {
      const mail = await parse(stream, session);
      const refused = refusalAt("DATA", running.behave);
      if (refused) return callback(refused);
      running.mails.push(mail);
      for (const look of waiting) look();
      if (running.behave === "cut") cut(server, session.id);
      else callback();
    },
  });
  // Clients that go in the middle of a word are what the tests are about.
  server.on("error", () => {});
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
    stop: () => {
      for (const connection of server.connections) cut(server, connection.id);
      return new Promise((resolve) => server.close(() => resolve()));
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

/** A certificate for the loopback addresses, made once a run; nothing else on the machine trusts it. */
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
