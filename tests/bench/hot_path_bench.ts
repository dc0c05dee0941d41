/**
 * The parts of a session check one by one, each beside alternatives: `deno bench`, or the part `parts` of `deno task
 * bench`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { createLog } from "../../auth/runtime/log.ts";
import { hashToken, isToken, randomToken } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { migrate } from "../../db/migrations.ts";
import { findSession } from "../../db/sessions.ts";
import { HEADERS } from "../../routes/http/answers.ts";
import { readCookie } from "../../routes/http/cookies.ts";

const token = randomToken();
const cookies = `device_id=${randomToken()}.${randomToken()}; theme=dark; session_id=${token}`;
const folder = await Deno.makeTempDir({ prefix: "bienvenue-bench-" });
const file = `${folder}/parts.db`;
const db = await DB.open(`sqlite:${file}`, { folder });
await migrate(db, Date.now());
const bare = new DatabaseSync(file, { readOnly: true });
const lookup = bare.prepare(
  `SELECT sessions.id, sessions.user_id, users.email FROM sessions JOIN users ON users.id = sessions.user_id
   WHERE sessions.secret_hash = ? AND sessions.expires_at > ?`,
);
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

Deno.bench("cookie: the one of this name", { group: "cookie", baseline: true }, () => {
  readCookie(cookies, "session_id");
});
Deno.bench("cookie: the form of a session id", { group: "cookie" }, () => {
  isToken(token);
});

Deno.bench("hash: SHA-256 of a session id", { group: "hash", baseline: true }, () => {
  hashToken(token);
});
Deno.bench("hash: the same by node:crypto alone", { group: "hash" }, () => {
  createHash("sha256").update(token).digest("base64url");
});

const hash = hashToken(token);
Deno.bench("database: a session, by the DB class", { group: "database", baseline: true }, async () => {
  await findSession(db, hash, Date.now());
});
Deno.bench("database: the same by node:sqlite alone", { group: "database" }, () => {
  lookup.get(hash, Date.now());
});

const record = { ...HEADERS, "content-type": "application/json", "x-request-id": crypto.randomUUID() };
const made = new Headers(record);
const body = JSON.stringify({ email: "bob@example.com" });
Deno.bench("answer: seven headers out of a record", { group: "answer", baseline: true }, () => {
  new Response(body, { headers: { ...HEADERS, "content-type": "application/json", "x-request-id": "1" } });
});
Deno.bench("answer: seven headers out of a Headers object", { group: "answer" }, () => {
  new Response(body, { headers: made });
});
Deno.bench("answer: seven headers, set one by one", { group: "answer" }, () => {
  const response = new Response(body);
  for (const name in record) response.headers.set(name, record[name as keyof typeof record]);
});
Deno.bench("answer: its type alone", { group: "answer" }, () => {
  new Response(body, { headers: { "content-type": "application/json" } });
});

const log = createLog(() => {});
Deno.bench("line: into the log, in batches", { group: "line", baseline: true }, () => {
  log.writeRequest({
    time: new Date().toISOString(),
    request_id: "0198f3a0-0000-7000-8000-000000000000",
    method: "GET",
    route: "/profile",
    status: 200,
    ms: 0.123,
  });
});
Deno.bench("line: a request id", { group: "line" }, () => {
  crypto.randomUUID();
});
