/**
 * A pg_dump during registrations: the restored database is complete and has every user acknowledged before the dump.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rowsOf } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { startPostgres } from "../kit/process/postgres_server.ts";
import { testWith } from "../kit/programs.ts";

const PASSWORD = "correct horse";

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

testWith(
  [["pg_dump", "--version"], ["psql", "--version"]],
  "F27: a restored pg_dump made under load has every user acknowledged before it began",
  async () => {
    const server = await startPostgres();
    const folder = await Deno.makeTempDir({ prefix: "bienvenue-dump-" });
    try {
      const [from, to] = ["live", "restored"].map((name) => server.url.replace(/postgres$/, name));
      for (const url of [from, to]) {
        await run("psql", [
          "-d",
          server.url,
          "-c",
          `CREATE DATABASE ${url.split("/").at(-1)}`,
        ]);
      }
      const acknowledged: string[] = [];
      let writing = true;
      {
        await using service = await openService(from);
        const write = async (writer: number): Promise<void> => {
          for (let count = 0; writing; count++) {
            const email = `writer${writer}.${count}@example.com`;
            assert.equal(await service.status("POST", "/users", { email, password: PASSWORD }), 200);
            acknowledged.push(email);
            await service.logIn(email, PASSWORD);
          }
        };
        const writers = Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
        while (acknowledged.length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
        const before = [...acknowledged];
        await run("pg_dump", ["-Fp", "-f", `${folder}/dump.sql`, from]);
        writing = false;
        await writers;
        assert.ok(acknowledged.length > before.length, "they went on meanwhile");
        acknowledged.splice(0, acknowledged.length, ...before);
      }
      await run("psql", ["-d", to, "-v", "ON_ERROR_STOP=1", "-f", `${folder}/dump.sql`]);
      const rows = await rowsOf<{ email: string; hashed_password: string | null }>(
        to,
        "SELECT email, hashed_password FROM users",
      );
      const restored = new Set(rows.map((row) => row.email));
      assert.deepEqual(acknowledged.filter((email) => !restored.has(email)), []);
      assert.ok(rows.every((row) => row.hashed_password !== null), "nobody is half there");
      const orphans = "SELECT id FROM sessions WHERE user_id NOT IN (SELECT id FROM users)";
      assert.deepEqual(await rowsOf(to, orphans), []);
      await using service = await openService(to);
      await service.logIn(acknowledged[0], PASSWORD);
      await service.logIn(acknowledged.at(-1)!, PASSWORD);
    } finally {
      await server.stop();
      await Deno.remove(folder, { recursive: true });
    }
  },
);
