/**
 * The minimal session check over PostgreSQL: Hono, one cookie, SHA-256, one prepared statement on a pool. Arguments:
 * the URL of a service's database, and `headers` to answer with the service's headers.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { parse } from "hono/utils/cookie";
// @ts-types="@types/pg"
import pg from "pg";
import { answer, serve } from "./bare_answers.ts";

const [url, headers] = Deno.args;
const pool = new pg.Pool({ connectionString: url, max: 10 });
const text = `SELECT sessions.id, sessions.user_id, sessions.last_seen_at, users.email
  FROM sessions JOIN users ON users.id = sessions.user_id
  WHERE sessions.secret_hash = $1 AND sessions.expires_at > $2`;

const app = new Hono();
app.get("/profile", async (c) => {
  const token = parse(c.req.header("cookie") ?? "", "session_id").session_id ??
    "";
  const values = [
    createHash("sha256").update(token).digest("base64url"),
    Date.now(),
  ];
  const { rows: [row] } = await pool.query({ name: "lookup", text, values });
  if (!row) {
    return answer({ message: "not logged in" }, 403, headers === "headers");
  }
  return answer({ email: row.email }, 200, headers === "headers");
});
serve(app.fetch);
