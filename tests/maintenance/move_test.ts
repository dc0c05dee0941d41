/**
 * Moving a database to another engine: all data of users works there, and an incomplete move leaves nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { findUser } from "../../auth/admin/user_lists.ts";
import type { Auth } from "../../auth/auth.ts";
import { signDevice } from "../../auth/limits/known_devices.ts";
import { Digest, moveDatabase } from "../../auth/maintenance/move.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { createSession } from "../../auth/sign_in/exercise.ts";
import { DB } from "../../db/db.ts";
import { addPage, PAGE, TABLES } from "../../db/maintenance/copy.ts";
import { migrate, MIGRATIONS } from "../../db/migrations.ts";
import { createApp } from "../../routes/app.ts";
import { runCommand } from "../../routes/cli/cli.ts";
import { bareEnvironment, PROJECT } from "../kit/process/started_service.ts";
import { startProxy } from "../kit/process/tcp_proxy.ts";
import { emptyDatabase, type Engine, ENGINES, sessionOf, testConfig } from "../kit/service.ts";

const OTHER: Record<Engine, Engine> = { sqlite: "postgres", postgres: "sqlite" };
const BOTH = { ignore: ENGINES.length < 2 };

/**
 * An empty database of an engine, removed at the end. SQLite's file lies in a folder that the permission set `start`
 * allows.
 */
async function place(engine: Engine): Promise<{ url: string } & AsyncDisposable> {
  if (engine === "postgres") return { url: await emptyDatabase("postgres"), [Symbol.asyncDispose]: async () => {} };
  const folder = `data/move_test_${crypto.randomUUID()}`;
  await Deno.mkdir(`${PROJECT}/${folder}`, { recursive: true });
  return {
    url: `sqlite:${folder}/bienvenue.db`,
    [Symbol.asyncDispose]: () => Deno.remove(`${PROJECT}/${folder}`, { recursive: true }),
  };
}

async function open(url: string): Promise<{ auth: Auth; call: Call } & AsyncDisposable> {
  const auth = await openAuth(testConfig({ DATABASE_URL: url }), {
    folder: PROJECT,
    log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
  });
  const app = createApp(auth);
  const call: Call = async (method, path, form, session) =>
    await app.request(path, {
      method,
      body: form && new URLSearchParams(form),
      headers: session === undefined ? {} : { cookie: `session_id=${session}` },
    });
  return { auth, call, [Symbol.asyncDispose]: () => closeAuth(auth) };
}

type Call = (method: string, path: string, form?: Record<string, string>, session?: string) => Promise<Response>;

/** All rows of all moved tables, sorted here because engines sort text differently. */
async function dump(db: DB): Promise<string[][]> {
  const tables = await Promise.all(TABLES.map(({ name }) => db.all(`SELECT * FROM ${name}`)));
  return tables.map((rows) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort());
}

/** Runs the real command, as an operator does. */
async function moveByTask(from: string, to: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "move", "--to", to],
    cwd: PROJECT,
    clearEnv: true,
    env: { ...bareEnvironment(), DATABASE_URL: from },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

for (const engine of ["sqlite", "postgres"] as const) {
  const other = OTHER[engine];

  Deno.test(
    `deno task move: sessions, tokens, keys and passwords work in the target [${engine} to ${other}]`,
    BOTH,
    async () => {
      await using from = await place(engine);
      await using to = await place(other);
      const people = [
        { email: "Guillaume@Holberton.io", password: "b4l0u" },
        { email: "long@example.com", password: "é".repeat(200) },
      ];
      const sessions: string[] = [];
      let token = "";
      let before: string[][];
      {
        await using old = await open(from.url);
        for (const form of people) {
          assert.equal((await old.call("POST", "/users", form)).status, 200);
          sessions.push(sessionOf(await old.call("POST", "/sessions", form))!);
        }
        const asked = await old.call("POST", "/reset_password", { email: people[1].email });
        token = (await asked.json()).reset_token;
        const { id } = await findUser(old.auth, people[0].email);
        const device = await signDevice(old.auth, { id, device_mark: null }, undefined);
        const caller = { device, ip: "2001:db8::1", userAgent: 'naïve "agent" 🐱' };
        await createSession(old.auth, people[0].email, caller);
        before = await dump(old.auth.db);
      }

      const { code, stdout, stderr } = await moveByTask(from.url, to.url);
      assert.equal(code, 0, stderr);
      for (const [name, rows] of [["users", 2], ["sessions", 3], ["tokens", 1], ["keys", 4]]) {
        assert.match(stdout, new RegExp(`^${name} +${rows}  [0-9a-f]{64}$`, "m"));
      }

      await using source = await DB.open(from.url, { folder: PROJECT, existing: true });
      assert.deepEqual(await dump(source), before, "the source was changed");
      await using moved = await open(to.url);
      assert.deepEqual(await dump(moved.auth.db), before);
      for (const [index, session] of sessions.entries()) {
        const profile = await moved.call("GET", "/profile", undefined, session);
        assert.deepEqual([profile.status, await profile.json()], [200, { email: people[index].email }]);
      }
      for (const form of people) assert.equal((await moved.call("POST", "/sessions", form)).status, 200);
      assert.equal((await moved.call("POST", "/sessions", { ...people[0], password: "b4l0v" })).status, 401);
      const update = { email: people[1].email, reset_token: token, new_password: "t4rt1fl3tt3" };
      assert.equal((await moved.call("PUT", "/reset_password", update)).status, 200);
      assert.equal((await moved.call("GET", "/profile", undefined, sessions[1])).status, 403);
    },
  );

  Deno.test(`a move copies tables of any length around a page's size [${engine} to ${other}]`, BOTH, async () => {
    for (const count of [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 1]) {
      await using from = await place(engine);
      await using to = await place(other);
      await using source = await DB.open(from.url, { folder: PROJECT });
      await migrate(source, 1);
      const keys = Array.from({ length: count }, (_, index) => ({
        id: `${index}`,
        purpose: "device",
        secret: "Ω𝄞 ' \" \\ \n",
        created_at: Number.MAX_SAFE_INTEGER - index,
      }));
      const table = TABLES.find(({ name }) => name === "keys")!;
      if (count > 0) await source.transaction((tx) => addPage(tx, table, keys));
      const told: [string, number, number?][] = [];
      const onProgress = (...far: [string, number, number?]) => void told.push(far);
      const moved = await moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 2, onProgress });
      const steps = count === 0 ? [] : ["copied", "compared"];
      const ends = told.filter(([, rows, total]) => rows === total);
      assert.deepEqual(ends, steps.map((step) => [step, count, count]), "each step tells how far it is of how much");
      assert.equal(told.length, steps.length * Math.ceil(count / PAGE));
      await using target = await DB.open(to.url, { folder: PROJECT, existing: true });
      assert.equal(moved.find(({ name }) => name === "keys")!.rows, count);
      assert.deepEqual(await dump(target), await dump(source));
    }
  });

  Deno.test(`a target that is not empty is refused and not changed [${engine} to ${other}]`, BOTH, async () => {
    await using from = await place(engine);
    await using to = await place(other);
    await (await open(from.url))[Symbol.asyncDispose]();
    // A database that was started once: nobody registered, but its keys exist.
    await using there = await open(to.url);
    const before = await dump(there.auth.db);
    await assert.rejects(
      moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 1 }),
      { name: "DatabaseRefused", message: /is not empty: its table keys has rows/ },
    );
    assert.deepEqual(await dump(there.auth.db), before);
  });

  Deno.test(`a copy that differs from its source is removed [${engine} to ${other}]`, BOTH, async () => {
    await using from = await place(engine);
    await using to = await place(other);
    {
      await using old = await open(from.url);
      assert.equal((await old.call("POST", "/users", { email: "Bob@example.com", password: "b4l0u" })).status, 200);
    }
    await using target = await DB.open(to.url, { folder: PROJECT });
    await migrate(target, 1);
    // A database that changes one letter of one inserted column.
    const change = "UPDATE users SET email = 'bob@example.com' WHERE email = 'Bob@example.com'";
    const bend = other === "sqlite" ? [`CREATE TRIGGER bend AFTER INSERT ON users BEGIN ${change}; END`] : [
      `CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${change}; RETURN NULL; END $$`,
      "CREATE TRIGGER bend AFTER INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION bend()",
    ];
    for (const statement of bend) await target.run(statement);
    await assert.rejects(
      moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 1 }),
      { name: "DatabaseRefused", message: /differs from the original \(users\)/ },
    );
    assert.deepEqual(await dump(target), TABLES.map(() => []));
  });

  Deno.test(
    `B10: who writes to the target during a move stops it, and the move keeps nothing [${engine} to ${other}]`,
    {
      // SQLite lets nobody else write during a transaction.
      ignore: BOTH.ignore || other === "sqlite",
    },
    async () => {
      // A row that only the target has, and one whose key the move brings too, with its second page.
      for (const id of ["stranger", `${PAGE}`]) {
        await using from = await place(engine);
        await using to = await place(other);
        await using source = await DB.open(from.url, { folder: PROJECT });
        await using target = await DB.open(to.url, { folder: PROJECT });
        for (const db of [source, target]) await migrate(db, 1);
        const add = "INSERT INTO keys (id, purpose, secret, created_at) VALUES ($1, 'code', 'x', 1)";
        for (let index = 0; index <= PAGE; index++) await source.run(add, `${index}`.padStart(3, "0"));
        let stored: Promise<unknown> | undefined;
        const onProgress = async () => void await (stored ??= target.run(add, id));
        await assert.rejects(
          moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 1, onProgress }),
          { name: "DatabaseRefused", message: /so nothing was kept$/ },
        );
        assert.deepEqual((await target.all("SELECT id FROM keys")).map((row) => row.id), [id]);
      }
    },
  );

  Deno.test(`a snapshot does not see later writes [${engine}]`, {
    ignore: !ENGINES.includes(engine),
  }, async () => {
    await using at = await place(engine);
    await using reader = await DB.open(at.url, { folder: PROJECT });
    await using writer = await DB.open(at.url, { folder: PROJECT });
    await migrate(reader, 1);
    const count = "SELECT count(*) AS n FROM keys";
    let writing: Promise<number> | undefined;
    await reader.snapshot(async (moment) => {
      assert.deepEqual({ ...await moment.get(count) }, { n: 0 });
      writing = writer.run("INSERT INTO keys (id, purpose, secret, created_at) VALUES ('a', 'code', 'x', 1)");
      // On SQLite the write waits for the end of the snapshot.
      if (engine === "postgres") await writing;
      assert.deepEqual({ ...await moment.get(count) }, { n: 0 });
    });
    assert.equal(await writing, 1);
    assert.deepEqual({ ...await reader.get(count) }, { n: 1 });
  });

  Deno.test(`a source with another schema is refused and not changed [${engine} to ${other}]`, BOTH, async () => {
    await using from = await place(engine);
    await using to = await place(other);
    await using source = await DB.open(from.url, { folder: PROJECT });
    for (const done of [0, 1, MIGRATIONS.length - 1]) {
      if (done > 0) await migrate(source, 1, MIGRATIONS.slice(0, done));
      const tables = (await source.tables()).sort();
      await assert.rejects(
        moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 1 }),
        { name: "DatabaseRefused", message: /has not the schema of this version/ },
      );
      assert.deepEqual((await source.tables()).sort(), tables);
    }
  });
}

Deno.test("a move includes every table and column, a table after those it references", async () => {
  await using db = await DB.open("sqlite::memory:", { folder: PROJECT });
  await migrate(db, 1);
  const names = TABLES.map((table) => table.name);
  assert.deepEqual((await db.tables()).sort(), [...names, "migrations"].sort());
  for (const { name, key, columns } of TABLES) {
    const made = await db.all<{ name: string; pk: number }>("SELECT name, pk FROM pragma_table_info($1)", name);
    assert.deepEqual([...columns].sort(), made.map((column) => column.name).sort(), name);
    const ordered = made.filter((column) => column.pk > 0).sort((a, b) => a.pk - b.pk);
    assert.deepEqual(key, ordered.map((column) => column.name), name);
    const parents = await db.all<{ table: string }>('SELECT "table" FROM pragma_foreign_key_list($1)', name);
    for (const parent of parents) assert.ok(names.indexOf(parent.table) < names.indexOf(name), name);
    // PostgreSQL counts the values of a statement in 16 bits.
    assert.ok(columns.length * PAGE <= 65_535, name);
  }
});

Deno.test("B10: a move does not read all tables of the target inside the transaction that fills it", BOTH, async () => {
  await using from = await place("sqlite");
  await using to = await place("postgres");
  await (await open(from.url))[Symbol.asyncDispose]();
  const url = new URL(to.url);
  await using proxy = startProxy(Number(url.port));
  url.port = String(proxy.port);
  // Without names, so that each statement is sent with its text.
  url.searchParams.set("pgbouncer", "true");
  let sent = "";
  proxy.onRequest = (bytes) => {
    sent += new TextDecoder("latin1").decode(bytes);
    return true;
  };
  await moveDatabase({ from: from.url, to: url.href, folder: PROJECT, now: 1 });
  const look = "SELECT 1 AS one FROM ", first = sent.indexOf("INSERT INTO keys");
  const begun = sent.lastIndexOf("BEGIN", first);
  // At every table once when all exist, right before the transaction; and nowhere in it.
  assert.deepEqual(
    [sent.slice(0, begun).split(look).length - 1, sent.slice(begun).split(look).length - 1],
    [TABLES.length, 0],
  );
});

Deno.test("a move from a missing file does not create it", async () => {
  await using from = await place("sqlite");
  await using to = await place("sqlite");
  await assert.rejects(
    moveDatabase({ from: from.url, to: to.url, folder: PROJECT, now: 1 }),
    { name: "DatabaseRefused", message: /there is no database file/ },
  );
  await assert.rejects(Deno.stat(`${PROJECT}/${from.url.slice("sqlite:".length)}`), Deno.errors.NotFound);
});

Deno.test("a digest ignores the order of rows and changes with any change of a row", () => {
  const value = fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.constant(null));
  const row = fc.record({ a: value, b: value });
  const digest = (...pages: Record<string, string | number | null>[][]): string => {
    const made = new Digest(["a", "b"]);
    for (const page of pages) made.add(page);
    return made.value;
  };
  fc.assert(fc.property(fc.array(row, { minLength: 1 }), row, fc.nat(), (rows, more, at) => {
    const index = at % rows.length;
    assert.equal(digest(rows), digest(rows.slice(index).reverse(), rows.slice(0, index)));
    assert.notEqual(digest(rows), digest(rows, [more]));
    const changed = rows.with(index, more);
    const same = JSON.stringify([rows[index].a, rows[index].b]) === JSON.stringify([more.a, more.b]);
    assert.equal(digest(rows) === digest(changed), same);
  }));
  // Pairs that a sum of separate columns, or of texts without quotes, would not tell apart.
  assert.notEqual(digest([{ a: "1", b: null }]), digest([{ a: 1, b: null }]));
  assert.notEqual(digest([{ a: "x", b: "y" }]), digest([{ a: "y", b: "x" }]));
  assert.notEqual(digest([{ a: null, b: "null" }]), digest([{ a: "null", b: null }]));
});

Deno.test("the command exits with 2 for misuse, 1 for failure, 0 for help, and repeats no password", async () => {
  const run = async (...words: string[]): Promise<{ code: number; printed: string; noted: string }> => {
    const said = { printed: "", noted: "" };
    const code = await runCommand(words, {
      get: (name) => name === "DATABASE_URL" ? "sqlite:data/there_is_no_such_file.db" : undefined,
      folder: PROJECT,
      print: (text) => said.printed += `${text}\n`,
      note: (text) => said.noted += `${text}\n`,
    });
    return { code, ...said };
  };
  for (const words of [["--help"], ["-h"], ["move", "--help"], ["nonsense", "--help"]]) {
    const { code, printed, noted } = await run(...words);
    assert.deepEqual([code, noted], [0, ""], words.join(" "));
    assert.match(printed, /deno task move/);
  }
  const misuses = [
    ["nonsense"],
    ["constructor"],
    ["move"],
    ["move", "--to"],
    ["move", "--to", "s3cret"],
    ["move", "--form", "s3cret"],
    ["move", "s3cret"],
    ["move", "--to", "mysql://u:s3cret@127.0.0.1/x"],
  ];
  for (const words of misuses) {
    const { code, printed, noted } = await run(...words);
    assert.deepEqual([code, printed], [2, ""], words.join(" "));
    assert.match(noted, /deno task move/);
    assert.doesNotMatch(noted, /s3cret/);
  }
  const failed = await run("move", "--to", "postgres://u:s3cret@127.0.0.1:1/x");
  assert.deepEqual([failed.code, failed.printed], [1, ""]);
  assert.match(failed.noted, /there is no database file/);
  assert.doesNotMatch(failed.noted, /s3cret/);
});
