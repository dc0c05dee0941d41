/**
 * What others call is documented: `deno doc --lint` over the client, the functions of the contract, and how a service
 * is opened. Must not look at what only this project uses; architecture_test asks every file for a sentence on each
 * export.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "../kit/process/started_service.ts";

/** The files whose exports others use: the client, the service, and the steps of the exercise. */
const PUBLIC_FILES = [
  "routes/docs/client.ts",
  "routes/app.ts",
  "auth/open.ts",
  "auth/account/register.ts",
  "auth/account/reset_password.ts",
  "auth/credentials/passwords.ts",
  "auth/sign_in/by_password.ts",
  "auth/sign_in/current_user.ts",
  "auth/sign_in/exercise.ts",
  "auth/sign_in/sessions.ts",
  "db/users.ts",
];

Deno.test("deno doc --lint finds a comment and a written type on everything that others call", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--node-modules-dir=manual", "--lint", ...PUBLIC_FILES],
    cwd: PROJECT,
    env: { NO_COLOR: "1" },
  });
  const text = new TextDecoder().decode((await command.output()).stderr);
  const faults = text.split(/\n(?=error\[)/).filter((fault) => fault.startsWith("error["));
  // A type of another file is documented there; the lint counts only the files that it was given as public.
  assert.deepEqual(faults.filter((fault) => !fault.startsWith("error[private-type-ref]")), []);
});
