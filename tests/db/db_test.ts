/**
 * The class DB on both engines: values, rows, transactions, errors. Both engines must behave alike.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DB } from "../../db/db.ts";
import type { Value } from "../../db/engines/driver.ts";
import { DatabaseUnavailable, UniqueViolation } from "../../db/errors.ts";
import { test } from "../kit/service.ts";

const TABLE = "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT UNIQUE, at BIGINT)";
const ADD = "INSERT INTO notes (id, body, at) VALUES ($1, $2, $3)";
const FIND = "SELECT id, body, at FROM notes WHERE id = $1";

/** A promise that a test settles. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test("text, whole numbers and null are read back as they were stored", async ({ auth: { db } }) => {
  await db.run(TABLE);
  const texts = ["", " a ", "\u{1F600}e\u0301", "'; --", "$1 ?1", "\\n", "1", "a".repeat(100_000)];
  for (const [index, body] of texts.entries()) {
    assert.equal(await db.run(ADD, `t${index}`, body, null), 1);
    assert.deepEqual({ ...await db.get(FIND, `t${index}`) }, { id: `t${index}`, body, at: null });
  }
  for (const at of [0, -1, Date.now(), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    await db.run(ADD, `n${at}`, null, at);
    assert.equal((await db.get(FIND, `n${at}`))?.at, at);
  }
});

test("a value that the engines would store differently is refused, and the error does not repeat it", async ({ auth: { db } }) => {
  await db.run(TABLE);
  const bad = ["canary\0", "canary\ud800", undefined, true, 1.5, NaN, Infinity, 2 ** 53, 1n, new Date(), {}, ["a"]];
  for (const value of bad) {
    const refused = { name: "TypeError", message: "$2 is not text without NUL, a whole number or null" };
    await assert.rejects(db.run(ADD, "a", value as Value, null), refused);
    await assert.rejects(db.all(FIND, "a", value as Value), refused);
    await assert.rejects(db.transaction((tx) => tx.run(ADD, "a", value as Value, null)), refused);
  }
  assert.equal(await db.get(FIND, "a"), undefined);
});

test("placeholders may repeat and stand in any order", async ({ auth: { db } }) => {
  await db.run(TABLE);
  await db.run("INSERT INTO notes (at, body, id) VALUES ($2, $1, $1)", "both", 7);
  assert.deepEqual({ ...await db.get(FIND, "both") }, { id: "both", body: "both", at: 7 });
});

test("get returns the first row or undefined, all returns every row, run the number of changed rows", async ({ auth: { db } }) => {
  await db.run(TABLE);
  for (const id of ["a", "b", "c"]) await db.run(ADD, id, null, 1);
  assert.equal(await db.get(FIND, "z"), undefined);
  const rows = await db.all("SELECT id FROM notes WHERE id IN ($1, $2) ORDER BY id DESC", "a", "c");
  assert.deepEqual(rows.map((row) => row.id), ["c", "a"]);
  assert.equal(await db.run("UPDATE notes SET at = $1 WHERE id IN ($2, $3)", 2, "a", "b"), 2);
  assert.equal(await db.run("DELETE FROM notes WHERE id = $1", "z"), 0);
  const taken = await db.all("DELETE FROM notes WHERE id = $1 RETURNING id, at", "a");
  assert.deepEqual(taken.map((row) => ({ ...row })), [{ id: "a", at: 2 }]);
});

const KINDS = [
  { suffix: "", of: (db: DB) => db },
  { suffix: ", relaxed", of: (db: DB) => db.relaxed },
];
for (const { suffix, of } of KINDS) {
  test(`a transaction is stored as a whole${suffix}`, async ({ auth }) => {
    const db = of(auth.db);
    await db.run(TABLE);
    const result = await db.transaction(async (tx) => {
      await tx.run(ADD, "a", "one", 1);
      await tx.run(ADD, "b", "two", 2);
      assert.equal((await tx.get(FIND, "a"))?.body, "one", "it sees its own rows");
      return "done";
    });
    assert.equal(result, "done");
    assert.equal((await db.get(FIND, "b"))?.body, "two");
  });

  test(`a transaction whose work throws stores nothing, and the next one works${suffix}`, async ({ auth }) => {
    const db = of(auth.db);
    await db.run(TABLE);
    const fault = new Error("the work went wrong");
    const failing = db.transaction(async (tx) => {
      await tx.run(ADD, "a", "one", 1);
      throw fault;
    });
    await assert.rejects(failing, (error) => error === fault || (error as Error).cause === fault);
    assert.equal(await db.get(FIND, "a"), undefined);
    await db.transaction((tx) => tx.run(ADD, "a", "again", 1));
    assert.equal((await db.get(FIND, "a"))?.body, "again");
  });

  test(`a nested transaction is part of the outer one${suffix}`, async ({ auth }) => {
    const db = of(auth.db);
    await db.run(TABLE);
    await db.transaction(async (outer) => {
      await outer.transaction((inner) => inner.run(ADD, "a", "one", 1));
      assert.equal((await outer.get(FIND, "a"))?.body, "one");
    });
    class Fault extends Error {}
    const failing = db.transaction(async (outer) => {
      await outer.transaction((inner) => inner.run(ADD, "b", "two", 2));
      throw new Fault();
    });
    await assert.rejects(failing, Fault);
    assert.equal((await db.get(FIND, "a"))?.body, "one");
    assert.equal(await db.get(FIND, "b"), undefined);
  });

  test(`a failed statement ends its transaction, even when the work catches the error${suffix}`, async ({ auth }) => {
    const db = of(auth.db);
    await db.run(TABLE);
    await db.run(ADD, "a", "one", 1);
    const careless = db.transaction(async (tx) => {
      await tx.run(ADD, "b", "two", 2);
      await tx.run(ADD, "a", "three", 3).catch(() => {});
      return "done";
    });
    await assert.rejects(careless, UniqueViolation);
    assert.equal(await db.get(FIND, "b"), undefined, "nobody was told that it is kept, and it is not");
  });
}

test("relaxed transactions and others come one after another", async ({ auth: { db } }) => {
  await db.run(TABLE);
  await db.run(ADD, "a", "one", 0);
  const increase = (of: DB) =>
    of.transaction(async (tx) => {
      // Locks the row before it is read.
      await tx.run("UPDATE notes SET body = body WHERE id = $1", "a");
      const row = await tx.get<{ at: number }>(FIND, "a");
      await tx.run("UPDATE notes SET at = $1 WHERE id = $2", row!.at + 1, "a");
    });
  await Promise.all(Array.from({ length: 20 }, (_, index) => increase(index % 2 === 0 ? db : db.relaxed)));
  assert.equal((await db.get(FIND, "a"))?.at, 20);
});

test("a read does not see an open transaction", async ({ auth: { db } }) => {
  await db.run(TABLE);
  const [written, seen] = [gate(), gate()];
  const writing = db.transaction(async (tx) => {
    await tx.run(ADD, "a", "one", 1);
    written.open();
    await seen.opened;
  });
  await written.opened;
  assert.equal(await db.get(FIND, "a"), undefined);
  seen.open();
  await writing;
  assert.equal((await db.get(FIND, "a"))?.body, "one");
});

test("a write outside an open transaction is not part of it", async ({ auth: { db } }) => {
  await db.run(TABLE);
  const [written, go] = [gate(), gate()];
  class Fault extends Error {}
  const failing = db.transaction(async (tx) => {
    await tx.run(ADD, "a", "one", 1);
    written.open();
    await go.opened;
    throw new Fault();
  });
  await written.opened;
  const beside = db.run(ADD, "b", "two", 2);
  go.open();
  await assert.rejects(failing, Fault);
  assert.equal(await beside, 1);
  assert.equal((await db.get(FIND, "b"))?.body, "two");
});

test("a violated primary or unique key throws UniqueViolation with the driver's error as its cause", async ({ auth: { db } }) => {
  await db.run(TABLE);
  await db.run(ADD, "a", "one", 1);
  const known = (error: unknown) => error instanceof UniqueViolation && error.cause instanceof Error;
  await assert.rejects(db.run(ADD, "a", "two", 2), known);
  await assert.rejects(db.run(ADD, "b", "one", 2), known);
  await assert.rejects(db.all(`${ADD} RETURNING id`, "b", "one", 2), known);
  await assert.rejects(db.transaction((tx) => tx.run(ADD, "a", "two", 2)), known);
});

test("other faults throw neither UniqueViolation nor DatabaseUnavailable", async ({ auth: { db } }) => {
  await db.run("CREATE TABLE strict_notes (id TEXT PRIMARY KEY, at BIGINT NOT NULL, owner TEXT REFERENCES users (id))");
  const bad: [string, ...Value[]][] = [
    ["INSERT INTO strict_notes (id, at) VALUES ($1, $2)", "UNIQUE constraint failed", null],
    ["INSERT INTO strict_notes (id, at, owner) VALUES ($1, $2, $3)", "a", 1, "nobody"],
    ["select nothing from nowhere"],
    ["this is not SQL"],
  ];
  for (const [sql, ...values] of bad) {
    await assert.rejects(db.run(sql, ...values), (error) => {
      return error instanceof Error && !(error instanceof UniqueViolation) && !(error instanceof DatabaseUnavailable);
    }, sql);
  }
});
