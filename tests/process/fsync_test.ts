/**
 * Power loss: nothing is acknowledged before it is on the disk. Observed from outside, in the system calls of the
 * service.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { dataFolder, logIn, startService, statusOf } from "../kit/process/started_service.ts";
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
