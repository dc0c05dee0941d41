/**
 * The stop of a service: it answers the requests that it accepted, merges its database into one file, and exits with 0.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type DataFolder,
  dataFolder,
  logIn,
  register,
  type StartedService,
  startService,
  statusOf,
} from "../kit/process/started_service.ts";

const LOGINS = 50;

/** Sends logins and returns when the first ten are answered and the others wait for their hashes. */
async function loginsInFlight(service: StartedService): Promise<Promise<number>[]> {
  const answered = Promise.withResolvers<void>();
  let count = 0;
  const statuses = Array.from({ length: LOGINS }, async () => {
    const status = await statusOf(service.send("POST", "/sessions", { email: "a@b.cd", password: "secret" }));
    if (++count === 10) answered.resolve();
    return status;
  });
  await Promise.race([answered.promise, Promise.all(statuses)]);
  assert.ok(count < LOGINS, "nothing is in flight any more");
  return statuses;
}

/** Asserts that there is no WAL file and that the database has all rows. */
function assertFolded(data: DataFolder, sessions: number): void {
  assert.deepEqual([...Deno.readDirSync(data.folder)].map((entry) => entry.name), ["bienvenue.db"]);
  assert.deepEqual(data.rows("PRAGMA integrity_check").map((row) => row.integrity_check), ["ok"]);
  assert.equal(data.rows("SELECT id FROM sessions").length, sessions);
}

async function connects(service: StartedService): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(service.url).port) })).close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset)) throw error;
    return false;
  }
}

const WAYS: Record<string, (service: StartedService) => void> = {
  "SIGTERM": (service) => service.signal("SIGTERM"),
  "SIGINT": (service) => service.signal("SIGINT"),
  "SIGTERM and SIGINT at once to the whole group": (service) => {
    service.signalGroup("SIGTERM");
    service.signalGroup("SIGINT");
    service.signal("SIGTERM");
  },
};
for (const [name, tell] of Object.entries(WAYS)) {
  Deno.test(`F18: on ${name} every accepted login is answered, the WAL file is merged, and the exit code is 0`, async () => {
    await using data = await dataFolder({ BCRYPT_COST: "9", THROTTLE: "observe" });
    await using service = await startService(data.options);
    await register(service, "a@b.cd", "secret");
    const statuses = await loginsInFlight(service);
    tell(service);
    const all = Promise.all(statuses).then(() => "all");
    // A new connection each time, because open ones may be used again.
    while (await connects(service)) await new Promise((resolve) => setTimeout(resolve, 1));
    const first = await Promise.race([all, new Promise((resolve) => setTimeout(() => resolve("refused"), 0))]);
    assert.equal(first, "refused", "new connections are taken until the last answer");
    assert.deepEqual(await Promise.all(statuses), Array(LOGINS).fill(200));
    const { code, stdout } = await service.ended;
    assert.equal(code, 0);
    await assert.rejects(service.send("GET", "/"), TypeError, "a stopped service takes no connection");
    assertFolded(data, LOGINS);
    // Each has its log line, because the log is written before the end.
    assert.equal(stdout.match(/"route":"\/sessions","status":200/g)?.length, LOGINS);
  });
}

Deno.test("F18: an idle connection does not delay the end of the service", async () => {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(service.url).port) });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await connection.read(new Uint8Array(1024));
  assert.equal((await service.stop()).code, 0);
});

Deno.test("F18: a second signal one second later ends the service at once, and no answered write is lost", async () => {
  await using data = await dataFolder();
  const first = await startService(data.options);
  await register(first, "a@b.cd", "secret");
  const session = await logIn(first, "a@b.cd", "secret");
  await first.stop();

  // Hashes of this cost take seconds, so the queue is not empty when the second signal comes.
  const slow = { ...data.options, env: { ...data.options.env, BCRYPT_COST: "16" } };
  await using service = await startService(slow);
  assert.equal(await statusOf(service.send("GET", "/profile", undefined, session)), 200);
  const waiting = Array.from(
    { length: 8 },
    (_, index) =>
      statusOf(service.send("POST", "/users", { email: `user-${index}@b.cd`, password: "secret" })).catch(() =>
        undefined
      ),
  );
  await statusOf(service.send("GET", "/"));
  service.signal("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  service.signal("SIGTERM");
  assert.equal((await service.ended).code, 1);
  assert.ok((await Promise.all(waiting)).includes(undefined), "the service waited for its work");

  await using again = await startService(data.options);
  assert.equal(await statusOf(again.send("GET", "/profile", undefined, session)), 200);
});
