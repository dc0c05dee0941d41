/**
 * Sending a mail to a real SMTP server on loopback that works, is slow or down, refuses, or cuts the connection.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  MailRefused,
  type MailTransport,
  parseMailUrl,
  type SmtpOptions,
  smtpTransport,
} from "../../auth/runtime/smtp.ts";
import { type SmtpServerOptions, startSmtpServer, type TestSmtpServer } from "../kit/process/smtp_server.ts";

const FROM = "Bienvenue <no-reply@app.example>";
const CREDENTIALS = { user: "post@app.example", password: "t4rt1fl3tt3 @#%/é" };
const SECRET_LINK = "https://app.example/reset?token=c4n4ry";

function message(to = "ada@example.com", subject = "Grüße"): Parameters<MailTransport["send"]>[0] {
  const html = `<p>Viele Grüße</p><a href="${SECRET_LINK}">hier</a>`;
  return { to, subject, text: `Viele Grüße\n${SECRET_LINK}\n.\nEnde\n`, html, id: "019ab-1" };
}

/** The error of a sending. It must contain no password, address or text of the mail. */
async function failureOf(sending: Promise<void>): Promise<Error> {
  const error: Error = await sending.then(() => assert.fail("the mail was taken"), (reason) => reason);
  const shown = Deno.inspect(error, { depth: 10 }) + JSON.stringify(error, Object.getOwnPropertyNames(error));
  const encoded = [CREDENTIALS.password, encodeURIComponent(CREDENTIALS.password), btoa("t4rt1fl3tt3")];
  for (const secret of [...encoded, "t4rt1fl3tt3", "c4n4ry", "Viele", "ada@example.com"]) {
    assert(!shown.includes(secret), `${secret} stands in ${shown}`);
  }
  return error;
}

function temporary(error: Error, like: RegExp): void {
  assert(!(error instanceof MailRefused), error.message);
  assert.match(error.message, like);
}

type Mailing = { server: TestSmtpServer; open(settings?: { url?: string } & SmtpOptions): MailTransport };

function testMail(name: string, options: SmtpServerOptions, work: (mailing: Mailing) => Promise<void>): void {
  Deno.test(name, async () => {
    const server = await startSmtpServer(options);
    try {
      const open: Mailing["open"] = ({ url = server.url, ...rest } = {}) =>
        smtpTransport(url, FROM, { ca: server.ca, ...rest });
      await work({ server, open });
    } finally {
      await server.stop();
    }
  });
}

testMail("a mail arrives as text and HTML, with the app's sender and a Message-ID", {}, async ({ server, open }) => {
  await open().send(message());
  const [mail] = server.mails;
  assert.deepEqual([mail.sender, mail.recipients], ["no-reply@app.example", ["ada@example.com"]]);
  assert.equal(mail.subject, "Grüße");
  assert.match(mail.text, /^Viele Grüße\r?\nhttps:\/\/app\.example\/reset\?token=c4n4ry\r?\n\.\r?\nEnde/);
  assert(mail.html.includes(`href="${SECRET_LINK}"`));
  assert.equal(mail.header("from"), FROM);
  assert.equal(mail.header("to"), "ada@example.com");
  assert.equal(mail.header("auto-submitted"), "auto-generated");
  assert.equal(mail.messageId, "<019ab-1@app.example>");
  assert.equal(mail.header("list-unsubscribe"), undefined);
  assert.equal(mail.header("x-mailer"), undefined);
  assert.equal(mail.client, "app.example");
});

testMail("a second sending has the same Message-ID", {}, async ({ server, open }) => {
  await open().send(message());
  await open().send(message());
  const [first, second] = server.mails.map((mail) => mail.messageId);
  assert.equal(first, second);
});

testMail("an app's name with commas, quotes and line breaks remains one sender", {}, async ({ server }) => {
  const name = 'Ada, "Inc"\r\nBcc: evil@evil.example <x';
  await smtpTransport(server.url, `${name} <no-reply@app.example>`).send(message());
  const [mail] = server.mails;
  assert.deepEqual([mail.sender, mail.recipients], ["no-reply@app.example", ["ada@example.com"]]);
  assert.equal(mail.header("bcc"), undefined);
  assert.equal(mail.raw.match(/^From:/gm)!.length, 1);
  assert.match(mail.raw, /^From: .*<no-reply@app\.example>\r\n/m);
});

testMail("V19: a subject with line breaks adds no header", {}, async ({ server, open }) => {
  await open().send(message("ada@example.com", "Hello\r\nBcc: evil@evil.example\r\n\r\nbody"));
  const [mail] = server.mails;
  assert.deepEqual(mail.recipients, ["ada@example.com"]);
  assert.equal(mail.header("bcc"), undefined);
  assert.equal(mail.subject, "Hello Bcc: evil@evil.example body");
});

testMail("V19, V67: an invalid address is refused without a connection", {}, async ({ server, open }) => {
  const transport = open();
  for (
    const to of [
      "b@x.test\r\nBcc: evil@evil.example",
      "b@x.test, evil@evil.example",
      "b@x.test;evil@evil.example",
      "Ada <b@x.test>",
      '"b@evil.example x"@x.test',
      "b@evil.example＠x.test",
      "",
      "(".repeat(10_000) + "b@x.test",
      "b@" + "(".repeat(10_000),
      "mıke@x.test",
    ]
  ) {
    assert(await failureOf(transport.send(message(to))) instanceof MailRefused, to.slice(0, 50));
  }
  assert.equal(server.connections, 0);
});

Deno.test("V67: an address of 10,000 parentheses is refused before nodemailer is loaded", async () => {
  const code = `
    import { smtpTransport } from ${JSON.stringify(import.meta.resolve("../../auth/runtime/smtp.ts"))};
    const transport = smtpTransport("smtp://127.0.0.1:1", "no-reply@app.example");
    for (const to of ["(".repeat(10_000) + "b@x.test", "b@x.test"]) {
      await transport.send({ to, subject: "", text: "", html: "", id: "1" }).catch((error) => console.log(error.name, error.message));
    }
  `;
  const args = ["run", "--no-prompt", "--no-npm", "--no-lock", "--allow-read", "--allow-net=127.0.0.1", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { stdout } = await child.output();
  // The second line proves that the check works: for a valid address nodemailer is looked for.
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^MailRefused/);
  assert.match(lines[1], /^Error .*npm specifiers/);
});

testMail("V44: mail goes to the normalised domain, however its letters were typed", {}, async (mailing) => {
  await mailing.open().send(message("Ada+List@ＥＸＡＭＰＬＥ.com"));
  await mailing.open().send(message("ada@bücher.example"));
  // The header as sent: the test server decodes the domain of the envelope.
  const headers = mailing.server.mails.map((mail) => /^To: (.*)\r$/m.exec(mail.raw)![1]);
  assert.deepEqual(headers, ["Ada+List@example.com", "ada@xn--bcher-kva.example"]);
});

const STRANGER: SmtpServerOptions = { host: "127.0.0.2", tls: "starttls", credentials: CREDENTIALS };

testMail("a mail goes over STARTTLS with user and password", STRANGER, async ({ server, open }) => {
  await open().send(message());
  const [mail] = server.mails;
  assert.deepEqual([mail.secure, mail.user], [true, CREDENTIALS.user]);
});

testMail("smtps:// uses TLS from the first byte", { ...STRANGER, tls: "implicit" }, async ({ server, open }) => {
  await open().send(message());
  const [mail] = server.mails;
  assert.deepEqual([mail.secure, mail.user], [true, CREDENTIALS.user]);
});

testMail("a server with an untrusted certificate gets no password and no mail", STRANGER, async ({ server, open }) => {
  temporary(await failureOf(open({ ca: undefined }).send(message())), /certificate|UnknownIssuer/i);
  assert.equal(server.mails.length, 0);
});

testMail("smtps:// checks the certificate on loopback too", { tls: "implicit" }, async ({ server, open }) => {
  temporary(await failureOf(open({ ca: undefined }).send(message())), /certificate|UnknownIssuer/i);
  assert.equal(server.mails.length, 0);
});

testMail(
  "a remote server without STARTTLS gets neither password nor mail",
  { host: "127.0.0.2", credentials: CREDENTIALS },
  async ({ server, open }) => {
    temporary(await failureOf(open().send(message())), /STARTTLS/);
    assert.equal(server.mails.length, 0);
  },
);

testMail(
  "a server on loopback with a self-signed certificate gets mail",
  { tls: "starttls", credentials: CREDENTIALS },
  async ({ server, open }) => {
    await open({ ca: undefined }).send(message());
    assert.equal(server.mails[0].user, CREDENTIALS.user);
  },
);

testMail("a wrong password for the mail server is a temporary failure", STRANGER, async ({ server, open }) => {
  const url = server.url.replace(/:[^:@]*@/, ":t4rt1fl3tt3-wrong@");
  temporary(await failureOf(open({ url }).send(message())), /^the mail server answered 535 5\.7\.8 to AUTH PLAIN$/);
  assert.equal(server.mails.length, 0);
});

testMail("with a password, no mail goes to a server that does not offer AUTH", {}, async ({ server, open }) => {
  const url = server.url.replace("//", "//post:t4rt1fl3tt3@");
  temporary(await failureOf(open({ url }).send(message())), /AUTH/);
  assert.equal(server.mails.length, 0);
});

testMail("the error tells 4xx from 5xx, and at which SMTP command it came", {}, async ({ server, open }) => {
  const transport = open();
  const echo = "5.7.1 spam: ada@example.com wrote https://app.example/reset?token=c4n4ry";
  const answers = [
    { at: "RCPT TO", code: 450, lasting: false },
    { at: "RCPT TO", code: 550, lasting: true },
    { at: "DATA", code: 452, lasting: false },
    { at: "DATA", code: 554, lasting: true },
    { at: "MAIL FROM", code: 451, lasting: false },
    // Our own address or login is wrong: the mail can be sent once the operator has corrected it.
    { at: "MAIL FROM", code: 550, lasting: false },
    { at: "RCPT TO", code: 530, lasting: false },
    { at: "RCPT TO", code: 503, lasting: false },
  ] as const;
  for (const { at, code, lasting } of answers) {
    server.behave = { at, code, text: echo };
    const error = await failureOf(transport.send(message()));
    assert.equal(error instanceof MailRefused, lasting, `${at} ${code}`);
    assert.equal(error.message, `the mail server answered ${code} 5.7.1 to ${at}`);
  }
  assert.equal(server.mails.length, 0);
  server.behave = "ok";
  await transport.send(message());
  assert.equal(server.mails.length, 1);
});

testMail("F11: a connection cut after the mail was accepted is tried again", {}, async ({ server, open }) => {
  const transport = open();
  server.behave = "cut";
  temporary(await failureOf(transport.send(message())), /ECONNECTION|ESOCKET/);
  server.behave = "ok";
  await transport.send(message());
  const ids = server.mails.map((mail) => mail.messageId);
  assert.deepEqual(ids, ["<019ab-1@app.example>", "<019ab-1@app.example>"]);
});

testMail("F11: a server that sends no greeting is given up", {}, async ({ server, open }) => {
  server.behave = "slow";
  const timeouts = { connection: 5_000, greeting: 50, socket: 5_000, total: 5_000 };
  temporary(await failureOf(open({ timeouts }).send(message())), /ETIMEDOUT: Greeting/i);
});

testMail("F11: a whole sending has a time limit, however slow each step", {}, async ({ server, open }) => {
  server.behave = "slow";
  const timeouts = { connection: 5_000, greeting: 5_000, socket: 5_000, total: 50 };
  temporary(await failureOf(open({ timeouts }).send(message())), /took too long/);
});

testMail("closing the transport interrupts a sending", {}, async ({ server, open }) => {
  server.behave = "slow";
  const transport = open();
  const sending = failureOf(transport.send(message()));
  while (server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  transport.close();
  temporary(await sending, /stopping/);
});

testMail("F11: a server that is down is tried again later", {}, async ({ server, open }) => {
  const transport = open();
  await server.stop();
  temporary(await failureOf(transport.send(message())), /ECONNREFUSED|refused/i);
  const again = await startSmtpServer({ port: Number(new URL(server.url).port) });
  try {
    await transport.send(message());
    assert.equal(again.mails.length, 1);
  } finally {
    await again.stop();
  }
});

Deno.test("MAIL_URL gives host, port, TLS, user and password", () => {
  const server = { host: "mail.example", port: 587, secure: false, loopback: false };
  assert.deepEqual(parseMailUrl("smtp://mail.example"), server);
  assert.deepEqual(parseMailUrl("SMTP://Mail.Example:2525/"), { ...server, port: 2525 });
  assert.deepEqual(parseMailUrl("smtps://mail.example"), { ...server, port: 465, secure: true });
  assert.deepEqual(parseMailUrl("smtp://a%40b.example:p%2Fw%3A%40@mail.example"), {
    ...server,
    credentials: { user: "a@b.example", password: "p/w:@" },
  });
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    assert.deepEqual(parseMailUrl(`smtp://${host}:1025`).loopback, true, host);
  }
  for (const host of ["127.0.0.2", "localhost.evil.example", "[2001:db8::1]", "0.0.0.0"]) {
    assert.equal(parseMailUrl(`smtp://${host}`).loopback, false, host);
  }
});

Deno.test("an invalid MAIL_URL is refused with a message that does not repeat it", () => {
  for (
    const url of [
      "",
      "c4n4ry",
      "http://post:c4n4ry@mail.example",
      "smtp:mail.example",
      "smtp://",
      "smtp://post:c4n4ry@",
      "smtp://post:c4n4ry@mail.example:99999",
      "smtp://post:c4n4ry@mail.example/path",
      "smtp://post:c4n4ry@mail.example?x",
      "smtp://post:c4n4ry@mail.example#x",
      "smtp://post@mail.example",
      "smtp://:c4n4ry@mail.example",
      "smtp://post:c4n4ry%@mail.example",
      "smtp://post:c4n4ry%0d%0aQUIT@mail.example",
      "smtp://post:c4n4ry%00@mail.example",
      "smtp://post:c4n4ry@mail%0aexample",
      "smtp://post:c4n4ry#@mail.example",
      "smtp://post:c4n4ry/@mail.example",
      "smtp://mail_example",
      "smtp://mail.example c4n4ry",
    ]
  ) {
    assert.throws(() => parseMailUrl(url), (error: Error) => {
      assert.match(error.message, /write smtp:\/\/user:password@/, url);
      assert(!Deno.inspect(error).includes("c4n4ry"), url);
      return true;
    }, url);
  }
});

Deno.test("an invalid sender address is refused at once", () => {
  for (const from of ["", "Bienvenue", "Bienvenue <>", "a@b.example, c@d.example", "Bienvenue <a@b.example> <c>"]) {
    assert.throws(() => smtpTransport("smtp://localhost", from), /the sender is not an e-mail address/, from);
  }
});

Deno.test("sending needs only the permission for the network", {
  permissions: { net: true, run: false, read: false, env: false, sys: false, write: false, ffi: false },
}, async () => {
  const server = await startSmtpServer();
  try {
    await smtpTransport(server.url.replace("127.0.0.1", "localhost"), FROM).send(message());
    assert.equal(server.mails.length, 1);
  } finally {
    await server.stop();
  }
});
