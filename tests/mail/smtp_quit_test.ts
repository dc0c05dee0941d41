/**
 * The end of SMTP sessions: every session ends with QUIT, or the reason why it must not, and all end in bounded time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type SmtpOptions, smtpTransport } from "../../auth/runtime/smtp.ts";

const MESSAGE = { to: "ada@example.com", subject: "Hello", text: "Hello\n", html: "<p>Hello</p>", id: "019ab-1" };

/** A server that answers by a script, and keeps what clients say. */
interface ScriptedServer extends AsyncDisposable {
  url: string;
  /** The verbs that clients sent, in order. The text of a mail is the word "mail". */
  said: string[];
  /** The connections that are open. */
  open: ReadonlySet<unknown>;
  /** Resolves when as many connections have ended. */
  ended(count: number): Promise<void>;
}

/** Answers of the server by verb, after the usual ones. Undefined: no answer at all. */
type Answers = Record<string, string | undefined>;

const USUAL: Answers = {
  greeting: "220 mail.test",
  EHLO: "250 mail.test",
  AUTH: "235 2.7.0 ok",
  MAIL: "250 ok",
  RCPT: "250 ok",
  DATA: "354 go on",
  mail: "250 taken",
  QUIT: "221 bye",
};

function startScripted(more: Answers = {}): ScriptedServer {
  const answers = { ...USUAL, ...more };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const said: string[] = [];
  const open = new Set<Deno.Conn>(), waiting = new Set<() => void>();
  let closed = 0;
  const serve = async (connection: Deno.Conn): Promise<void> => {
    open.add(connection);
    const answer = async (verb: string): Promise<void> => {
      const text = answers[verb];
      if (text !== undefined) await connection.write(new TextEncoder().encode(`${text}\r\n`));
    };
    let inside = false;
    try {
      await answer("greeting");
      let rest = "";
      for await (const text of connection.readable.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\r\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (inside && line !== ".") continue;
          const verb: string = inside ? "mail" : line.split(" ")[0];
          said.push(verb);
          inside = verb === "DATA" && answers.DATA?.startsWith("3") === true;
          await answer(verb);
          if (verb === "QUIT" && answers.QUIT !== undefined) connection.close();
        }
      }
    } catch {
      // The connection was closed by one of the two.
    }
    open.delete(connection);
    closed++;
    for (const look of waiting) look();
  };
  void (async () => {
    for await (const connection of listener) void serve(connection);
  })();
  return {
    url: `smtp://127.0.0.1:${listener.addr.port}`,
    said,
    open,
    ended: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (closed >= count) resolve();
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // It is closed already.
        }
      }
      await Promise.resolve();
    },
  };
}

function transportOf(server: ScriptedServer, credentials = "", options: SmtpOptions = {}) {
  return smtpTransport(server.url.replace("//", `//${credentials}`), "no-reply@app.example", options);
}

Deno.test("B9: a session ends with QUIT after the mail was taken", async () => {
  await using server = startScripted();
  await transportOf(server).send(MESSAGE);
  await server.ended(1);
  assert.deepEqual(server.said, ["EHLO", "MAIL", "RCPT", "DATA", "mail", "QUIT"]);
});

Deno.test("B9: a session ends with QUIT after each refusal, also of the greeting and of the login", async () => {
  const refusals: [Answers, string][] = [
    [{ greeting: "554 5.3.2 not now" }, "the connection"],
    [{ MAIL: "550 5.7.1 no" }, "MAIL FROM"],
    [{ RCPT: "450 4.2.1 later" }, "RCPT TO"],
    [{ RCPT: "550 5.1.1 nobody" }, "RCPT TO"],
    [{ DATA: "452 4.3.1 full" }, "DATA"],
    [{ mail: "554 5.7.1 spam" }, "DATA"],
    [
      { EHLO: "250-mail.test\r\n250-PIPELINING\r\n250 HELP", RCPT: "550 5.1.1 nobody", DATA: "503 5.5.1 no" },
      "RCPT TO",
    ],
    [{ EHLO: "250-mail.test\r\n250 AUTH PLAIN", AUTH: "535 5.7.8 wrong" }, "AUTH PLAIN"],
  ];
  for (const [answers, at] of refusals) {
    await using server = startScripted(answers);
    const transport = transportOf(server, answers.AUTH === undefined ? "" : "post:secret@");
    const error: Error = await transport.send(MESSAGE).then(() => assert.fail("taken"), (reason) => reason);
    assert.match(error.message, new RegExp(`^the mail server answered .* to ${at === "the connection" ? "" : at}`));
    await server.ended(1);
    assert.equal(server.said.at(-1), "QUIT", `${at}: ${server.said}`);
    assert.equal(server.said.filter((verb) => verb === "QUIT").length, 1);
  }
});

Deno.test("B9: a stop during a session ends it with QUIT, and inside a mail by closing the connection", async () => {
  for (const silent of ["EHLO", "MAIL", "RCPT", "DATA"]) {
    await using server = startScripted({ [silent]: undefined });
    const transport = transportOf(server);
    const sending = transport.send(MESSAGE).then(() => assert.fail("taken"), (reason: Error) => reason);
    while (server.said.at(-1) !== silent) await new Promise((resolve) => setTimeout(resolve, 2));
    await transport.close();
    assert.match((await sending).message, /stopping/);
    await server.ended(1);
    assert.equal(server.said.at(-1), "QUIT", silent);
  }
  // Here QUIT would be text of the mail.
  await using server = startScripted({ mail: undefined });
  const transport = transportOf(server);
  const sending = transport.send(MESSAGE).then(() => assert.fail("taken"), (reason: Error) => reason);
  while (server.said.at(-1) !== "mail") await new Promise((resolve) => setTimeout(resolve, 2));
  await transport.close();
  assert.match((await sending).message, /stopping/);
  await server.ended(1);
  assert.equal(server.said.at(-1), "mail");
});

Deno.test("B9: before the greeting the client says nothing", async () => {
  await using server = startScripted({ greeting: undefined });
  const transport = transportOf(server);
  const sending = transport.send(MESSAGE).then(() => assert.fail("taken"), (reason: Error) => reason);
  while (server.open.size === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await transport.close();
  await sending;
  await server.ended(1);
  assert.deepEqual(server.said, []);
});

Deno.test("B9: a server that does not answer QUIT delays neither the mail nor a stop for ever", async () => {
  await using server = startScripted({ QUIT: undefined });
  // No other limit than that of QUIT ends this session.
  const day = 24 * 60 * 60_000;
  const timeouts = { connection: day, greeting: day, socket: day, total: day };
  const transport = transportOf(server, "", { timeouts });
  await transport.send(MESSAGE);
  await transport.close();
  await server.ended(1);
  assert.equal(server.said.at(-1), "QUIT");
});

Deno.test("B9: closing the transport waits for the answer to QUIT", async () => {
  await using server = startScripted();
  const transport = transportOf(server);
  await Promise.all([1, 2, 3].map((id) => transport.send({ ...MESSAGE, id: String(id) })));
  await transport.close();
  assert.equal(server.said.filter((verb) => verb === "QUIT").length, 3);
});
