/**
 * Mutants of the rows S37 to S51: sessions, cookies, the end of an account.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const SECRETS = "auth/secrets.ts";
const SESSIONS_RULE = "auth/sign_in/sessions.ts";
const SESSIONS_TABLE = "db/sessions.ts";
const COOKIES = "routes/http/cookies.ts";
const SQLITE = "db/engines/sqlite.ts";
const MAIL_CODES = "auth/credentials/mail_codes.ts";
const PUBLIC_PROFILE = ["tests/api/public_profile_test.ts"];

/** S37 to S51. */
export const SESSIONS: readonly Line[] = [
  {
    row: "S37",
    file: SECRETS,
    find: "crypto.getRandomValues(new Uint8Array(32)).toBase64",
    replace: "crypto.getRandomValues(new Uint8Array(32)).fill(0, 4).toBase64",
  },
  {
    row: "S37",
    file: SESSIONS_RULE,
    find: "const sessionId = randomToken();",
    replace: `const sessionId = userId.replaceAll("-", "") + randomToken().slice(32);`,
  },
  {
    row: "S38",
    file: SECRETS,
    find: `digest.setFromHex(createHash("sha256").update(token).digest("hex"));`,
    replace: "return token;",
  },
  {
    row: "S39",
    file: SESSIONS_RULE,
    find: "    isToken(caller.session) && rows.deleteSession(db, hashToken(caller.session), now),",
    replace: "",
  },
  {
    row: "S39",
    file: SESSIONS_RULE,
    find: "const sessionId = randomToken();",
    replace: "const sessionId = isToken(caller.session) ? caller.session : randomToken();",
  },
  {
    row: "S40",
    file: SESSIONS_TABLE,
    find: `"DELETE FROM sessions WHERE secret_hash = $1 AND expires_at > $2 RETURNING user_id"`,
    replace: `"SELECT user_id FROM sessions WHERE secret_hash = $1 AND expires_at > $2"`,
  },
  // A read transaction from before the last arrival.
  {
    row: "S40",
    file: SQLITE,
    find: "    return this.#batch.takeAlone() ?",
    replace: `    if (!this.#reader.isTransaction) {
      this.#reader.run("BEGIN", []);
      this.#reader.get("SELECT count(*) FROM sqlite_schema", []);
    }
    return this.#batch.takeAlone() ?`,
    and: [{ file: SQLITE, find: `        reader.run("BEGIN", []);\n`, replace: "" }],
    tests: ["tests/db/batch_test.ts"],
  },
  {
    row: "S41",
    file: SESSIONS_TABLE,
    find: "WHERE sessions.secret_hash = $1 AND sessions.expires_at > $2 AND",
    replace: "WHERE sessions.secret_hash = $1 AND sessions.ends_at > $2 AND",
  },
  {
    row: "S41",
    file: "auth/sign_in/current_user.ts",
    find: "Math.min(now + sessionIdle, session.ends_at)",
    replace: "now + sessionIdle",
  },
  {
    row: "S41",
    file: SESSIONS_RULE,
    find: "expires_at: Math.min(now + auth.config.sessionIdle, ends_at),",
    replace: "expires_at: ends_at,",
  },
  { row: "S42", file: COOKIES, find: "`Path=/; HttpOnly$", replace: "`Path=/$", tests: PUBLIC_PROFILE },
  {
    row: "S42",
    file: COOKIES,
    find: '${auth.config.profile === "public" ? "; Secure" : ""}',
    replace: "",
    tests: PUBLIC_PROFILE,
  },
  { row: "S42", file: COOKIES, find: "; SameSite=Lax`", replace: "; SameSite=None`", tests: PUBLIC_PROFILE },
  { row: "S42", file: COOKIES, find: "name : `__Host-${name}`;", replace: "name : name;", tests: PUBLIC_PROFILE },
  {
    row: "S43",
    file: "routes/http/answers.ts",
    find: `"cache-control": "no-store",`,
    replace: `"cache-control": "private",`,
  },
  { row: "S43", file: COOKIES, find: `response.headers.set("clear-site-data", '"storage"');`, replace: "" },
  { row: "S43", file: COOKIES, find: `'"storage"'`, replace: `'"cookies", "storage"'` },
  {
    row: "S43",
    file: COOKIES,
    find: `return withCookies(response, writeCookie(auth, "session_id", "", 0));`,
    replace: "return response;",
  },
  {
    row: "S44",
    file: COOKIES,
    find: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id"));`,
    replace: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ?? c.req.query("session_id");`,
  },
  {
    row: "S44",
    file: COOKIES,
    find: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id"));`,
    replace:
      `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ?? c.req.header("x-session-id") ??
    /^Bearer (.*)/.exec(c.req.header("authorization") ?? "")?.[1];`,
  },
  {
    row: "S45",
    file: SESSIONS_TABLE,
    find: `WHERE user_id = $1 AND id = $2 AND expires_at > $3"`,
    replace: `WHERE (user_id = $1 OR 1 = 1) AND id = $2 AND expires_at > $3"`,
  },
  {
    row: "S45",
    file: SESSIONS_TABLE,
    find: `"SELECT * FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY`,
    replace: `"SELECT * FROM sessions WHERE (user_id = $1 OR 1 = 1) AND expires_at > $2 ORDER BY`,
  },
  {
    row: "S45",
    file: "auth/admin/users.ts",
    find: `const count = await endAccess(auth, db, id, { tokens: "all" });`,
    replace: "const count = 0;",
  },
  {
    row: "S46",
    file: "auth/account/close_account.ts",
    find: "    await endAccess(auth, db, user.id);",
    replace: "",
  },
  { row: "S46", file: "auth/account/erase_account.ts", find: "  await eraseEventsOf(db, user.id);", replace: "" },
  {
    row: "S46",
    file: "auth/account/erase_account.ts",
    find: "  await eraseCounts(db, { emailKey: user.emailKey, userId: user.id });",
    replace: "",
  },
  {
    row: "S46",
    file: "auth/account/erase_account.ts",
    find: "  await deleteRegistrations(db, user.emailKey);",
    replace: "",
  },
  {
    row: "S47",
    file: SESSIONS_RULE,
    find: "    rows.deleteOldestSessions(db, userId, MOST_SESSIONS - 1),",
    replace: "",
  },
  {
    row: "S47",
    file: SESSIONS_TABLE,
    find: "ORDER BY created_at DESC, secret_hash LIMIT 1000",
    replace: "ORDER BY created_at, secret_hash LIMIT 1000",
  },
  { row: "S47", file: "auth/maintenance/sweep.ts", find: "const BATCH = 500;", replace: "const BATCH = 500_000;" },
  {
    row: "S48",
    file: COOKIES,
    find: "    found = withoutQuotes(trimmed(pair.slice(equals + 1)));",
    replace: "    found = withoutQuotes(decodeURIComponent(trimmed(pair.slice(equals + 1))));",
  },
  {
    row: "S51",
    file: MAIL_CODES,
    find: "    of: [emailKey],",
    replace: "    of: [emailKey, networkOf(caller.ip)],",
  },
  {
    row: "S51",
    file: "auth/credentials/mail_tokens.ts",
    find: "  await countCodeTry(auth, key, caller);",
    replace: "",
  },
  {
    row: "S51",
    file: "auth/account/change_email.ts",
    find: "  await countCodeTry(auth, emailKey(user.email), caller);",
    replace: "",
  },
];
