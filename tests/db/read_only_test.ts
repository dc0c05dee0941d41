/**
 * A database that cannot be written (F05): a message at the start; at run time 503 for writes and 200 for reads.
 *
 * @module
 */
import assert from "node:assert/strict";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { createApp } from "../../routes/app.ts";
import { dataFolder } from "../kit/process/started_service.ts";
import { skipped } from "../kit/programs.ts";
import { sessionOf, testConfig } from "../kit/service.ts";
import { email, password, refusal, usedFolder } from "../kit/used_folder.ts";

/** Root may write everywhere; without these two capabilities it has the rights of another user. */
const AS_OTHER = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];

async function modesHold(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o500);
  try {
    const [command, ...args] = [...AS_OTHER, "touch", `${folder}/file`];
    return !(await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (await modesHold()) {
  Deno.test("F05: a read-only database file ends the start with a message", async () => {
    await using data = await usedFolder();
    await Deno.chmod(data.file, 0o400);
    const bytes = await Deno.readFile(data.file);
    assert.match(await refusal(data, AS_OTHER), /^sqlite:.*: the database cannot answer: it is read-only$/);
    assert.deepEqual(await Deno.readFile(data.file), bytes);
  });

  Deno.test("F05: a read-only folder ends the start with a message", async () => {
    await using data = await usedFolder();
    await Deno.chmod(data.folder, 0o500);
    const bytes = await Deno.readFile(data.file);
    assert.match(await refusal(data, AS_OTHER), /bienvenue\.db cannot be opened: /);
    assert.deepEqual(await Deno.readFile(data.file), bytes);
    await Deno.chmod(data.folder, 0o700);
  });

  Deno.test("F05: a folder in which no file can be created ends the start with a message", async () => {
    await using data = await dataFolder();
    await Deno.mkdir(data.folder, { mode: 0o500 });
    assert.match(await refusal(data, AS_OTHER), /bienvenue\.db cannot be made: .*ermission denied/);
    assert.deepEqual([...Deno.readDirSync(data.folder)], []);
  });
} else {
  skipped("F05 at the start", "this user may write everywhere, and setpriv does not change that here");
}

Deno.test("F05: when the file becomes read-only, writes and logouts answer 503 and reads 200", async () => {
  await using data = await dataFolder();
  const clock = { now: Date.now() };
  const auth = await openAuth(testConfig(data.options.env), {
    folder: data.folder,
    log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
    clock: () => clock.now,
  });
  const app = createApp(auth);
  const send = (method: string, path: string, form?: Record<string, string>, session = "") =>
    app.request(path, {
      method,
      body: form && new URLSearchParams(form),
      headers: { cookie: `session_id=${session}` },
    });
  try {
    await send("POST", "/users", { email, password });
    const session = sessionOf(await send("POST", "/sessions", { email, password }))!;
    const { reset_token } = await (await send("POST", "/reset_password", { email })).json();
    await auth.db.run("PRAGMA query_only = ON");
    const writes: Parameters<typeof send>[] = [
      ["POST", "/users", { email: "b@b.cd", password }],
      ["POST", "/sessions", { email, password }],
      ["POST", "/reset_password", { email }],
      ["PUT", "/reset_password", { email, reset_token, new_password: "new" }],
      ["DELETE", "/sessions", undefined, session],
    ];
    for (const write of writes) {
      const response = await send(...write);
      assert.equal(response.status, 503, `${write[0]} ${write[1]}`);
      assert.equal(response.headers.get("error-code"), "database_unavailable");
      assert.ok(Number(response.headers.get("retry-after")) > 0);
      assert.deepEqual(response.headers.getSetCookie(), []);
    }
    assert.equal((await send("GET", "/profile", undefined, session)).status, 200);
    // The session is still valid although its last use could not be written.
    clock.now += 10 * 60_000;
    assert.equal((await send("GET", "/profile", undefined, session)).status, 200);
    await auth.db.run("PRAGMA query_only = OFF");
    assert.equal((await send("DELETE", "/sessions", undefined, session)).status, 302);
    assert.equal((await send("GET", "/profile", undefined, session)).status, 403);
  } finally {
    await closeAuth(auth);
  }
});
