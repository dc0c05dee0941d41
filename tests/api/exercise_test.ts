/**
 * The exercise against a started service, with the programs that people use for it: curl, and Python's requests.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Ended, startService } from "../kit/process/started_service.ts";
import { testWith } from "../kit/programs.ts";

const memory = { env: { DATABASE_URL: "sqlite::memory:" } };
const curlIsThere = ["curl", "--version"];
const PYTHON = "/usr/bin/python3";

testWith(
  [curlIsThere],
  "the curl commands of the exercise, in order and with a cookie jar, get the shown answers",
  async () => {
    await using service = await startService(memory);
    const folder = await Deno.makeTempDir({ prefix: "bienvenue-curl-" });
    const curl = (path: string, ...args: string[]) => runCurl(service.url + path, args);
    const jar = ["-b", `${folder}/jar`, "-c", `${folder}/jar`];
    const email = "bob@bob.com";
    const right = ["-d", `email=${email}`, "-d", "password=mySuperPwd"];
    try {
      assert.deepEqual(await curl("/"), [200, { message: "Bienvenue" }]);
      assert.deepEqual(await curl("/users", "-X", "POST", ...right), [200, { email, message: "user created" }]);
      assert.deepEqual(await curl("/users", "-X", "POST", ...right), [400, { message: "email already registered" }]);
      const wrong = ["-d", `email=${email}`, "-d", "password=BlaBla"];
      assert.equal((await curl("/sessions", "-X", "POST", ...jar, ...wrong))[0], 401);
      assert.equal((await curl("/profile", ...jar))[0], 403);
      assert.deepEqual(await curl("/sessions", "-X", "POST", ...jar, ...right), [200, { email, message: "logged in" }]);
      assert.match(await Deno.readTextFile(`${folder}/jar`), /^#HttpOnly_127\.0\.0\.1\t.*\tsession_id\t[\w-]{43}$/m);
      assert.deepEqual(await curl("/profile", ...jar), [200, { email }]);
      assert.deepEqual(await curl("/profile/", ...jar), [200, { email }]);
      assert.equal((await curl("/profile", "-b", "session_id=nope"))[0], 403);
      assert.deepEqual(await curl("/sessions", "-X", "DELETE", ...jar, "-L"), [200, { message: "Bienvenue" }]);
      assert.equal((await curl("/profile", ...jar))[0], 403);
      assert.equal((await curl("/sessions", "-X", "DELETE", ...jar))[0], 403);
      const [status, reset] = await curl("/reset_password", "-X", "POST", "-d", `email=${email}`);
      const { reset_token, ...rest } = reset as { reset_token: string };
      assert.deepEqual([status, rest], [200, { email }]);
      const update = ["-d", `email=${email}`, "-d", `reset_token=${reset_token}`, "-d", "new_password=new"];
      assert.deepEqual(await curl("/reset_password", "-X", "PUT", ...update), [
        200,
        { email, message: "Password updated" },
      ]);
      assert.equal((await curl("/sessions", "-X", "POST", ...right))[0], 401);
      const renewed = ["-F", `email=${email}`, "-F", "password=new"];
      assert.deepEqual(await curl("/sessions", ...renewed), [200, { email, message: "logged in" }]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith([curlIsThere], "curl -L keeps the method DELETE when it follows the logout's redirect", async () => {
  await using service = await startService(memory);
  const fields = ["-d", "email=bob@bob.com", "-d", "password=mySuperPwd"];
  await runCurl(`${service.url}/users`, fields);
  const login = await capture("curl", ["-s", "-i", ...fields, `${service.url}/sessions`]);
  const cookie = ["-b", /^set-cookie: ([^;]+)/im.exec(login)![1]];
  const answer = await runCurl(`${service.url}/sessions`, ["-L", "-X", "DELETE", ...cookie]);
  assert.deepEqual(answer, [200, { message: "Bienvenue" }]);
  assert.deepEqual(afterLogout(await service.stop()), ["DELETE", "/", 200]);
});

testWith([[PYTHON, "-c", "import requests"]], "the exercise's end-to-end test in Python passes unchanged", async () => {
  await using service = await startService(memory);
  assert.equal(
    await capture(PYTHON, [`${import.meta.dirname}/../exercise/main.py`, service.url]),
    "all steps passed\n",
  );
  assert.deepEqual(afterLogout(await service.stop()), ["GET", "/", 200]);
});

/** Method, route and status of the request after the redirect. */
function afterLogout({ stdout }: Ended): unknown[] {
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { method, route, status } = lines[lines.findIndex((line) => line.status === 302) + 1];
  return [method, route, status];
}

/** Status and JSON body of curl's last answer; the body is undefined when there is none. */
async function runCurl(url: string, args: string[]): Promise<[number, unknown]> {
  const text = await capture("curl", ["-s", "-S", ...args, "-w", "\n%{http_code}", url]);
  const end = text.lastIndexOf("\n");
  return [Number(text.slice(end + 1)), end === 0 ? undefined : JSON.parse(text.slice(0, end))];
}

async function capture(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `${command}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
