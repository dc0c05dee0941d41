/**
 * Backups while the service is in use, and restores that keep what they replace.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { addToken } from "../../db/tokens.ts";
import { type Ran, runOn } from "../kit/command_line.ts";
import { runSql } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { startPostgres } from "../kit/process/postgres_server.ts";
import { dataFolder, PROJECT, register, startService } from "../kit/process/started_service.ts";
import { testWith } from "../kit/programs.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const EMAIL = "a@b.cd", PASSWORD = "b4l0u";

/** A folder for a database and its backups, removed at the end. */
async function place(): Promise<{ folder: string; url: string; file: string; backup: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-" });
  const file = `${folder}/bienvenue.db`;
  return {
    folder,
    file,
    url: `sqlite:${file}`,
    backup: `${folder}/backup.db`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The file names in a folder. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

function refused({ code, printed, noted }: Ran, why: RegExp): void {
  assert.deepEqual([code, printed], [1, ""], noted);
  assert.match(noted, why);
}

/** The addresses in a SQLite file, read over a separate connection. */
function emailsIn(file: string): string[] {
  using database = new DatabaseSync(file, { timeout: 5_000 });
  return database.prepare("SELECT email FROM users ORDER BY email").all().map((row) => String(row.email));
}

Deno.test("F27: a backup under load has every user acknowledged before it began, and passes the integrity check", async () => {
  await using at = await place();
  await using service = await openService(at.url);
  const acknowledged: string[] = [];
  let going = true;
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let index = 0; going; index++) {
      const email = `user-${writer}-${index}@x.test`;
      assert.equal(await service.status("POST", "/users", { email, password: PASSWORD }), 200);
      acknowledged.push(email);
    }
  });
  for (let round = 0; round < 5; round++) {
    while (acknowledged.length < (round + 1) * 20) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = [...acknowledged];
    const backup = `${at.folder}/backup-${round}.db`;
    const { code, noted } = await runOn(at.url, ["backup", backup]);
    assert.equal(code, 0, noted);
    using copy = new DatabaseSync(backup);
    assert.equal(copy.prepare("PRAGMA integrity_check").get()!.integrity_check, "ok");
    assert.deepEqual(copy.prepare("PRAGMA foreign_key_check").all(), []);
    const there = new Set(copy.prepare("SELECT email FROM users").all().map((row) => row.email));
    assert.deepEqual(before.filter((email) => !there.has(email)), []);
  }
  going = false;
  await Promise.all(writers);
  // After a restore the users of the backup can log in.
  await using elsewhere = await place();
  const restored = await runOn(elsewhere.url, ["restore", `${at.folder}/backup-4.db`]);
  assert.equal(restored.code, 0, restored.noted);
  await using again = await openService(elsewhere.url);
  await again.logIn("user-0-0@x.test", PASSWORD);
});

Deno.test("a backup is one file, readable by its owner only, and never overwrites another file", async () => {
  await using at = await place();
  await using service = await openService(at.url);
  assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
  assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
  assert.equal(Deno.statSync(at.backup).mode! & 0o777, 0o600);
  assert.deepEqual(filesIn(at.folder).filter((name) => !name.startsWith("bienvenue.db")), ["backup.db"]);
  // A copy in several steps: the progress bar ends at 100 % and with a line break.
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
  await runSql(at.url, `CREATE TABLE filler AS ${numbers} SELECT hex(randomblob(50)) FROM n`);
  const { noted } = await runOn(at.url, ["backup", `${at.folder}/large.db`]);
  assert.match(noted, /^pages copied: (\d+) of \1 \(100 %\)\n$/);
  await Deno.remove(`${at.folder}/large.db`);
  const before = Deno.readFileSync(at.backup);
  refused(await runOn(at.url, ["backup", at.backup]), /exists already and was left as it is/);
  refused(await runOn(at.url, ["backup", at.file]), /exists already/);
  assert.deepEqual(Deno.readFileSync(at.backup), before);
  refused(await runOn(at.url, ["backup", `${at.folder}/none/b.db`]), /cannot write to/);
  refused(await runOn(`sqlite:${at.folder}/other.db`, ["backup", `${at.folder}/b.db`]), /there is no database file/);
  assert.deepEqual(filesIn(at.folder).filter((name) => !name.startsWith("bienvenue.db")), ["backup.db"]);
});

Deno.test("restore refuses while a service runs, needs --yes to replace a database, and keeps the replaced one", async () => {
  await using at = await place();
  let session: string;
  {
    await using service = await openService(at.url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
    session = await service.logIn(EMAIL, PASSWORD);
    assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
    assert.equal(await service.status("POST", "/users", { email: "later@x.test", password: PASSWORD }), 200);
    // The service only has the file open and does nothing.
    refused(await runOn(at.url, ["restore", at.backup, "--yes"]), /is in use; stop the service first/);
    assert.equal(await service.status("POST", "/users", { email: "still@x.test", password: PASSWORD }), 200);
  }
  const names = filesIn(at.folder);
  refused(await runOn(at.url, ["restore", at.backup]), /--yes puts the backup in its place/);
  assert.deepEqual(filesIn(at.folder), names);
  const ran = await runOn(at.url, ["restore", at.backup, "--yes", "--json"]);
  assert.equal(ran.code, 0, ran.noted);
  const { file, kept } = JSON.parse(ran.printed);
  assert.equal(file, at.file);
  assert.deepEqual(emailsIn(kept), [EMAIL, "later@x.test", "still@x.test"]);
  assert.deepEqual(emailsIn(at.file), [EMAIL]);
  assert.equal(Deno.statSync(at.file).mode! & 0o777, 0o600);
  assert.deepEqual(emailsIn(at.backup), [EMAIL], "the backup is still there");
  await using service = await openService(at.url);
  // V39: the session may have been ended after the backup was made.
  assert.equal(await service.status("GET", "/profile", undefined, session), 403);
  await service.logIn(EMAIL, PASSWORD);
});

Deno.test("restore ends links that prove or change something, and keeps links that undo or reopen", async () => {
  await using at = await place();
  const left = () => {
    using database = new DatabaseSync(at.file, { timeout: 5_000 });
    return database.prepare("SELECT purpose FROM tokens ORDER BY purpose").all().map((row) => String(row.purpose));
  };
  {
    await using service = await openService(at.url);
    for (const purpose of ["register", "verify", "reset", "change_email", "undo", "reopen"] as const) {
      const token = { subject: purpose, secret_hash: purpose, user_id: null, created_at: 1, expires_at: 2 ** 50 };
      await addToken(service.auth.db, { purpose, ...token });
    }
    assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
  }
  assert.equal((await runOn(at.url, ["restore", at.backup, "--yes", "--keep-sessions"])).code, 0);
  assert.equal(left().length, 6);
  assert.equal((await runOn(at.url, ["restore", at.backup, "--yes"])).code, 0);
  assert.deepEqual(left(), ["reopen", "undo"]);
});

for (const version of ["0004", "0008"]) {
  Deno.test(`F20, V39: a backup of version ${version} is restored without its sessions, and the next start upgrades it`, async () => {
    await using at = await place();
    await runSql(`sqlite:${at.backup}`, Deno.readTextFileSync(`${PROJECT}/tests/fixtures/${version}.sqlite.sql`));
    const { code, noted } = await runOn(at.url, ["restore", at.backup, "--yes"]);
    assert.equal(code, 0, noted);
    await using service = await openService(at.url);
    const [{ count }] = await service.auth.db.all<{ count: number }>("SELECT count(*) AS count FROM sessions");
    assert.equal(count, 0);
    await service.logIn("ada@example.com", "correct horse");
  });
}

Deno.test("restore --keep-sessions keeps the sessions of the backup", async () => {
  await using at = await place();
  let session: string;
  {
    await using service = await openService(at.url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
    session = await service.logIn(EMAIL, PASSWORD);
    assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
  }
  assert.equal((await runOn(at.url, ["restore", at.backup, "--yes", "--keep-sessions"])).code, 0);
  await using service = await openService(at.url);
  assert.equal(await service.status("GET", "/profile", undefined, session), 200);
});

Deno.test("F06: restore refuses a damaged, foreign or newer file and leaves the database as it is", async () => {
  await using at = await place();
  {
    await using service = await openService(at.url);
    for (let index = 0; index < 50; index++) {
      await service.status("POST", "/users", { email: `user-${index}@x.test`, password: PASSWORD });
    }
    assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
  }
  const before = Deno.readFileSync(at.file);
  const good = Deno.readFileSync(at.backup);
  const bad = async (name: string, bytes: Uint8Array, why: RegExp): Promise<void> => {
    Deno.writeFileSync(`${at.folder}/${name}`, bytes);
    const ran = await runOn(at.url, ["restore", `${at.folder}/${name}`, "--yes"]);
    assert.deepEqual([ran.code, ran.printed], [1, ""], `${name}: ${ran.noted}`);
    assert.match(ran.noted, why, name);
    assert.deepEqual(Deno.readFileSync(at.file), before, name);
    Deno.removeSync(`${at.folder}/${name}`);
  };
  await bad(
    "text",
    new TextEncoder().encode("no database at all, only words, and more than a header of them ".repeat(9)),
    /damaged/,
  );
  await bad("empty", new Uint8Array(), /damaged/);
  await bad("cut", good.slice(0, good.length / 2), /damaged/);
  const page = 4_096;
  for (const at of [3, 5, 8]) await bad(`page ${at}`, good.slice().fill(0xff, at * page, (at + 1) * page), /damaged/);
  const changed = async (name: string, sql: string, why: RegExp): Promise<void> => {
    const file = `${at.folder}/changed.db`;
    Deno.writeFileSync(file, good);
    {
      using database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
      database.exec(sql);
    }
    const bytes = Deno.readFileSync(file);
    Deno.removeSync(file);
    await bad(name, bytes, why);
  };
  await changed("newer", "INSERT INTO migrations VALUES ('9999_future', 1)", /newer than this program/);
  await changed("foreign", "DROP TABLE sessions", /no database of this service/);
  const orphan = "INSERT INTO tokens (purpose, subject, secret_hash, user_id, created_at, expires_at) " +
    "VALUES ('reset', 'x', 'y', 'nobody', 1, 2)";
  await changed("orphan", orphan, /refers to a row of users that is not there/);
  refused(await runOn(at.url, ["restore", `${at.folder}/none.db`, "--yes"]), /there is no file/);
  assert.deepEqual(filesIn(at.folder), ["backup.db", "bienvenue.db"], "nothing is left lying about");
});

Deno.test("F06: restore replaces a database that is too damaged to open, and keeps the damaged file", async () => {
  await using at = await place();
  {
    await using service = await openService(at.url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
    assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
  }
  const noise = crypto.getRandomValues(new Uint8Array(8_192));
  Deno.writeFileSync(at.file, noise);
  const ran = await runOn(at.url, ["restore", at.backup, "--yes", "--json"]);
  assert.equal(ran.code, 0, ran.noted);
  assert.deepEqual(Deno.readFileSync(JSON.parse(ran.printed).kept), noise);
  await using service = await openService(at.url);
  await service.logIn(EMAIL, PASSWORD);
});

Deno.test("a plain copy of a file in use is restored together with its WAL file", async () => {
  await using at = await place();
  await using elsewhere = await place();
  {
    await using service = await openService(at.url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
    for (const end of ["", "-wal"]) Deno.copyFileSync(at.file + end, at.backup + end);
  }
  const ran = await runOn(elsewhere.url, ["restore", at.backup]);
  assert.equal(ran.code, 0, ran.noted);
  assert.deepEqual(emailsIn(elsewhere.file), [EMAIL]);
});

Deno.test("F27: a service keeps running during a backup; a backup without permission names the missing one", async () => {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  await register(service, EMAIL, PASSWORD);
  const backup = async (flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-P=start", ...flags, "main.ts", "backup", `${data.folder}/backup.db`],
      cwd: new URL("../..", import.meta.url),
      env: { ...data.options.env, NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
  };
  const without = await backup([]);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /may not (?:read|write)|outside the folders/);
  assert.match(without.stderr, /deno\.json|--allow-write/);
  const { code, stdout, stderr } = await backup(["--allow-read", "--allow-write"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /backup\.db holds the backup, \d+ bytes/);
  assert.deepEqual(emailsIn(`${data.folder}/backup.db`), [EMAIL]);
  await register(service, "later@x.test", PASSWORD);
});

Deno.test("F27: a damaged database gives no backup, which somebody would trust", async () => {
  await using at = await place();
  {
    await using service = await openService(at.url);
    assert.equal(await service.status("POST", "/users", { email: EMAIL, password: PASSWORD }), 200);
  }
  const good = Deno.readFileSync(at.file);
  const page = new DataView(good.buffer).getUint16(16);
  for (const damaged of [3, 5, 8]) {
    Deno.writeFileSync(at.file, good.slice().fill(0xff, damaged * page, (damaged + 1) * page));
    refused(await runOn(at.url, ["backup", at.backup]), /damaged/);
    assert.deepEqual(filesIn(at.folder).filter((name) => !name.startsWith("bienvenue.db")), [], "no file, no draft");
  }
  Deno.writeFileSync(at.file, good);
  assert.equal((await runOn(at.url, ["backup", at.backup])).code, 0);
});

Deno.test("on PostgreSQL backup and restore name the tool to use, without the password", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  url.password = "s3cret";
  for (const [command, tool] of [["backup", /pg_dump --format=custom/], ["restore", /pg_restore --clean/]] as const) {
    const ran = await runOn(url.href, [command, "x.dump"]);
    refused(ran, tool);
    assert.doesNotMatch(ran.noted, /s3cret/);
  }
});

testWith(
  [["pg_dump", "--version"], ["test", "-n", Deno.env.get("TEST_DATABASE_URL") ?? ""]],
  "the printed commands for pg_dump and pg_restore work, by TCP and by socket",
  async () => {
    await using there = await place();
    const server = await startPostgres();
    try {
      const { username, port } = new URL(server.url);
      const folder = dirname(server.folder);
      const urls = [
        `postgres://${username}:s3cret@127.0.0.1:${port}/postgres?pgbouncer=true&sslmode=disable`,
        `postgres://${username}@localhost:${port}/postgres?host=${encodeURIComponent(folder)}`,
      ];
      for (const [index, url] of urls.entries()) {
        await using service = await openService(url);
        const email = `${index}.${EMAIL}`;
        assert.equal(await service.status("POST", "/users", { email, password: PASSWORD }), 200);
        const lines = [];
        for (const command of ["backup", "restore"]) {
          const { noted } = await runOn(url, [command, `${there.folder}/it's ${index}.dump`]);
          lines.push(/^ {2}(pg_.*)$/m.exec(noted)![1]);
        }
        // Runs as another system user, because an operator's login name differs from the role in the database.
        for (const line of lines) {
          const args = ["-c", line.replace("pg_restore", "pg_restore --exit-on-error")];
          const { success, stderr } = await new Deno.Command("sh", { args, stderr: "piped" }).output();
          assert.ok(success, `${line}\n${new TextDecoder().decode(stderr)}`);
          await service.status("POST", "/users", { email: `later.${email}`, password: PASSWORD });
        }
        assert.equal(await service.status("POST", "/sessions", { email, password: PASSWORD }), 200);
      }
    } finally {
      await server.stop();
    }
  },
);
