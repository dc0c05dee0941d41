/**
 * What only SQLite has: its settings, its file, databases in memory, and a lock held by another process.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { DB } from "../../db/db.ts";
import { DatabaseRefused, DatabaseUnavailable } from "../../db/errors.ts";
import { migrate } from "../../db/migrations.ts";
import { testConfig } from "../kit/service.ts";

/** Runs the work with a new folder that is removed afterwards. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withDatabase(work: (db: DB, file: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const db = await DB.open("sqlite:a.db", { folder });
    try {
      await db.run("CREATE TABLE notes (id TEXT PRIMARY KEY) STRICT");
      await work(db, `${folder}/a.db`);
    } finally {
      await db.close();
    }
  });
}

/** Runs the work with a clock that only the test changes, so that a second takes no time. */
async function withClock(work: (clock: { now: number }) => Promise<void>): Promise<void> {
  const real = performance.now;
  const clock = { now: 0 };
  performance.now = () => clock.now;
  try {
    await work(clock);
  } finally {
    performance.now = real;
  }
}

/** Long enough for a few tries to get the lock. */
function someTries(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60));
}

/** The states of promises after a while. */
async function statesOf(promises: Promise<unknown>[]): Promise<string[]> {
  await someTries();
  const pending = Symbol();
  return await Promise.all(promises.map((promise) =>
    Promise.race([promise, Promise.resolve(pending)]).then(
      (value) => value === pending ? "waits" : "done",
      (error) => (error as Error).name,
    )
  ));
}

Deno.test("SQLite's settings keep every acknowledged write", async () => {
  await withDatabase(async (db) => {
    const setting = async (name: string) => Object.values((await db.get(`PRAGMA ${name}`))!)[0];
    assert.equal(await setting("journal_mode"), "wal");
    assert.equal(await setting("synchronous"), 2, "FULL");
    assert.equal(await setting("foreign_keys"), 1);
    assert.equal(await setting("busy_timeout"), 0, "waiting inside SQLite would stop the whole process");
  });
});

Deno.test("the readers of all workers together keep 32 MB of pages, and no connection less than the usual 2 MB", async () => {
  await inFolder(async (folder) => {
    for (
      const [workers, pages] of [[undefined, 32_768], [1, 32_768], [2, 16_384], [3, 10_922], [16, 2_048], [
        64,
        2_000,
      ]] as const
    ) {
      const db = await DB.open("sqlite:a.db", { folder, workers });
      const sizeOn = async (on: Pick<DB, "get">, sql: string) => Object.values((await on.get(sql))!)[0];
      try {
        // A SELECT is answered by the reader, a PRAGMA by the writer.
        assert.equal(await sizeOn(db, "SELECT cache_size FROM pragma_cache_size"), -pages, `${workers}`);
        assert.equal(await sizeOn(db, "PRAGMA cache_size"), -2_000);
        assert.equal(await sizeOn(db.relaxed, "SELECT cache_size FROM pragma_cache_size"), -2_000);
      } finally {
        await db.close();
      }
    }
  });
});

Deno.test("a new folder and its files are accessible to their owner only", async () => {
  await inFolder(async (folder) => {
    const db = await DB.open("sqlite:deep/down/a.db", { folder });
    await db.run("CREATE TABLE notes (id TEXT PRIMARY KEY) STRICT");
    const modes = ["", "/down", "/down/a.db", "/down/a.db-wal", "/down/a.db-shm"].map((name) =>
      (Deno.statSync(`${folder}/deep${name}`).mode! & 0o777).toString(8)
    );
    assert.deepEqual(modes, ["700", "700", "600", "600", "600"]);
    await db.close();
    assert.deepEqual([...Deno.readDirSync(`${folder}/deep/down`)].map((entry) => entry.name), ["a.db"]);
  });
});

Deno.test("F06: an empty, cut or foreign file is refused with a message and left as it is", async () => {
  await inFolder(async (folder) => {
    const good = await DB.open("sqlite:good.db", { folder });
    await migrate(good, 1);
    await good.close();
    const bytes = await Deno.readFile(`${folder}/good.db`);
    const damaged = bytes.slice();
    damaged.set(new TextEncoder().encode("CREATE TABEL"), 100);
    const files: Record<string, [Uint8Array, RegExp]> = {
      empty: [new Uint8Array(), /is empty; restore a backup/],
      text: [new TextEncoder().encode("not a database ".repeat(100)), /is damaged and was left as it is.*backup/],
      header: [new Uint8Array([...new Uint8Array(100), ...bytes.slice(100)]), /is damaged.*backup/],
      schema: [damaged, /is damaged.*backup/],
    };
    for (const [name, [content, sentence]] of Object.entries(files)) {
      await Deno.writeFile(`${folder}/${name}.db`, content);
      await assert.rejects(DB.open(`sqlite:${name}.db`, { folder }), (error) => {
        return error instanceof DatabaseRefused && sentence.test(error.message) && error.message.includes(`${name}.db`);
      }, name);
      assert.deepEqual(await Deno.readFile(`${folder}/${name}.db`), content, name);
    }
  });
});

Deno.test("a file outside the allowed folders is refused with a message that says what to change", async () => {
  await assert.rejects(DB.open("sqlite:/var/lib/bienvenue.db", { folder: "/tmp" }), (error) => {
    return error instanceof DatabaseRefused && /add "\/var\/lib" to .* in deno\.json/.test(error.message);
  });
  for (const url of ["sqlite:", "sqlite://host/a.db", "sqlite:a\0.db"]) {
    await assert.rejects(DB.open(url, { folder: "/tmp" }), { name: "DatabaseRefused", message: /names no file/ });
  }
});

Deno.test("many processes may open and create the same new database at once", async () => {
  await inFolder(async (folder) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => DB.open("sqlite:a.db", { folder })));
    await all[0].run("CREATE TABLE notes (id TEXT PRIMARY KEY) STRICT");
    await Promise.all(all.map((db, index) => db.run("INSERT INTO notes (id) VALUES ($1)", String(index))));
    for (const db of all) assert.equal((await db.all("SELECT id FROM notes")).length, 8);
    for (const db of all) await db.close();
  });
});

Deno.test("sqlite::memory: is one database whose reads wait for its transactions", async () => {
  const db = await DB.open("sqlite::memory:", { folder: "/tmp" });
  await db.run("CREATE TABLE notes (id TEXT PRIMARY KEY) STRICT");
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
  class Fault extends Error {}
  const failing = db.transaction(async (tx) => {
    await tx.run("INSERT INTO notes (id) VALUES ($1)", "a");
    await go;
    throw new Fault();
  });
  const reading = db.all("SELECT id FROM notes");
  letGo();
  await assert.rejects(failing, Fault);
  assert.deepEqual(await reading, []);
  await db.close();
});

Deno.test("F07: while another process holds the file, all writes wait one second in total and reads work", async () => {
  await withDatabase(async (db, file) => {
    await db.run("INSERT INTO notes (id) VALUES ($1)", "before");
    const other = new DatabaseSync(file);
    other.exec("BEGIN EXCLUSIVE");
    await withClock(async (clock) => {
      const writes = [
        ...Array.from({ length: 5 }, (_, index) => db.run("INSERT INTO notes (id) VALUES ($1)", `w${index}`)),
        db.transaction((tx) => tx.run("INSERT INTO notes (id) VALUES ($1)", "in a transaction")),
        db.all("INSERT INTO notes (id) VALUES ($1) RETURNING id", "returned"),
      ];
      await someTries();
      clock.now = 999;
      assert.deepEqual(await statesOf(writes), Array(7).fill("waits"));
      assert.equal((await db.all("SELECT id FROM notes WHERE id = $1", "before")).length, 1);
      // The clock stays at one second: if each queued write had its own second, they would wait for ever.
      clock.now = 1_000;
      let states = await statesOf(writes);
      for (let tries = 0; tries < 1_000 && states.includes("waits"); tries++) states = await statesOf(writes);
      assert.deepEqual(states, Array(7).fill("DatabaseUnavailable"));
      clock.now = 100_000;
      await Promise.allSettled(writes);
    });
    other.exec("ROLLBACK");
    other.close();
    assert.equal(await db.run("INSERT INTO notes (id) VALUES ($1)", "after"), 1);
    assert.equal((await db.all("SELECT id FROM notes")).length, 2, "nothing of what was refused is there");
  });
});

Deno.test("the queue of waiting writes is bounded: more are refused, and no queued write is lost", async () => {
  await withDatabase(async (db) => {
    // A thousand commits may take longer than a write waits.
    await withClock(async () => {
      const turn = Promise.withResolvers<void>();
      const first = db.transaction(() => turn.promise);
      const write = (index: number) => db.run("INSERT INTO notes (id) VALUES ($1)", `n${index}`);
      const waiting = Array.from({ length: 1_000 }, (_, index) => write(index));
      await assert.rejects(write(1_000), DatabaseUnavailable);
      await assert.rejects(db.transaction((tx) => tx.run("DELETE FROM notes")), DatabaseUnavailable);
      assert.equal((await db.all("SELECT id FROM notes")).length, 0, "reads go on");
      turn.resolve();
      await Promise.all([first, ...waiting]);
      await write(1_000);
      assert.equal((await db.all("SELECT id FROM notes")).length, 1_001);
    });
  });
});

Deno.test("D1: a write waits while another process stores others, for five seconds at most", async () => {
  await withDatabase(async (db, file) => {
    const other = new DatabaseSync(file);
    const add = other.prepare("INSERT INTO notes (id) VALUES (?)");
    other.exec("BEGIN IMMEDIATE");
    await withClock(async (clock) => {
      const writes = [db.run("INSERT INTO notes (id) VALUES ($1)", "a"), db.transaction((tx) => tx.get("SELECT 1"))];
      await someTries();
      // The lock goes from one of its transactions to the next, so no try ever finds it free.
      for (; clock.now < 4_800; clock.now += 800) {
        assert.deepEqual(await statesOf(writes), ["waits", "waits"], `after ${clock.now} ms`);
        add.run(`stored ${clock.now}`);
        other.exec("COMMIT; BEGIN IMMEDIATE");
      }
      assert.deepEqual(await statesOf(writes), ["waits", "waits"]);
      clock.now = 5_000;
      for (const write of writes) await assert.rejects(write, DatabaseUnavailable);
    });
    other.exec("ROLLBACK");
    other.close();
  });
});

Deno.test("D1: a queue that is never empty leaves the lock to another process now and then", async () => {
  await withDatabase(async (_db, file) => {
    await withClock(async (clock) => {
      const [busy, other] = [
        await DB.open(`sqlite:${file}`, { folder: "/" }),
        await DB.open(`sqlite:${file}`, { folder: "/" }),
      ];
      let stored = 0, running = true;
      // Each commit takes 30 ms, as on a slow disk. The end of the loop keeps an old fault from hanging the test.
      const writers = Array.from({ length: 25 }, async (_, writer) => {
        for (let turn = 0; running && stored < 1_000; turn++) {
          await busy.transaction(async (tx) => {
            await tx.run("INSERT INTO notes (id) VALUES ($1)", `${writer} ${turn}`);
            clock.now += 30;
          });
          stored++;
        }
      });
      await other.run("INSERT INTO notes (id) VALUES ($1)", "other");
      const before = stored;
      running = false;
      await Promise.all(writers);
      assert.ok(before < 100, `${before} of the busy queue were stored first`);
      for (const db of [busy, other]) await db.close();
    });
  });
});

Deno.test("D1: a write whose turn does not come within five seconds is refused and not stored", async () => {
  await withDatabase(async (db) => {
    await withClock(async (clock) => {
      const [begun, turn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const first = db.transaction(() => {
        begun.resolve();
        return turn.promise;
      });
      await begun.promise;
      const late = db.run("INSERT INTO notes (id) VALUES ($1)", "late");
      clock.now = 1;
      const early = db.run("INSERT INTO notes (id) VALUES ($1)", "early");
      clock.now = 5_000;
      const refused = assert.rejects(late, DatabaseUnavailable);
      turn.resolve();
      await Promise.all([first, refused]);
      assert.equal(await early, 1);
      assert.deepEqual((await db.all("SELECT id FROM notes")).map((row) => row.id), ["early"]);
    });
  });
});

Deno.test("F07: a waiting write continues as soon as the file is free", async () => {
  await withDatabase(async (db, file) => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN EXCLUSIVE");
    const writing = db.run("INSERT INTO notes (id) VALUES ($1)", "a");
    assert.deepEqual(await statesOf([writing]), ["waits"]);
    other.exec("COMMIT");
    other.close();
    assert.equal(await writing, 1);
  });
});

Deno.test("F07: the start waits 30 seconds for another process, then refuses with a message", async () => {
  await withDatabase(async (_db, file) => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN EXCLUSIVE");
    const config = testConfig({ DATABASE_URL: `sqlite:${file}` });
    const start = () =>
      openAuth(config, { folder: "/tmp", log: { write: () => {}, writeRequest: () => {}, flush: () => {} } });
    await withClock(async (clock) => {
      const starting = start();
      await someTries();
      clock.now = 29_999;
      assert.deepEqual(await statesOf([starting]), ["waits"]);
      clock.now = 30_000;
      const message = `sqlite:${file}: the database cannot answer: it is locked by another process`;
      await assert.rejects(starting, { name: "DatabaseRefused", message });
    });
    other.exec("COMMIT");
    other.close();
    await closeAuth(await start());
  });
});
