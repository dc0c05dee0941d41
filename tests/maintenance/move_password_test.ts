/**
 * The password of the database that a move fills: it comes by standard input or PGPASSWORD, not by the command line,
 * which other users of the machine can read.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runOn } from "../kit/command_line.ts";
import { openService } from "../kit/opened_service.ts";
import { bareEnvironment, PROJECT } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

/** A server that asks for the password in plain text, keeps it, and refuses it (PostgreSQL, "Message Formats"). */
function passwordServer(): { port: number; asked: Promise<string> } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked = (async () => {
    using connection = await listener.accept();
    const bytes = new Uint8Array(1_000);
    await connection.read(bytes);
    await connection.write(Uint8Array.of(0x52, 0, 0, 0, 8, 0, 0, 0, 3));
    const length = await connection.read(bytes);
    await connection.write(new TextEncoder().encode("E\0\0\0\x17SFATAL\0C28P01\0Mno\0\0"));
    // Between the kind of message with its length, and the NUL at the end.
    return new TextDecoder().decode(bytes.subarray(5, length! - 1));
  })();
  return { port: listener.addr.port, asked, [Symbol.dispose]: () => listener.close() };
}

Deno.test("A11: the password of the new database comes by standard input or PGPASSWORD; on the command line it warns", async () => {
  const run = async (to: string, { input = "", PGPASSWORD = "" } = {}) => {
    const { code, noted } = await runOn("sqlite:data/there_is_no_such_file.db", ["move", "--to", to], {
      settings: { PGPASSWORD },
      input,
    });
    assert.doesNotMatch(noted, /s3cret/);
    return { code, noted };
  };
  const WARNING = /^warning: other users of this machine can read the password in --to; give it as PGPASSWORD, or use/;
  for (const url of ["postgres://u:s3cret@127.0.0.1:1/x", "postgresql://u:s3cret@127.0.0.1:1/x?pgbouncer=true"]) {
    const shown = await run(url);
    assert.equal(shown.code, 1);
    assert.match(shown.noted, WARNING);
    const hidden = await run("-", { input: `${url}\n` });
    assert.equal(hidden.code, 1);
    assert.match(hidden.noted, /^move failed:\nthere is no database file/);
  }
  for (const url of ["postgres://u@127.0.0.1:1/x", "sqlite:data/another.db"]) {
    assert.doesNotMatch((await run(url, { PGPASSWORD: "s3cret" })).noted, /warning/);
  }
  for (const input of ["", "\n", "s3cret\n", "mysql://u:s3cret@127.0.0.1/x"]) {
    assert.equal((await run("-", { input })).code, 2, input);
  }
});

Deno.test("A11: a move logs in with PGPASSWORD, and with the password of a URL that has one", async () => {
  const from = await emptyDatabase("sqlite");
  await (await openService(from))[Symbol.asyncDispose]();
  for (const [user, expected] of [["u", "s3cret %"], ["u:other", "other"]]) {
    using server = passwordServer();
    const to = `postgres://${user}@127.0.0.1:${server.port}/x`;
    const { code, noted } = await runOn(from, ["move", "--to", to], { settings: { PGPASSWORD: "s3cret %" } });
    assert.equal(await server.asked, expected);
    assert.equal(code, 1);
    assert.doesNotMatch(noted, /s3cret/);
  }
});

Deno.test(
  "A11: a move to the URL of standard input works",
  { ignore: !ENGINES.includes("postgres") },
  async () => {
    // In a folder that the permission set `start` allows.
    const folder = `data/move_password_test_${crypto.randomUUID()}`;
    await Deno.mkdir(`${PROJECT}/${folder}`, { recursive: true });
    try {
      const from = `sqlite:${PROJECT}/${folder}/bienvenue.db`;
      await (await openService(from))[Symbol.asyncDispose]();
      const to = await emptyDatabase("postgres");
      const child = new Deno.Command(Deno.execPath(), {
        args: ["task", "-q", "move", "--to", "-"],
        cwd: PROJECT,
        clearEnv: true,
        env: { ...bareEnvironment(), DATABASE_URL: from },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const input = child.stdin.getWriter();
      await input.write(new TextEncoder().encode(`${to}\n`));
      await input.close();
      const { code, stdout, stderr } = await child.output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      assert.match(new TextDecoder().decode(stdout), /Both databases hold the same/);
    } finally {
      await Deno.remove(`${PROJECT}/${folder}`, { recursive: true });
    }
  },
);
