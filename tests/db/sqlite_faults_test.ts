/**
 * Faults of the SQLite file under a service: damaged (F06), emptied, locked (F07). No fault may give anybody access,
 * and the file must stay as it was.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  type DataFolder,
  launch,
  type StartedService,
  startService,
  statusOf,
} from "../kit/process/started_service.ts";
import { email, password, refusal, usedFolder } from "../kit/used_folder.ts";

/** Overwrites a part of a file without changing its length. */
async function damage(file: string, at: number, bytes: Uint8Array): Promise<void> {
  using handle = await Deno.open(file, { write: true });
  await handle.seek(at, Deno.SeekMode.Start);
  await handle.write(bytes);
}

/** Overwrites the first page of a table and of its indexes. */
async function damageTable(
  data: DataFolder,
  table: string,
  content: (length: number) => Uint8Array = noise,
): Promise<void> {
  const [{ page_size }] = data.rows<{ page_size: number }>("PRAGMA page_size");
  const pages = data.rows<{ rootpage: number }>(
    `SELECT rootpage FROM sqlite_schema WHERE tbl_name = '${table}' AND rootpage > 0`,
  );
  for (const { rootpage } of pages) await damage(data.file, (rootpage - 1) * page_size, content(page_size));
}

const noise = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length));

const DAMAGES: Record<string, (data: DataFolder) => Promise<void>> = {
  "an overwritten header": (data) => damage(data.file, 0, noise(100)),
  "a header of zeros": (data) => damage(data.file, 0, new Uint8Array(100)),
  "a schema page of noise": (data) => damage(data.file, 100, noise(3996)),
  "a schema whose text is damaged": async (data) => {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(data.file));
    // Everywhere: a page of the schema that was split has its old text behind its rows.
    for (const { index } of text.matchAll(/CREATE TABLE users/g)) {
      await damage(data.file, index, new TextEncoder().encode("CREATE TUBLE users"));
    }
  },
  "a file cut after its header": async (data) => await Deno.truncate(data.file, 100),
  "a damaged table of migrations": (data) => damageTable(data, "migrations"),
  "a damaged table of keys": (data) => damageTable(data, "keys"),
};
for (const [name, harm] of Object.entries(DAMAGES)) {
  Deno.test(`F06: ${name} ends the start; the message names backup and restore, and the file stays as it is`, async () => {
    await using data = await usedFolder();
    await harm(data);
    const bytes = await Deno.readFile(data.file);
    assert.match(
      await refusal(data),
      /is damaged and was left as it is; keep a copy of it and restore your last backup/,
    );
    assert.deepEqual(await Deno.readFile(data.file), bytes);
  });
}

Deno.test("F06: an empty file ends the start and stays empty, so no service starts without its users", async () => {
  await using data = await usedFolder();
  await Deno.truncate(data.file, 0);
  assert.match(await refusal(data), /is empty; restore a backup of it, or delete the file to start with no users/);
  assert.deepEqual([...Deno.readDirSync(data.folder)].map((entry) => entry.name), ["bienvenue.db"]);
  assert.equal((await Deno.stat(data.file)).size, 0);
});

const PAGES: Record<string, (length: number) => Uint8Array> = {
  "zeros": (length) => new Uint8Array(length),
  "ones": (length) => new Uint8Array(length).fill(255),
  "noise": noise,
};
for (const [name, content] of Object.entries(PAGES)) {
  Deno.test(`F06: pages that become ${name} at run time answer 500, never a profile, and the service keeps running`, async () => {
    await using data = await usedFolder();
    await using service = await startService(data.options);
    for (const table of ["users", "sessions", "tokens"]) await damageTable(data, table, content);
    const bytes = await Deno.readFile(data.file);
    assert.equal(await statusOf(service.send("GET", "/profile", undefined, data.session)), 500);
    assert.equal(await statusOf(service.send("DELETE", "/sessions", undefined, data.session)), 500);
    assert.equal(await statusOf(service.send("POST", "/sessions", { email, password })), 500);
    assert.equal(await statusOf(service.send("POST", "/users", { email: "b@b.cd", password })), 500);
    assert.equal(await statusOf(service.send("POST", "/reset_password", { email })), 500);
    assert.equal(await statusOf(service.send("GET", "/profile")), 403);
    assert.equal(await statusOf(service.send("GET", "/")), 200);
    const { code, stdout } = await service.stop();
    assert.equal(code, 0);
    assert.match(stdout, /"level":"error".*malformed/);
    assert.deepEqual(await Deno.readFile(data.file), bytes);
  });
}

Deno.test("F07: while another process holds the lock, writes answer 503 and reads 200; later all work again", async () => {
  await using data = await usedFolder();
  // One worker, so that no other worker answers the reads.
  await using service = await startService({ ...data.options, env: { ...data.options.env, WORKERS: "1" } });
  const other = new DatabaseSync(data.file);
  other.exec("BEGIN EXCLUSIVE");
  const writes = [
    service.send("POST", "/users", { email: "b@b.cd", password }),
    service.send("POST", "/sessions", { email, password }),
    service.send("POST", "/reset_password", { email }),
    service.send("DELETE", "/sessions", undefined, data.session),
  ];
  let waiting = true;
  const answers = Promise.all(writes).finally(() => waiting = false);
  let reads = 0;
  // Sequential reads while the writes wait: a wait inside SQLite would block them too.
  for (; waiting; reads++) {
    assert.equal(await statusOf(service.send("GET", "/profile", undefined, data.session)), 200);
  }
  assert.ok(reads > 5, `only ${reads} reads went on beside the writes that waited`);
  for (const response of await answers) {
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    assert.equal((await response.json()).message, "the database cannot answer now, try again");
  }
  other.exec("ROLLBACK");
  other.close();
  assert.deepEqual(await writesOf(service, data.session), [200, 200, 302]);
});

async function writesOf(service: StartedService, session: string): Promise<number[]> {
  return [
    await statusOf(service.send("POST", "/users", { email: "b@b.cd", password })),
    await statusOf(service.send("POST", "/sessions", { email, password })),
    await statusOf(service.send("DELETE", "/sessions", undefined, session)),
  ];
}

Deno.test("F07: a write waits for a lock that is released within a second", async () => {
  await using data = await usedFolder();
  await using service = await startService(data.options);
  const other = new DatabaseSync(data.file);
  other.exec("BEGIN EXCLUSIVE");
  const write = statusOf(service.send("POST", "/reset_password", { email }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  other.exec("ROLLBACK");
  other.close();
  assert.equal(await write, 200);
});

Deno.test("F07: a start waits longer for a lock than a request does", async () => {
  await using data = await usedFolder();
  const other = new DatabaseSync(data.file);
  other.exec("BEGIN EXCLUSIVE");
  const { child, listens, ended } = launch(data.options);
  const early = await Promise.race([
    listens.then(() => "listens"),
    ended.then(() => "ended"),
    new Promise((resolve) => setTimeout(() => resolve("waits"), 2_500)),
  ]);
  assert.equal(early, "waits");
  other.exec("ROLLBACK");
  other.close();
  const response = await fetch(`${await Promise.race([listens, ended.then(({ stderr }) => stderr)])}/`);
  assert.deepEqual(await response.json(), { message: "Bienvenue" });
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});
