/**
 * Several processes on one database: they start at once, and a change by one is visible to all at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MIGRATIONS } from "../../db/migrations.ts";
import { rowsOf, runSql } from "../kit/fixtures.ts";
import {
  dataFolder,
  launch,
  logIn,
  register,
  type StartedService,
  startInVain,
  type StartOptions,
  startService,
  statusOf,
} from "../kit/process/started_service.ts";
import { emptyDatabase, type Engine, ENGINES } from "../kit/service.ts";

/** Users of a database, so many that an upgrade takes a while. */
const USERS = 10_000;

/** A database on which any number of processes can be started. */
interface Shared extends AsyncDisposable {
  url: string;
  options: StartOptions;
}

async function shared(engine: Engine, fixture?: string): Promise<Shared> {
  const folder = engine === "sqlite" ? await dataFolder() : undefined;
  const url = folder?.options.env.DATABASE_URL ?? await emptyDatabase(engine);
  if (fixture !== undefined) {
    if (folder) await Deno.mkdir(folder.folder);
    await runSql(url, Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/${fixture}.${engine}.sql`));
  }
  return {
    url,
    options: folder?.options ?? { env: { DATABASE_URL: url } },
    [Symbol.asyncDispose]: async () => await folder?.[Symbol.asyncDispose](),
  };
}

/** Runs the work with this many processes that started at once. Returns the standard output of each. */
async function withProcesses(
  count: number,
  options: StartOptions,
  work: (services: StartedService[]) => Promise<void>,
): Promise<string[]> {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => startService(options)));
  const services = starts.filter((start) => start.status === "fulfilled").map((start) => start.value);
  try {
    assert.deepEqual(starts.filter((start) => start.status === "rejected"), []);
    await work(services);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
  return services.map((service) => service.output.stdout);
}

function countOf<T>(values: T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

for (const engine of ENGINES) {
  for (const fixture of [undefined, "0004", "classic"]) {
    const state = fixture === undefined ? "an empty database" : `the database of fixture ${fixture}`;
    // Each start costs half a second of one core, so only the empty database gets eight.
    const count = fixture === undefined ? 8 : 4;
    Deno.test(`F19: when ${count} processes start at once on ${state}, each migration runs once [${engine}]`, async () => {
      await using database = await shared(engine, fixture);
      const outputs = await withProcesses(count, database.options, async (services) => {
        const migrations = await rowsOf(database.url, "SELECT name FROM migrations ORDER BY name");
        assert.deepEqual(migrations.map((row) => row.name), MIGRATIONS.map((migration) => migration.name));
        const keys = await rowsOf<{ id: string }>(database.url, "SELECT id FROM keys");
        assert.deepEqual(keys.map(({ id }) => id).sort(), ["code-1", "device-1", "form-1", "work-1"]);
        await register(services[0], "new@example.com", "correct horse");
        const session = await logIn(services.at(-1)!, "new@example.com", "correct horse");
        for (const service of services) {
          assert.equal(await statusOf(service.send("GET", "/profile", undefined, session)), 200);
        }
      });
      const takeovers = outputs.join("").match(/"classic_users":"3 users/g)?.length ?? 0;
      assert.equal(takeovers, fixture === "classic" ? 1 : 0);
    });
  }

  Deno.test(`S40, F21, F22: a change by one process is visible to the other at once [${engine}]`, async (t) => {
    await using database = await shared(engine);
    await withProcesses(2, database.options, async ([one, two]) => {
      const email = "ada@example.com", password = "correct horse";
      await register(one, email, password);

      await t.step("S40: after a logout on one process the other answers 403", async () => {
        for (const [here, there] of [[one, two], [two, one]]) {
          const session = await logIn(here, email, password);
          const profile = await there.send("GET", "/profile", undefined, session);
          assert.deepEqual([profile.status, await profile.json()], [200, { email }]);
          assert.equal(await statusOf(here.send("DELETE", "/sessions", undefined, session)), 302);
          assert.equal(await statusOf(there.send("GET", "/profile", undefined, session)), 403);
          assert.equal(await statusOf(there.send("DELETE", "/sessions", undefined, session)), 403);
        }
      });

      await t.step("F21, S24: one reset token, redeemed 50 times at once on both, sets one password", async () => {
        const before = await logIn(one, email, password);
        const { reset_token } = await (await one.send("POST", "/reset_password", { email })).json();
        const tries = Array.from({ length: 50 }, (_, index) => `new horse ${index}`);
        const statuses = await Promise.all(
          tries.map((new_password, index) =>
            statusOf([one, two][index % 2].send("PUT", "/reset_password", { email, reset_token, new_password }))
          ),
        );
        const counts = countOf(statuses);
        assert.deepEqual([counts.get(200), counts.get(403)], [1, 49]);
        await logIn(two, email, tries[statuses.indexOf(200)]);
        assert.equal(await statusOf(two.send("GET", "/profile", undefined, before)), 403);
      });

      await t.step(
        "F22: one address, registered 100 times at once on both in many spellings, is one user",
        async () => {
          const spellings = [
            "grace@b\u00fccher.example",
            "Grace@B\u00dcCHER.example",
            "grace@xn--bcher-kva.example",
            "grace@bu\u0308cher.example",
          ];
          const statuses = await Promise.all(
            Array.from({ length: 100 }, (_, index) =>
              statusOf([one, two][index % 2].send("POST", "/users", {
                email: spellings[index % 4],
                password: `horse number ${index}`,
              }))),
          );
          const counts = countOf(statuses);
          assert.equal(counts.get(200), 1);
          assert.deepEqual([...counts.keys()].sort(), [200, 400]);
          const rows = await rowsOf(
            database.url,
            "SELECT email FROM users WHERE email_key = 'grace@xn--bcher-kva.example'",
          );
          assert.equal(rows.length, 1);
          await logIn(one, spellings[2], `horse number ${statuses.indexOf(200)}`);
        },
      );
    });
  });

  Deno.test(`F20: kill -9 at any time of an upgrade loses no user, and the next start succeeds [${engine}]`, async () => {
    await using database = await shared(engine, "classic");
    const hash = "$2b$04$9RBNCGoOLmSOS8xNWQYTWe5lpvnPyB4YdAww.1gAIfdui0MI.ixU.";
    // So many rows that the upgrade takes as long as the rest of a start.
    const rows = Array.from({ length: USERS }, (_, index) => `(${index + 10}, 'user${index}@example.com', '${hash}')`);
    await runSql(database.url, `INSERT INTO users (id, email, hashed_password) VALUES ${rows.join(", ")}`);
    for (let kill = 0; kill < 6; kill++) {
      const { child, listens, ended } = launch(database.options);
      const moment = new Promise<void>((resolve) => setTimeout(resolve, 150 + 100 * kill + Math.random() * 100));
      await Promise.race([moment, listens]);
      child.kill("SIGKILL");
      await ended;
    }
    await withProcesses(1, database.options, async ([service]) => {
      const [{ count }] = await rowsOf(database.url, "SELECT count(*) AS count FROM users");
      assert.equal(Number(count), USERS + 3);
      await logIn(service, `user${USERS - 1}@example.com`, "b4l0u");
    });
  });

  Deno.test(`F20: a process refuses a newer database with a message and an exit code [${engine}]`, async () => {
    await using database = await shared(engine, "0004");
    await runSql(database.url, "INSERT INTO migrations (name, applied_at) VALUES ('9999_later', 1)");
    const { code, stderr } = await startInVain(database.options);
    assert.equal(code, 1);
    assert.match(stderr, /^Bienvenue does not start:\nthe database is newer than this program[^\n]*\n$/);
  });
}
