/**
 * The minimal session check over SQLite: Hono, one cookie, SHA-256, one lookup. Arguments: the database file of a
 * service, and `headers` to answer with the service's headers.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { Hono } from "hono";
import { parse } from "hono/utils/cookie";
import { answer, serve } from "./bare_answers.ts";

const [file, headers] = Deno.args;
const database = new DatabaseSync(file, { readOnly: true });
const lookup = database.prepare(
  `SELECT sessions.id, sessions.user_id, sessions.last_seen_at, users.email
   FROM sessions JOIN users ON users.id = sessions.user_id
   WHERE sessions.secret_hash = ? AND sessions.expires_at > ?`,
);

const app = new Hono();
app.get("/profile", (c) => {
  const token = parse(c.req.header("cookie") ?? "", "session_id").session_id ??
    "";
  const row = lookup.get(
    createHash("sha256").update(token).digest("base64url"),
    Date.now(),
  );
  if (!row) {
    return answer({ message: "not logged in" }, 403, headers === "headers");
  }
  return answer({ email: row.email }, 200, headers === "headers");
});
serve(app.fetch);
