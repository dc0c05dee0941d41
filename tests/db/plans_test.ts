/**
 * The check against statements that read a whole table: that it finds one on each engine, and that it sees what
 * requests and the sweep run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { runAccountLifecycle } from "../kit/account_lifecycle.ts";
import { assertNoScan, postgresScans, shownTo, sqliteScans } from "../kit/plans.ts";
import { ENGINES, PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";
import { sqlTexts } from "../kit/sql_texts.ts";

/** Statements that read a whole table, or a whole index, in various ways. */
const SCANNING = [
  "SELECT * FROM users WHERE email = $1",
  "SELECT id FROM users WHERE email_key <> $1",
  "SELECT id FROM users ORDER BY id LIMIT 10",
  "SELECT users.id FROM sessions JOIN users ON users.email = sessions.ip WHERE sessions.secret_hash = $1",
  "UPDATE users SET updated_at = $1 WHERE signed_in_at < $2",
  "DELETE FROM sessions WHERE ends_at < $1",
  "DELETE FROM sessions WHERE secret_hash IN (SELECT secret_hash FROM sessions WHERE created_at <= $1 LIMIT $2)",
  "DELETE FROM tokens WHERE secret_hash = $1",
  "INSERT INTO keys (id, purpose, secret, created_at) SELECT id, purpose, secret, created_at FROM keys WHERE secret = $1",
];

async function scans(service: Service, statements: string[]): Promise<string[]> {
  const { db, config } = service.auth;
  return service.engine === "sqlite"
    ? await sqliteScans(db, statements)
    : await postgresScans(config.databaseUrl, statements);
}

test("the plan check finds statements that read a whole table", async (service) => {
  for (const sql of SCANNING) {
    const [caught, ...more] = await scans(service, [sql]);
    assert.ok(caught?.startsWith(`${sql}: `), `${sql} was not caught`);
    assert.deepEqual(more, []);
  }
  assert.equal((await scans(service, SCANNING)).length, SCANNING.length);
});

test("a statement that reads a whole table fails the test that ran it", async (service) => {
  const { db, config } = service.auth;
  const good = "SELECT * FROM users WHERE id = $1";
  await assertNoScan(service.engine, config.databaseUrl, db, new Set([good]));
  await assert.rejects(assertNoScan(service.engine, config.databaseUrl, db, new Set([good, SCANNING[0]])), {
    name: "AssertionError",
    message: /statements that scan a table/,
  });
});

test("the main endpoints and the sweep run, so that the plan check sees their statements", async (service) => {
  const email = "guillaume@holberton.io";
  await service.register(email, "b4l0u");
  const first = await service.logIn(email, "b4l0u");
  const login = await service.request("POST", "/sessions", { form: { email, password: "b4l0u" }, session: first });
  assert.equal(login.status, 200);
  const session = await service.logIn(email, "b4l0u");
  service.clock.now += 3_600_000;
  assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  assert.equal((await service.send("DELETE", "/sessions", undefined, session))[0], 302);
  const [, asked] = await service.send("POST", "/reset_password", { email });
  const { reset_token } = asked as { reset_token: string };
  const reset = { email, reset_token, new_password: "t4rt1fl3tt3" };
  assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
  await sweep(service.auth);
});

test("guesses beyond the limit read no whole table", async (service) => {
  const statuses = [];
  for (let tries = 0; tries < 11; tries++) {
    statuses.push((await service.send("POST", "/sessions", { email: "a@example.com", password: "wrong" }))[0]);
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429]);
});

test("an account's lifecycle reads no whole table", runAccountLifecycle, PUBLIC_SETTINGS);

/** Statements of the source that no request of these tests runs; the test below checks their plans. */
const NOT_IN_REQUESTS = [
  // Of the mail worker, when a server refuses; and giving a guess back when the hash queue is full.
  "UPDATE events SET mail_at = $1 WHERE id = $2 AND mail_at = $3",
  "SELECT id, mail_at FROM events WHERE mail_at <= $1 AND mail_tries >= $2 AND mail_tries <= $3 ORDER BY mail_until, mail_at LIMIT $4",
  "DELETE FROM guesses WHERE id = $1 AND count <= $2",
  "UPDATE guesses SET count = count - $2, next_at = 0 WHERE id = $1 AND count > $2",
  // Of the hourly count of hashes, in a table of more than 100,000 users; and of `secrets rotate`.
  "SELECT id FROM users WHERE id > $1 ORDER BY id DESC LIMIT 1",
  "DELETE FROM keys WHERE id = $1",
  // Of `explain`.
  "SELECT count, expires_at FROM counters WHERE id = $1",
  // Of the metrics, which have their own port.
  "SELECT created_at FROM events WHERE mail_at > 0 AND mail <> $1 ORDER BY mail_at LIMIT $2",
  // An account's first password.
  "UPDATE users SET hashed_password = $1, updated_at = $2 WHERE id = $3 AND hashed_password IS NULL",
  // In code only: a session is made without a password, a hash is renewed.
  "UPDATE users SET signed_in_at = $1 WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL RETURNING *",
  "UPDATE users SET hashed_password = $1 WHERE id = $2 AND hashed_password = $3",
  // The operator's, for one account, and the doctor's for late mails.
  "UPDATE users SET disabled_at = $1, updated_at = $1 WHERE id = $2 AND disabled_at IS NULL",
  "UPDATE users SET disabled_at = NULL, updated_at = $1 WHERE id = $2 AND disabled_at IS NOT NULL",
  "DELETE FROM users WHERE id = $1 RETURNING email_key",
  "SELECT * FROM events WHERE mail_at <= $1 AND mail <> $2 ORDER BY mail_at LIMIT $3",
  // The gate's, for accounts that need a second factor.
  "INSERT INTO pending_logins (secret_hash, user_id, methods, purpose, password_mark, created_at, expires_at, ip, " +
  "user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
  "DELETE FROM pending_logins WHERE secret_hash = $1 AND expires_at > $2 RETURNING *",
  "SELECT secret_hash FROM pending_logins WHERE user_id = $1 ORDER BY created_at DESC, secret_hash LIMIT 1000 OFFSET $2",
  "DELETE FROM pending_logins WHERE secret_hash = $1 AND user_id = $2",
  // A login beyond the hundredth session.
  "DELETE FROM sessions WHERE secret_hash = $1 AND user_id = $2",
  // Of forms with an id, which only browsers with cookies send.
  "INSERT INTO form_posts (id, word, expires_at) VALUES ($1, NULL, $2) ON CONFLICT (id) DO UPDATE SET word = NULL, " +
  "expires_at = $2 WHERE form_posts.expires_at <= $3 OR form_posts.expires_at > $4 RETURNING id",
  "SELECT word FROM form_posts WHERE id = $1",
  "UPDATE form_posts SET word = $1, expires_at = $2 WHERE id = $3",
  "DELETE FROM form_posts WHERE id = $1 AND word IS NULL",
];

/** The command line's lists and imports. They may read a whole table; a request that ran one would fail its test. */
const COMMANDS_ONLY = [
  "SELECT * FROM events WHERE ${where} ORDER BY id LIMIT $1",
  "SELECT * FROM events WHERE ${where} ORDER BY id DESC LIMIT $1",
  "SELECT * FROM events WHERE created_at >= $1 AND (mail LIKE $2 ESCAPE $3 OR details LIKE $2 ESCAPE $3) " +
  "ORDER BY id DESC LIMIT 20",
  "SELECT * FROM users WHERE email_key > $1 AND email_key LIKE $2 ESCAPE $3 ORDER BY email_key LIMIT $4",
  "SELECT id, email FROM users WHERE ${where}",
  "INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, signed_in_at, " +
  "email_verified_at, name, locale, frozen_at, closed_at, purge_at, disabled_at, device_mark) " +
  "VALUES ${rows} ON CONFLICT DO NOTHING RETURNING id, email_key",
  "SELECT email_key FROM tokens WHERE ${where}",
];

for (const engine of ENGINES) {
  Deno.test(`the plan check saw every statement of a request and of the sweep [${engine}]`, () => {
    const shown = shownTo(engine).map((sql) => sql.replace(/\s+/g, " ").trim());
    const files = [
      "users",
      "sessions",
      "pending_logins",
      "tokens",
      "keys",
      "events",
      "counters",
      "guesses",
      "form_posts",
    ].map((
      name,
    ) => `db/${name}.ts`);
    const missing = sqlTexts().filter(({ file }) => files.includes(file)).map(({ sql }) => sql)
      .filter((sql) =>
        ![...NOT_IN_REQUESTS, ...COMMANDS_ONLY].includes(sql) && !shown.some((text) => patternOf(sql).test(text))
      );
    assert.deepEqual(missing, []);
  });
}

/** Matches a statement whatever text replaces `${…}`. */
function patternOf(sql: string): RegExp {
  const parts = sql.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}$`);
}

test("statements that no request of these tests runs read no whole table either", async (service) => {
  for (const sql of [...NOT_IN_REQUESTS, ...COMMANDS_ONLY]) {
    assert.ok(sqlTexts().some((text) => text.sql === sql), `${sql} is gone`);
  }
  assert.deepEqual(await scans(service, NOT_IN_REQUESTS), []);
});

test("PostgreSQL's statistics of a table with one row do not disturb the plan check", async (service) => {
  await service.register("anna@example.com", "correct horse");
  const session = await service.logIn("anna@example.com", "correct horse");
  if (service.engine === "postgres") await service.rows("ANALYZE");
  assert.equal((await service.request("GET", "/profile", { session })).status, 200);
});
