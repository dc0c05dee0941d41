/**
 * Power loss: nothing is acknowledged before it is on the disk. Observed from outside, in the system calls of the
 * service.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { LIMITS } from "../../auth/limits/limits.ts";
import { startSmtpServer } from "../kit/process/smtp_server.ts";
import {
  type DataFolder,
  dataFolder,
  logIn,
  register,
  startService,
  statusOf,
} from "../kit/process/started_service.ts";
import { testWith } from "../kit/programs.ts";

/** Reads and writes of sockets, and syncs to the disk. */
const CALLS = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync";

const straceWorks = ["strace", "-f", "-e", "trace=fsync", "true"];
testWith(
  [straceWorks],
  "F03: a write reaches the disk (fsync) before its request is answered",
  async () => {
    await using data = await dataFolder();
    const trace = `${data.folder}.strace`;
    // With -D the service is our child and strace is the service's child, so that signals reach the service.
    const before = ["strace", "-D", "-f", "-qq", "-y", "-s", "200", "-e", CALLS, "-o", trace];
    await using service = await startService({ ...data.options, before });
    const email = "a@b.cd";
    const send = (method: string, path: string, form?: Record<string, string>, session?: string) =>
      service.send(method, path, form, session);
    assert.equal(await statusOf(send("POST", "/users", { email, password: "old" })), 200);
    const session = await logIn(service, email, "old");
    assert.equal(await statusOf(send("GET", "/profile", undefined, session)), 200);
    const { reset_token } = await (await send("POST", "/reset_password", { email })).json();
    assert.equal(await statusOf(send("DELETE", "/sessions", undefined, session)), 302);
    assert.equal(await statusOf(send("PUT", "/reset_password", { email, reset_token, new_password: "new" })), 200);
    // Guesses until one is refused; the slash distinguishes its path from the login's.
    const guess = () => statusOf(send("POST", "/sessions/", { email, password: "wrong" }));
    for (let made = 0; made < LIMITS.strangerGuesses.free; made++) assert.equal(await guess(), 401);
    assert.equal(await guess(), 429);
    await service.stop();

    const syncs = syncsBetween((await Deno.readTextFile(trace)).split("\n"));
    assert.deepEqual(Object.keys(syncs), [
      "POST /users",
      "POST /sessions",
      "GET /profile",
      "POST /reset_password",
      "DELETE /sessions",
      "PUT /reset_password",
      "POST /sessions/",
    ]);
    const { "GET /profile": reads, "POST /sessions/": refused, ...writes } = syncs;
    for (const [request, count] of Object.entries(writes)) {
      assert.ok(
        count >= 1,
        `${request} was answered before a sync`,
      );
    }
    assert.equal(reads, 0, "a read waited for the disk");
    assert.equal(refused, 0, "whoever is refused keeps the disk busy");
  },
);

/** How many people do the same, one after another. */
const PEOPLE = 3;
const PASSWORD = "correct horse battery";

testWith(
  [straceWorks],
  "F03: in public each login, registration and reset is synced to the disk once, its mail included",
  async () => {
    await using data = await dataFolder();
    const smtp = await startSmtpServer();
    try {
      const emails = await provenUsers(data);
      const trace = `${data.folder}.strace`;
      await using service = await startService({
        flags: data.options.flags,
        env: {
          ...data.options.env,
          HOST: "127.0.0.1",
          PUBLIC_URL: "https://accounts.example.com",
          MAIL_URL: smtp.url,
          MAIL_FROM: "accounts@example.com",
        },
        before: ["strace", "-D", "-f", "-qq", "-y", "-s", "200", "-e", CALLS, "-o", trace],
      });
      // One after another, each with its mail: together they would share a sync.
      const each = async (of: string[], work: (email: string) => Promise<unknown>, mails = 1): Promise<void> => {
        for (const email of of) {
          const settled = settledMails(data) + mails;
          await work(email);
          while (settledMails(data) < settled) await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const phase = (name: string) => statusOf(service.send("GET", `/healthz?${name}`));
      const sessions: string[] = [];
      // The first write of a process begins a write-ahead log, whose header is synced.
      assert.equal(await statusOf(service.send("POST", "/sessions", { email: "no@example.com", password: "no" })), 401);
      await phase("login");
      await each(emails, async (email) => {
        const response = await service.send("POST", "/sessions", { email, password: PASSWORD });
        assert.equal(response.status, 200, await response.text());
        sessions.push(response.headers.getSetCookie()[0].split(";")[0]);
      });
      await phase("registration");
      await each(emails.map((email) => `new-${email}`), (email) => register(service, email, PASSWORD));
      await phase("reset");
      await each(emails, (email) => statusOf(service.send("POST", "/reset_password", { email })));
      await phase("wrong_password");
      await each(emails, (email) => statusOf(service.send("POST", "/sessions", { email, password: "wrong" })), 0);
      await phase("unknown_address");
      const unknown = emails.map((email) => `no-${email}`);
      await each(unknown, (email) => statusOf(service.send("POST", "/sessions", { email, password: "wrong" })), 0);
      await phase("use");
      makeSessionsOld(data);
      const ask = (method: string, path: string, cookie: string) =>
        statusOf(fetch(service.url + path, { method, headers: { cookie }, redirect: "manual" }));
      for (const cookie of sessions) assert.equal(await ask("GET", "/profile", cookie), 200);
      await phase("logout");
      for (const cookie of sessions) assert.equal(await ask("DELETE", "/sessions", cookie), 302);
      await phase("end");
      await service.stop();
      assert.equal(smtp.mails.length, 3 * PEOPLE);

      const { end: _end, ...syncs } = syncsByPhase((await Deno.readTextFile(trace)).split("\n"));
      assert.deepEqual(syncs, {
        login: PEOPLE,
        registration: PEOPLE,
        reset: PEOPLE,
        wrong_password: 0,
        unknown_address: 0,
        use: 0,
        logout: PEOPLE,
      });
    } finally {
      await smtp.stop();
    }
  },
);

/** Makes users who may log in to a public service, and whose next login is from a new device. Gives their addresses. */
async function provenUsers(data: DataFolder): Promise<string[]> {
  const emails = Array.from({ length: PEOPLE }, (_, index) => `person${index}@example.com`);
  await using service = await startService(data.options);
  for (const email of emails) await register(service, email, PASSWORD);
  await service.stop();
  using database = new DatabaseSync(data.file);
  database.prepare("UPDATE users SET email_verified_at = created_at, signed_in_at = created_at").run();
  return emails;
}

/** How many mails were sent and noted as sent. */
function settledMails(data: DataFolder): number {
  return Number(data.rows("SELECT count(*) AS n FROM events WHERE type = 'mail_sent'")[0].n);
}

/** Makes the last use of every session so old that the next one is stored. */
function makeSessionsOld(data: DataFolder): void {
  using database = new DatabaseSync(data.file, { timeout: 5_000 });
  database.prepare("UPDATE sessions SET last_seen_at = last_seen_at - 3600000").run();
}

/** How often commits were synced after each `GET /healthz?<phase>`, without the syncs that belong to checkpoints. */
function syncsByPhase(lines: string[]): Record<string, number> {
  const syncs: Record<string, number> = {};
  let current: string | undefined;
  for (const line of lines) {
    const phase = /"GET \/healthz\?(\w+) HTTP/.exec(line)?.[1];
    if (phase !== undefined) syncs[current = phase] = 0;
    if (current === undefined) continue;
    if (/f(?:data)?sync\(\d+<[^>]*\.db-wal>/.test(line)) syncs[current]++;
    // A checkpoint syncs the log before the database. After it the log begins anew, and its header is synced.
    if (/f(?:data)?sync\(\d+<[^>]*\.db>/.test(line)) syncs[current] -= 2;
  }
  return syncs;
}

/** How often the write-ahead log was synced between each request and its answer. */
function syncsBetween(lines: string[]): Record<string, number> {
  const syncs: Record<string, number> = {};
  let current: string | undefined;
  for (const line of lines) {
    const request = /"((?:GET|POST|PUT|DELETE) \/\w*\/?) HTTP\/1\.1/.exec(line)?.[1];
    if (request !== undefined) syncs[current = request] = 0;
    else if (current !== undefined && /f(?:data)?sync\(\d+<[^>]*\.db-wal>/.test(line)) syncs[current]++;
    else if (line.includes('"HTTP/1.1 ')) current = undefined;
  }
  return syncs;
}
