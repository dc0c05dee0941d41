/**
 * Mutants of the trials B1 to D1: robustness, clients, a busy machine.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const VERIFY = "auth/account/verify_email.ts";
const CHANGE_EMAIL = "auth/account/change_email.ts";
const LOG = "auth/runtime/log.ts";
const FORM_POSTS = "auth/limits/form_posts.ts";
const CODES = "auth/credentials/mail_codes.ts";
const SERVER = "routes/server/server.ts";
const POSTGRES = "db/engines/postgres.ts";
const SQLITE = "db/engines/sqlite.ts";
const SMTP = "auth/runtime/smtp_session.ts";
const RETURN_TO = "routes/http/return_to.ts";
const SERVERS = "auth/maintenance/servers.ts";
const COOKIES = "routes/http/cookies.ts";
const ANSWERS = "routes/http/answers.ts";
const MOVE = ["tests/maintenance/move_test.ts"];
const FORMS = ["tests/pages/form_twice_test.ts"];
const QUIT = ["tests/mail/smtp_quit_test.ts"];

/** B1 to D1. */
export const TRIALS: readonly Line[] = [
  {
    row: "B1",
    file: LOG,
    find: "(text: string): Promise<void> => writeText(Deno.stdout, text);",
    replace: "(text: string): void => void Deno.stdout.writeSync(new TextEncoder().encode(text));",
  },
  { row: "B1", file: LOG, find: "    full ||= waiting + line.length > MOST_WAITING_TEXT;\n", replace: "" },
  { row: "B1", file: LOG, find: "await within(LAST_WAIT, writing);", replace: "await writing;" },
  {
    row: "B1",
    file: LOG,
    find: "      if (!(error instanceof Deno.errors.WouldBlock)) throw error;\n",
    replace: "      throw error;\n",
  },
  { row: "B1", file: LOG, find: "    onDrop(lines);\n", replace: "" },
  {
    row: "B2",
    file: FORM_POSTS,
    find: "if (await claimFormPost(auth.db.relaxed, post, now, claim)) return undefined;",
    replace: "if (await claimFormPost(auth.db.relaxed, post, now, claim) || true) return undefined;",
    tests: FORMS,
  },
  { row: "B2", file: FORM_POSTS, find: "  if (!isOurs) return undefined;\n", replace: "", tests: FORMS },
  {
    row: "B2",
    file: FORM_POSTS,
    find: "JSON.stringify([browser, path, sorted])",
    replace: "JSON.stringify([browser, path])",
    tests: FORMS,
  },
  {
    row: "B2",
    file: FORM_POSTS,
    find:
      "    if (word === undefined) await deleteFormPost(relaxed, post);\n    else await keepFormPost(relaxed, { id: post, word,",
    replace:
      `    if (post === "") await deleteFormPost(relaxed, post);\n    else await keepFormPost(relaxed, { id: post, word: word ?? "done",`,
    tests: FORMS,
  },
  { row: "B2", file: FORM_POSTS, find: "const KEPT = 30_000;", replace: "const KEPT = 3_000_000;", tests: FORMS },
  {
    row: "B2",
    file: FORM_POSTS,
    find: `createHmac("sha256", random)`,
    replace: `createHmac("sha256", "")`,
    tests: FORMS,
  },
  {
    row: "B2",
    file: "db/form_posts.ts",
    find: "WHERE id = $1 AND word IS NULL",
    replace: "WHERE id = $1",
    tests: FORMS,
  },
  {
    row: "B3",
    file: ANSWERS,
    find: `"referrer-policy": "strict-origin",`,
    replace: `"referrer-policy": "no-referrer",`,
    tests: ["tests/pages/pages_test.ts"],
  },
  {
    row: "B3",
    file: ANSWERS,
    find: `"referrer-policy": "strict-origin",`,
    replace: `"referrer-policy": "same-origin",`,
    tests: ["tests/pages/pages_test.ts"],
  },
  {
    row: "B4",
    file: CODES,
    find: `text.normalize("NFKC").replace(SEPARATORS, "")`,
    replace: `text.replace(SEPARATORS, "")`,
  },
  { row: "B4", file: CODES, find: `.replace(SEPARATORS, "")`, replace: ".trim()" },
  { row: "B4", file: CODES, find: ".replace(/\\p{Nd}/gu, asciiDigit)", replace: "" },
  {
    row: "B4",
    file: CODES,
    find: "return /^[0-9]{8}$/.test(code) ? code : undefined;",
    replace: "return code;",
  },
  { row: "B5", file: SERVER, find: "await lockPort(hostname, port);", replace: "{ close() {} };" },
  { row: "B5", file: SERVER, find: "    Deno.listen({ hostname, port }).close();\n", replace: "" },
  {
    row: "B6",
    file: POSTGRES,
    find: "const STEP_LOCK_TIMEOUT = 1_000;",
    replace: "const STEP_LOCK_TIMEOUT = 30_000;",
  },
  {
    row: "B7",
    file: POSTGRES,
    find: `return this.#limited("BEGIN ISOLATION LEVEL READ COMMITTED", work);`,
    replace: `return this.#limited("BEGIN", work);`,
    and: [{
      file: POSTGRES,
      find: "      if (named) client.query(`SET default_transaction_isolation = '${LEVEL}'`).catch(() => {});\n",
      replace: "",
    }],
  },
  { row: "B7", file: POSTGRES, find: "return !this.#named && this.#otherLevel;", replace: "return false;" },
  { row: "B7", file: POSTGRES, find: `    if (found.read_only === "on") {`, replace: "    if (false) {" },
  {
    row: "B7",
    file: POSTGRES,
    find: `if (["UTF8", "SQL_ASCII"].includes(found.encoding)) return undefined;`,
    replace: "return undefined;",
  },
  {
    row: "B8",
    file: "deno.json",
    find: `      "read": [\n        "data",\n        "auth",`,
    replace: `      "read": [\n        "data/bienvenue.db",\n        "auth",`,
  },
  {
    row: "B8",
    file: "db/engines/postgres_url.ts",
    find: "const where = error instanceof Deno.errors.NotCapable",
    replace: "const where = false",
  },
  { row: "B9", file: SMTP, find: "      else quit(smtp);\n", replace: "      else smtp.close();\n", tests: QUIT },
  {
    row: "B9",
    file: SMTP,
    find: "    if (error.responseCode !== undefined) writeQuit(smtp);\n",
    replace: "",
    tests: QUIT,
  },
  {
    row: "B9",
    file: SMTP,
    find: "const timer = setTimeout(() => smtp.close(), QUIT_TIME);",
    replace: "const timer = 0;",
    tests: QUIT,
  },
  {
    row: "B9",
    file: SMTP,
    find: "if (smtp.lastServerResponse && !smtp.upgrading",
    replace: "if (!smtp.upgrading",
    tests: QUIT,
  },
  {
    row: "B9",
    file: RETURN_TO,
    find: "const MOST = 7_500;",
    replace: "const MOST = 2_000;",
    tests: ["tests/http/return_to_test.ts"],
  },
  {
    row: "B9",
    file: RETURN_TO,
    find: `if (path.includes("\\\\")) return undefined;`,
    replace: `if (target.includes("\\\\")) return undefined;`,
    tests: ["tests/http/return_to_test.ts"],
  },
  {
    row: "B9",
    file: CHANGE_EMAIL,
    find: "  if (newEmail === user.email) {",
    replace: "  if (key === user.email_key) {",
    tests: ["tests/account/change_email_test.ts"],
  },
  {
    row: "B9",
    file: "auth/credentials/password_hash_format.ts",
    find: "salt: withoutSpareBits(salt, 4),",
    replace: "salt,",
    tests: ["tests/credentials/password_vectors_test.ts"],
  },
  {
    row: "B9",
    file: "auth/credentials/password_hash_format.ts",
    find: "digest: withoutSpareBits(digest, 2),",
    replace: "digest,",
    tests: ["tests/credentials/password_vectors_test.ts"],
  },
  {
    row: "B10",
    file: "db/sessions.ts",
    find: "  await Promise.all(oldest.map((row) => db.run(end, row.secret_hash, userId)));",
    replace:
      `  await db.run("DELETE FROM sessions WHERE user_id = $1 AND created_at < $2", userId, oldest.length === 0 ? 0 : 2 ** 52);
  await Promise.all(oldest.map((row) => db.run(end, row.secret_hash, userId)));`,
    tests: ["tests/sign_in/session_limits_test.ts"],
  },
  {
    row: "B10",
    file: "auth/maintenance/move.ts",
    find: "  return await target.transaction(async (to) => {",
    replace: "  return await target.transaction(async (to) => {\n    await refuseUsed(to);",
    tests: MOVE,
  },
  {
    row: "B10",
    file: SERVERS,
    find: "  if (isCommutative) return",
    replace: "  if (isCommutative || true) return",
    tests: ["tests/maintenance/servers_test.ts"],
  },
  {
    row: "B10",
    file: SERVERS,
    find: "if (nodes.every((node) => node.standbys! > 0)) return",
    replace: "if (nodes.length > 0) return",
    tests: ["tests/maintenance/servers_test.ts"],
  },
  { row: "C1", file: COOKIES, find: "${attributes}; Expires=${expires}`;", replace: "${attributes}`;" },
  {
    row: "C1",
    file: COOKIES,
    find: "found = withoutQuotes(trimmed(pair.slice(equals + 1)));",
    replace: "found = trimmed(pair.slice(equals + 1));",
  },
  {
    row: "C2",
    why: "Deno answers such a request before the service sees it. The README says what a client has to set.",
  },
  {
    row: "C3",
    file: "routes/docs/openapi.ts",
    find: `  408: "The body did not arrive in time",`,
    replace: "  408: undefined as unknown as string,",
    tests: ["tests/docs/openapi_test.ts"],
  },
  {
    row: "C4",
    file: "routes/api/sessions.ts",
    find: `auth.config.profile === "local" ? "/" : "/logout/done"`,
    replace: `"/"`,
    tests: ["tests/api/logout_done_test.ts"],
  },
  {
    row: "C4",
    file: "routes/app.ts",
    find: `  app.route("/logout/done", loggedOut());\n`,
    replace: "",
    tests: ["tests/api/logout_done_test.ts"],
  },
  {
    row: "C5",
    file: VERIFY,
    find: "own && hashed_password !== null ? await renewSession(auth, db, user, own, caller) : undefined;",
    replace: "undefined;",
  },
  { row: "C5", file: VERIFY, find: "  await endAccess(auth, db, user.id);", replace: "" },
  {
    row: "C6",
    file: ANSWERS,
    find: "return /^(?:__Host-)?session_id=/.test(cookie);",
    replace: "return /^(?:__Host-)?device_id=/.test(cookie);",
  },
  {
    row: "C6",
    file: ANSWERS,
    find: `JSON.stringify(body), "application/json",`,
    replace: `JSON.stringify(body), "application/json; charset=UTF-8",`,
  },
  {
    row: "D1",
    file: SQLITE,
    find: "new Patience(BUSY_REQUEST, () => versionOf(reader));",
    replace: "new Patience(BUSY_REQUEST);",
    tests: ["tests/db/sqlite_test.ts"],
  },
  {
    row: "D1",
    file: SQLITE,
    find: "    if (this.#written < STINT) return undefined;",
    replace: "    if (this.#written < Infinity) return undefined;",
    tests: ["tests/db/sqlite_test.ts"],
  },
  {
    row: "D1",
    file: SQLITE,
    find: `      if (!isInTime()) throw new DatabaseUnavailable("the writes before it took too long");\n`,
    replace: "",
    tests: ["tests/db/sqlite_test.ts"],
  },
  {
    row: "D1",
    file: "db/engines/slots.ts",
    find: "now - since >= longest || now - Math.max(since, this.#answeredAt) >= silent;",
    replace: "now - since >= silent || now - since >= longest;",
    tests: ["tests/db/slots_test.ts"],
  },
];
