/**
 * The competitor: better-auth on Deno with `node:sqlite`, set up as its documentation says, without its rate limit. The
 * argument is the file for its database.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { serve } from "./bare_answers.ts";

// Imported by variable: only the deno.json of this folder has these packages, and the project is type-checked without
// them.
const [main, migration] = ["better-auth", "better-auth/db/migration"];
const { betterAuth } = await import(main);
const { getMigrations } = await import(migration);

const database = new DatabaseSync(Deno.args[0]);
database.exec("PRAGMA journal_mode = WAL");
const options = {
  database,
  secret: "a secret of 32 characters, for this",
  baseURL: "http://127.0.0.1",
  trustedOrigins: ["http://127.0.0.1:*"],
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
serve((request) => auth.handler(request));
