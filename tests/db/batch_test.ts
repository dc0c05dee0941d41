/**
 * Lookups that arrive together: they are asked together, each gets its own answer, and none misses a change that was
 * stored before it arrived.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DB } from "../../db/db.ts";
import { Batch, type Lookup, MOST_UNANSWERED } from "../../db/engines/batch.ts";
import { DatabaseUnavailable } from "../../db/errors.ts";
import { startProxy, type TcpProxy } from "../kit/process/tcp_proxy.ts";
import { emptyDatabase, type Engine, ENGINES } from "../kit/service.ts";

const SELECT = "SELECT id, text FROM notes WHERE id = $1";

/** A batch whose asked lookups wait for the test. */
function recordedBatch() {
  const asked: { sql: string; lookups: Lookup[]; done: () => void }[] = [];
  const batch = new Batch((sql, lookups) => new Promise((done) => asked.push({ sql, lookups, done })));
  return { batch, asked, sizes: () => asked.map(({ lookups }) => lookups.length) };
}

/** Lets the present turn of the event loop end. */
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("lookups of one turn are asked together, those of each statement apart", async () => {
  const { batch, asked } = recordedBatch();
  for (const id of [1, 2, 3]) batch.add("SELECT a", [id]);
  for (const id of [4, 5, 6]) batch.add("SELECT b", [id]);
  assert.equal(asked.length, 0, "nothing is asked before the last of them has arrived");
  await nextTurn();
  assert.deepEqual(asked.map(({ sql, lookups }) => [sql, ...lookups.map(({ values }) => values[0])]), [
    ["SELECT a", 1, 2, 3],
    ["SELECT b", 4, 5, 6],
  ]);
});

Deno.test("after a turn with few lookups, the next eight are asked at once", async () => {
  const { batch } = recordedBatch();
  assert.equal(batch.takeAlone(), false);
  for (const id of [1, 2, 3]) batch.add("SELECT a", [id]);
  await nextTurn();
  assert.equal(batch.takeAlone(), false, "three are not few");
  const small = recordedBatch();
  small.batch.add("SELECT a", [1]);
  await nextTurn();
  const nine = Array.from({ length: 9 }, () => small.batch.takeAlone());
  assert.deepEqual(nine, [true, true, true, true, true, true, true, true, false]);
});

Deno.test("lookups gather until the engine has answered those before them", async () => {
  const { batch, asked, sizes } = recordedBatch();
  for (const id of [1, 2, 3]) batch.add("SELECT a", [id]);
  await nextTurn();
  for (const id of [4, 5]) batch.add("SELECT a", [id]);
  await nextTurn();
  batch.add("SELECT a", [6]);
  assert.deepEqual(sizes(), [3]);
  asked[0].done();
  await nextTurn();
  assert.deepEqual(sizes(), [3, 3]);
});

Deno.test("an engine that does not answer holds up only the lookups that it has", async () => {
  const { batch, sizes } = recordedBatch();
  for (const id of [1, 2, 3]) batch.add("SELECT a", [id]);
  await nextTurn();
  const waited = Promise.withResolvers<void>();
  for (const id of [4, 5, 6]) batch.add("SELECT a", [id]);
  assert.deepEqual(sizes(), [3]);
  const look = setInterval(() => sizes().length === 2 && waited.resolve(), 1);
  await waited.promise;
  clearInterval(look);
  assert.deepEqual(sizes(), [3, 3]);
});

Deno.test("F09: lookups beyond ten thousand without an answer are refused, and later ones are taken again", async () => {
  const { batch, asked, sizes } = recordedBatch();
  for (let id = 0; id < MOST_UNANSWERED; id++) batch.add("SELECT a", [id]);
  await nextTurn();
  await assert.rejects(batch.add("SELECT a", [0]), DatabaseUnavailable);
  asked[0].done();
  await nextTurn();
  batch.add("SELECT a", [0]);
  await nextTurn();
  assert.deepEqual(sizes(), [MOST_UNANSWERED, 1]);
});

Deno.test("an engine that fails at once fails only the lookups that it got", async () => {
  const asked: string[] = [];
  const batch = new Batch((sql, lookups) => {
    asked.push(sql);
    if (sql === "SELECT a") throw new Error("a fault");
    for (const { resolve } of lookups) resolve({ id: 1 });
  });
  const [first, second] = await Promise.allSettled([batch.add("SELECT a", [1]), batch.add("SELECT b", [2])]);
  assert.equal(first.status === "rejected" && first.reason.message, "a fault");
  assert.deepEqual(second, { status: "fulfilled", value: { id: 1 } });
  for (let id = 0; id < MOST_UNANSWERED; id++) batch.add("SELECT a", [id]).catch(() => {});
  await nextTurn();
  await batch.add("SELECT b", [1]);
  assert.deepEqual(asked, ["SELECT a", "SELECT b", "SELECT a", "SELECT b"], "lookups that failed wait no longer");
});

/** A database with a table of forty notes; removed with the test. */
async function notes(engine: Engine, url: string): Promise<DB & AsyncDisposable> {
  const db = await DB.open(url, { folder: "/tmp" });
  await db.run(`CREATE TABLE notes (id ${engine === "sqlite" ? "INTEGER" : "BIGINT"} PRIMARY KEY, text TEXT)`);
  for (let id = 0; id < 40; id++) await db.run("INSERT INTO notes VALUES ($1, $2)", id, id % 3 ? `note ${id}` : null);
  return Object.assign(db, {
    [Symbol.asyncDispose]: async () => {
      // Some tests have closed it.
      await db.close().catch(() => {});
      if (engine === "sqlite" && url !== "sqlite::memory:") {
        await Deno.remove(dirname(url.slice("sqlite:".length)), { recursive: true });
      }
    },
  });
}

for (const engine of ["sqlite", "postgres"] as const) {
  const options = { ignore: !ENGINES.includes(engine) };

  Deno.test(`each of many lookups gets its own row, as if it were asked alone [${engine}]`, options, async () => {
    await using db = await notes(engine, await emptyDatabase(engine));
    for (const count of [1, 2, 3, 16, 100]) {
      const ids = Array.from({ length: count }, (_, index) => (index * 7) % 50);
      const together = await Promise.all(ids.map((id) => db.lookUp(SELECT, id)));
      const alone = [];
      for (const id of ids) alone.push(await db.get(SELECT, id));
      assert.deepEqual(together, alone, `${count} lookups`);
      assert.deepEqual(together.map((row) => row?.id), ids.map((id) => id < 40 ? id : undefined));
    }
  });

  Deno.test(
    `lookups of several statements, and one that fails, get their own answers [${engine}]`,
    options,
    async () => {
      await using db = await notes(engine, await emptyDatabase(engine));
      const other = "SELECT text FROM notes WHERE id = $1 AND text <> $2";
      const ten = Array.from({ length: 10 }, (_, index) => index);
      const [first, second, third] = await Promise.all([
        Promise.all(ten.map((id) => db.lookUp(SELECT, id))),
        Promise.all(ten.map((id) => db.lookUp(other, id, "note 1"))),
        Promise.allSettled(ten.map(() => db.lookUp("SELECT nothing FROM nowhere WHERE id = $1", 1))),
      ]);
      assert.deepEqual(first.map((row) => row?.id), ten);
      assert.deepEqual(second.map((row) => row?.text), ten.map((id) => id % 3 && id !== 1 ? `note ${id}` : undefined));
      assert.deepEqual([...new Set(third.map(({ status }) => status))], ["rejected"]);
      assert.equal((await db.lookUp(SELECT, 1))?.text, "note 1", "the connection goes on");
    },
  );

  Deno.test(
    `a database that closes still answers lookups that wait, or refuses them [${engine}]`,
    options,
    async () => {
      await using db = await notes(engine, await emptyDatabase(engine));
      await Promise.all([1, 2, 3].map((id) => db.lookUp(SELECT, id)));
      const waiting = Promise.allSettled([1, 2, 3].map((id) => db.lookUp(SELECT, id)));
      await db.close();
      for (const one of await waiting) {
        assert.ok(
          one.status === "fulfilled" ? one.value : one.reason instanceof DatabaseUnavailable,
          Deno.inspect(one),
        );
      }
    },
  );

  Deno.test(`lookups see a table that another instance changed meanwhile [${engine}]`, options, async () => {
    const url = await emptyDatabase(engine);
    await using db = await notes(engine, url);
    await using other = await DB.open(url, { folder: "/tmp" });
    const all = "SELECT * FROM notes WHERE id = $1";
    const lookUps = () => Promise.all([1, 2, 3, 4].map((id) => db.lookUp(all, id)));
    await lookUps();
    await other.run("ALTER TABLE notes ADD COLUMN color TEXT");
    await other.run("UPDATE notes SET color = 'red'");
    await lookUps();
    assert.deepEqual((await lookUps()).map((row) => row?.color), ["red", "red", "red", "red"]);
  });
}

for (const engine of ["sqlite", "postgres"] as const) {
  const options = { ignore: !ENGINES.includes(engine) };

  Deno.test(
    `a database that closes settles the lookups that wait [${engine}]`,
    options,
    async () => {
      const url = await emptyDatabase(engine);
      await using db = await notes(engine, url);
      for (const count of [2, 5]) {
        const other = await DB.open(url, { folder: "/tmp" });
        const waiting = Array.from({ length: count }, () => other.lookUp(SELECT, 1));
        const closed = other.close();
        const answers = await Promise.allSettled(waiting);
        await closed;
        assert.equal(answers.length, count);
        // Over a pool they may be refused.
        if (engine === "sqlite") assert.ok(answers.every(({ status }) => status === "fulfilled"));
      }
      assert.equal((await db.lookUp(SELECT, 1))?.id, 1);
    },
  );

  Deno.test(`a lookup inside a transaction is a fault of the program [${engine}]`, options, async () => {
    await using db = await notes(engine, await emptyDatabase(engine));
    await assert.rejects(db.transaction((inside) => inside.lookUp(SELECT, 1)), /inside a transaction/);
    await assert.rejects(db.transaction((inside) => inside.relaxed.get(SELECT, 1)), /inside a transaction/);
  });
}

Deno.test("S40: a lookup sees what another process stored after the first lookup of its turn [sqlite]", async () => {
  const url = await emptyDatabase("sqlite");
  await using db = await notes("sqlite", url);
  using other = new DatabaseSync(url.slice("sqlite:".length));
  // The next lookups are not asked at once.
  await Promise.all([1, 2, 3].map((id) => db.lookUp(SELECT, id)));
  for (let round = 0; round < 20; round++) {
    const first = db.lookUp(SELECT, 1);
    other.prepare("UPDATE notes SET text = ? WHERE id = 2").run(`round ${round}`);
    const rest = [2, 3, 4].map((id) => db.lookUp(SELECT, id));
    const [, second] = await Promise.all([first, ...rest]);
    assert.equal(second?.text, `round ${round}`);
  }
});

Deno.test("lookups of one turn cost SQLite one read transaction", async () => {
  const url = await emptyDatabase("sqlite");
  await using db = await notes("sqlite", url);
  await Promise.all([1, 2, 3].map((id) => db.lookUp(SELECT, id)));
  const { locks, stop } = countReads();
  const ids = Array.from({ length: 16 }, (_, index) => index);
  await Promise.all(ids.map((id) => db.lookUp(SELECT, id)));
  stop();
  assert.deepEqual(locks, ["BEGIN", ...ids.map(() => "lookup"), "COMMIT"]);
});

Deno.test("lookups of a memory database do not enter its queue of writes all at once", async () => {
  await using db = await notes("sqlite", "sqlite::memory:");
  const answers: Promise<unknown>[] = [];
  // More than may wait in the queue. The microtasks of one turn are enough for each.
  for (let count = 0; count < 1_500; count++) {
    answers.push(db.lookUp(SELECT, count % 40));
    for (let tick = 0; tick < 20; tick++) await undefined;
  }
  const failed = (await Promise.allSettled(answers)).filter(({ status }) => status === "rejected");
  assert.deepEqual(failed, []);
});

/** What statements that are prepared already run from now on. */
function countReads(): { locks: string[]; stop: () => void } {
  const { prototype } = Object.getPrototypeOf(new DatabaseSync(":memory:").prepare("SELECT 1")).constructor;
  const { get, run } = prototype;
  const locks: string[] = [];
  prototype.get = function (...values: unknown[]) {
    locks.push("lookup");
    return get.apply(this, values);
  };
  prototype.run = function (...values: unknown[]) {
    locks.push(this.sourceSQL);
    return run.apply(this, values);
  };
  return { locks, stop: () => Object.assign(prototype, { get, run }) };
}

/** Starts a proxy to the server of a URL, and puts the proxy's port into the URL. */
function proxyTo(url: URL): TcpProxy {
  const proxy = startProxy(Number(url.port));
  url.port = String(proxy.port);
  return proxy;
}

Deno.test("lookups of one turn cost PostgreSQL one message with one Sync", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = proxyTo(url);
  await using db = await notes("postgres", url.href);
  const ids = Array.from({ length: 16 }, (_, index) => index);
  const lookUps = () => Promise.all(ids.map((id) => db.lookUp(SELECT, id)));
  await lookUps();
  const messages: string[] = [];
  proxy.onRequest = (bytes) => {
    messages.push(typesOf(bytes));
    return true;
  };
  await lookUps();
  // Bind, Describe, Execute; then Bind and Execute for each of the others.
  assert.deepEqual(messages, [`BDE${"BE".repeat(15)}S`]);
});

/** The types of whole frontend messages (PostgreSQL, 55.7). */
function typesOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let types = "";
  for (let at = 0; at < bytes.length; at += 1 + view.getUint32(at + 1)) types += String.fromCharCode(bytes[at]);
  return types;
}

Deno.test("F09: a lost connection is asked once for all lookups of a turn", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = proxyTo(url);
  await using db = await notes("postgres", url.href);
  const lookUps = () => Promise.allSettled([1, 2, 3, 4, 5].map((id) => db.lookUp(SELECT, id)));
  await lookUps();
  let asked = 0;
  proxy.onRequest = () => {
    asked++;
    return false;
  };
  const answers = await lookUps();
  assert.ok(answers.every((one) => one.status === "rejected" && one.reason instanceof DatabaseUnavailable));
  assert.equal(asked, 1);
  proxy.onRequest = undefined;
  assert.deepEqual((await lookUps()).map(({ status }) => status), Array(5).fill("fulfilled"));
});
