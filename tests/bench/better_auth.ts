/**
 * The competitor: better-auth on Deno with `node:sqlite`, in the form that is fastest without doing less. Its joins are
 * on; its rate limit, telemetry, log and spans are off; the session comes from `auth.api.getSession`, which takes half
 * as long as a request through its own handler. Arguments: the file for its database, the strategy of its cookie cache
 * or `off`, the number of sessions, and the file that gets their cookies.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { answer, serve } from "./bare_answers.ts";

// Imported by variable: only the deno.json of this folder has these packages, and the project is type-checked without
// them.
const [main, migration, crypto] = ["better-auth", "better-auth/db/migration", "better-auth/crypto"];
const { betterAuth } = await import(main);
const { getMigrations } = await import(migration);
const { makeSignature } = await import(crypto);

const [path, strategy, count, file] = Deno.args;
const secret = "a secret of 32 characters, for this";
const database = new DatabaseSync(path);
database.exec("PRAGMA journal_mode = WAL");
const options = {
  database,
  secret,
  baseURL: "http://127.0.0.1",
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  experimental: { instrumentation: { enabled: false } },
  advanced: { database: { joins: true } },
  // An hour instead of five minutes, so that every check is answered from the cookie.
  session: { cookieCache: strategy === "off" ? { enabled: false } : { enabled: true, strategy, maxAge: 3_600 } },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

const { internalAdapter } = await auth.$context;
const cookies: string[] = [];
for (let index = 0; index < Number(count); index++) {
  const user = await internalAdapter.createUser({ name: "Bob", email: `person${index}@example.com` });
  const { token } = await internalAdapter.createSession(user.id);
  const signed = encodeURIComponent(`${token}.${await makeSignature(token, secret)}`);
  const cookie = `better-auth.session_token=${signed}`;
  const { headers } = await auth.api.getSession({ headers: new Headers({ cookie }), returnHeaders: true });
  const cached = headers.getSetCookie().map((text: string) => text.split(";")[0]);
  cookies.push(`${[cookie, ...cached].join("; ")}\n`);
}
await Deno.writeTextFile(file, cookies.join(""));

serve(async ({ headers }) => {
  const session = await auth.api.getSession({ headers });
  if (session === null) return answer({ message: "not logged in" }, 403, true);
  return answer({ email: session.user.email }, 200, true);
});
