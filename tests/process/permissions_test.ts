/**
 * What the permission set `start` allows, exactly: whoever takes over the process by a fault in a package may write to
 * the data folder, load one addon and use the network, and nothing else.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SETTINGS } from "../../auth/config.ts";
import { bareEnvironment, PROJECT } from "../kit/process/started_service.ts";

const CONFIGURATION = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
const START = CONFIGURATION.permissions.start;
const BCRYPT = `node_modules/.deno/${CONFIGURATION.imports.bcrypt.slice("npm:".length)}`;

Deno.test("the set start allows this and no more", () => {
  const { env, ...others } = START;
  assert.deepEqual(others, {
    net: true,
    read: ["data", "auth", "db", "routes", "node_modules", "/etc/alpine-release"],
    write: ["data"],
    sys: ["statfs"],
    ffi: [BCRYPT],
  });
  // tests/process/start_test.ts has the list of variables.
  assert.ok(env.length >= Object.keys(SETTINGS).length);
});

Deno.test("every task that runs main.ts takes its permissions from the set start alone", () => {
  const tasks = Object.values(CONFIGURATION.tasks as Record<string, { command: string }>).map(({ command }) => command);
  const own = tasks.filter((command) => command.includes("main.ts"));
  assert.equal(own.length, 4);
  for (const command of own) {
    const flags = command.split(" ").filter((word) => word.startsWith("-"));
    assert.deepEqual(flags.filter((flag) => !/^--(?:no-prompt|watch|v8-flags=\S+)$/.test(flag)), ["-P=start"], command);
  }
});

/** What a process with the set tries, and what Deno must say to all of it. */
const TRIES: Record<string, string> = {
  "write outside the data folder": `await Deno.writeTextFile("/tmp/bienvenue-must-not-write", "")`,
  "write to the code": `await Deno.writeTextFile("main.ts", "", { append: true })`,
  "remove the code": `await Deno.remove("auth/nowhere")`,
  "run a program": `await new Deno.Command("id").output()`,
  "run a program as Node does": `(await import("node:child_process")).execFileSync("id")`,
  "read the users of the system": `await Deno.readTextFile("/etc/passwd")`,
  "read its own configuration": `await Deno.readTextFile("deno.json")`,
  "read the whole environment": `Deno.env.toObject()`,
  "read a variable that is no setting": `Deno.env.get("HOME")`,
  "load another library": `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`,
  "learn who runs it": `Deno.uid()`,
  "listen on a socket file outside": `Deno.listen({ transport: "unix", path: "/tmp/bienvenue-must-not-listen" })`,
};

Deno.test("a process with the set start can do nothing of what it must not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-permissions-" });
  const lines = Object.entries(TRIES).map(([name, code]) =>
    `try { ${code}; console.log(${JSON.stringify(name)}); } catch (error) { said(${JSON.stringify(name)}, error); }`
  );
  // Only a missing permission counts; a file that is not there would prove nothing.
  const said = `const said = (name, { name: kind }) => kind === "NotCapable" || console.log(name, kind);`;
  try {
    await Deno.writeTextFile(`${folder}/tries.ts`, [said, ...lines, `console.log("all tried");`].join("\n"));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--config", `${PROJECT}/deno.json`, "-P=start", `${folder}/tries.ts`],
      cwd: PROJECT,
      clearEnv: true,
      env: bareEnvironment(),
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "all tried\n", new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
