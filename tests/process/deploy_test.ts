/**
 * The service with fewer permissions than `deno task start` gives: on a hosting platform without a disk and without
 * native addons, and by the command of the README that names every host.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freePort } from "../kit/process/postgres_server.ts";
import { logIn, register, type StartedService, startService, statusOf } from "../kit/process/started_service.ts";
import { block } from "../kit/readme.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const POSTGRES = { ignore: !ENGINES.includes("postgres") };

/** The README's command that names every host; the test replaces database and ports. */
const EXACT_COMMAND = block("bash", "--allow-net=");

/** Starts the service by a shell command instead of the project's own command. */
function startBy(command: string, env: Record<string, string>): Promise<StartedService> {
  const own = command.replace(/^deno /, 'exec "$0" ');
  return startService({ env, before: ["sh", "-c", own] });
}

/** The variables that a platform sets instead of a URL. */
function platformVariables(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  return { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: pathname.slice(1) };
}

/** The steps of the exercise. */
async function runContract(service: StartedService): Promise<void> {
  const email = "guillaume@holberton.io";
  const json = async (answer: Promise<Response>): Promise<[number, Record<string, string>]> => {
    const response = await answer;
    return [response.status, await response.json()];
  };
  await register(service, email, "b4l0u");
  const [taken] = await json(service.send("POST", "/users", { email, password: "b4l0u" }));
  assert.equal(taken, 400);
  assert.equal((await json(service.send("POST", "/sessions", { email, password: "t4rt1fl3tt3" })))[0], 401);
  assert.equal((await json(service.send("GET", "/profile")))[0], 403);
  const session = await logIn(service, email, "b4l0u");
  assert.deepEqual(await json(service.send("GET", "/profile", undefined, session)), [200, { email }]);
  assert.equal(await statusOf(service.send("DELETE", "/sessions", undefined, session)), 302);
  assert.equal((await json(service.send("GET", "/profile", undefined, session)))[0], 403);
  const [asked, { reset_token }] = await json(service.send("POST", "/reset_password", { email }));
  assert.equal(asked, 200);
  const update = { email, reset_token, new_password: "t4rt1fl3tt3" };
  const answer = await json(service.send("PUT", "/reset_password", update));
  assert.deepEqual(answer, [200, { email, message: "Password updated" }]);
  assert.equal((await json(service.send("POST", "/sessions", { email, password: "b4l0u" })))[0], 401);
  await logIn(service, email, "t4rt1fl3tt3");
  // More hashes at once than there are threads.
  const wrong = Array.from({ length: 8 }, () => json(service.send("POST", "/sessions", { email, password: "wrong" })));
  assert.deepEqual((await Promise.all(wrong)).map(([status]) => status), Array(8).fill(401));
}

/** Starts the service, runs the contract against it and stops it. Returns the output of the start. */
async function served(command: string, env: Record<string, string>): Promise<string> {
  const service = await startBy(command, env);
  try {
    await runContract(service);
  } finally {
    await service.stop();
  }
  const { code, stderr } = await service.ended;
  assert.equal(code, 0, stderr);
  return stderr;
}

const NONE = "deno run --no-prompt --deny-write --deny-ffi --deny-run --deny-sys --allow-net --allow-env";

Deno.test(
  "without disk access and native addons, with a platform's variables, workers hash and the contract holds",
  POSTGRES,
  async () => {
    const variables = platformVariables(await emptyDatabase("postgres"));
    // Deno reads a worker's code while the service runs, so its files must be readable.
    const said = await served(
      `${NONE} --allow-read=auth/runtime/wasm_bcrypt_worker.ts,auth/runtime/wasm_bcrypt.ts main.ts`,
      variables,
    );
    assert.match(said, /^ {2}hashing: {2}WebAssembly, since the native addon cannot be loaded$/m);
    assert.match(said, /^ {2}workers: {2}1$/m, "main.ts alone is one");
  },
);

Deno.test(
  "without any read permission hashes are made on the main thread, and the contract holds",
  POSTGRES,
  async () => {
    const variables = platformVariables(await emptyDatabase("postgres"));
    const said = await served(`${NONE} main.ts`, variables);
    assert.match(said, /^ {2}hashing: {2}WebAssembly on the main thread, since the native addon cannot be loaded$/m);
  },
);

Deno.test("with DENO_SERVE_ADDRESS the service listens on that socket and says so", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-socket-" });
  const env = { DATABASE_URL: `sqlite:${folder}/test.db`, DENO_SERVE_ADDRESS: `unix:${folder}/socket`, WORKERS: "2" };
  const service = await startService({
    env,
    before: ["sh", "-c", `exec "$0" run --no-prompt --allow-all main.ts`],
  });
  try {
    assert.equal(service.url, `unix:${folder}/socket`);
    assert.match(service.output.stderr, /^ {2}workers: {2}1$/m, "workers share a port, and there is none");
    using connection = await Deno.connect({ transport: "unix", path: `${folder}/socket` });
    const request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    const answer = new Uint8Array(12);
    await connection.read(answer);
    assert.equal(new TextDecoder().decode(answer), "HTTP/1.1 200");
  } finally {
    await service.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(
  "the command with exact hosts and files serves the contract and hashes with the native addon",
  POSTGRES,
  async () => {
    const url = await emptyDatabase("postgres");
    const port = String(freePort());
    // Without the variable the service would look for a SQLite file that it may not write.
    const [, given] = /^DATABASE_URL=postgres:\S+ \\\n +(deno [^]*)$/.exec(EXACT_COMMAND)!;
    const command = given.replace(":5000", `:${port}`).replace(":5432", `:${new URL(url).port}`);
    assert.doesNotMatch(await served(command, { DATABASE_URL: url, PORT: port }), /hashing:/);
  },
);
