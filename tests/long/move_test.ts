/**
 * Moves 100,000 users from SQLite to PostgreSQL and back by the real command; all rows must be the same after that.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Digest } from "../../auth/maintenance/move.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { makeKeys } from "../../auth/runtime/keyring.ts";
import { hashToken, newId, randomToken } from "../../auth/secrets.ts";
import { validLogin } from "../../auth/sign_in/exercise.ts";
import { DB } from "../../db/db.ts";
import type { Row } from "../../db/engines/driver.ts";
import { addPage, PAGE, TABLES } from "../../db/maintenance/copy.ts";
import { migrate } from "../../db/migrations.ts";
import { bareEnvironment, PROJECT } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES, testConfig } from "../kit/service.ts";

const USERS = 100_000;
/** The users with a known password: bcrypt's hash of `b4l0u` at cost 4, made once by {@linkcode realHash}. */
const KNOWN = [0, 1, 49_999, 99_999];

Deno.test("100,000 users move from SQLite to PostgreSQL and back unchanged", {
  ignore: ENGINES.length < 2,
}, async () => {
  const folder = `data/move_test_${crypto.randomUUID()}`;
  const urls = [`sqlite:${folder}/old.db`, await emptyDatabase("postgres"), `sqlite:${folder}/new.db`];
  await Deno.mkdir(`${PROJECT}/${folder}`, { recursive: true });
  try {
    const hashed = await realHash();
    await using source = await DB.open(urls[0], { folder: PROJECT });
    await migrate(source, Date.now());
    await makeKeys(source, Date.now());
    await fill(source, hashed);
    const before = await digests(source);
    const tenth = USERS / 10;
    assert.deepEqual(before.map(({ rows }) => rows), [USERS, USERS, tenth, tenth, 4, tenth, tenth, tenth, tenth]);

    const tables: string[] = [];
    for (const [index, from] of urls.slice(0, -1).entries()) tables.push(await move(from, urls[index + 1]));
    assert.equal(tables[1], tables[0], "both moves tell the same digests");
    for (const url of urls) {
      await using db = await DB.open(url, { folder: PROJECT, existing: true });
      assert.deepEqual(await digests(db), before, "as counted by the test itself");
    }

    const auth = await openAuth(testConfig({ DATABASE_URL: urls[2] }), {
      folder: PROJECT,
      log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
    });
    try {
      for (const index of KNOWN) {
        assert.equal(await validLogin(auth, email(index), "b4l0u"), true);
        assert.equal(await validLogin(auth, email(index), "b4l0v"), false);
      }
    } finally {
      await closeAuth(auth);
    }
  } finally {
    await Deno.remove(`${PROJECT}/${folder}`, { recursive: true });
  }
});

async function realHash(): Promise<string> {
  const { default: bcrypt } = await import("bcrypt");
  return await bcrypt.hash("b4l0u", 4);
}

/** Some addresses are not ASCII, so that the engines sort them differently. */
function email(index: number): string {
  return `user${index}@${["example.com", "exämple.com", "ÉXAMPLE.org"][index % 3]}`;
}

/** Inserts users, a session for each, a pending login and a token for each tenth, in one transaction. */
async function fill(db: DB, hashed: string): Promise<void> {
  await db.transaction(async (tx) => {
    for (let start = 0; start < USERS; start += PAGE) {
      const now = Date.now() + start;
      const users = Array.from({ length: PAGE }, (_, offset) => ({
        id: newId(now),
        email: email(start + offset),
        email_key: email(start + offset).split("@")[0] + "@" +
          new URL(`http://${email(start + offset).split("@")[1]}`).host,
        hashed_password: KNOWN.includes(start + offset) ? hashed : `$2b$04$${randomToken()}0123456789`,
        created_at: now,
        updated_at: now + offset,
        email_changes: offset,
        signed_in_at: offset % 2 ? null : now,
      }));
      const sessions = users.map((user, index) => ({
        secret_hash: hashToken(randomToken()),
        id: newId(now),
        user_id: user.id,
        created_at: now,
        last_seen_at: now,
        expires_at: now + 1,
        ends_at: now + 2,
        methods: index % 2 ? "password totp" : null,
        authenticated_at: index % 2 ? now : null,
        ip: null,
        user_agent: "naïve 🐱",
      }));
      const pending_logins = users.filter((_, offset) => offset % 10 === 1).map((user) => ({
        secret_hash: hashToken(randomToken()),
        user_id: user.id,
        methods: "password",
        purpose: "login",
        password_mark: hashToken(user.hashed_password),
        created_at: now,
        expires_at: now + 1,
      }));
      const tokens = users.filter((_, offset) => offset % 10 === 0).map((user) => ({
        purpose: "reset",
        subject: user.id,
        secret_hash: hashToken(randomToken()),
        user_id: user.id,
        created_at: now,
        expires_at: now + 1,
      }));
      const events = tokens.map((token) => ({
        id: newId(now),
        type: "registered",
        user_id: token.user_id,
        created_at: now,
        details: "{}",
        mail_tries: 0,
      }));
      const counters = tokens.map(({ subject }) => ({ id: `mail:${subject}`, count: 1, expires_at: now }));
      const guesses = tokens.map(({ subject }) => ({
        id: `account:${subject}`,
        count: 1,
        next_at: 0,
        expires_at: now,
      }));
      const form_posts = tokens.map((_, index) => ({
        id: hashToken(randomToken()),
        word: index % 2 ? "done" : null,
        expires_at: now,
      }));
      for (
        const [name, rows] of Object.entries({
          users,
          sessions,
          pending_logins,
          tokens,
          events,
          counters,
          guesses,
          form_posts,
        })
      ) {
        const table = TABLES.find((each) => each.name === name)!;
        await addPage(tx, table, rows.map((row) => whole(row, table.columns)));
      }
    }
  });
}

/** A row with null in each missing column. */
function whole(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

/** Rows and digest of each table by plain statements, without the pages of the move. */
async function digests(db: DB): Promise<{ name: string; rows: number; value: string }[]> {
  const all = [];
  for (const { name, columns } of TABLES) {
    const digest = new Digest(columns);
    digest.add(await db.all(`SELECT * FROM ${name}`));
    all.push({ name, rows: digest.rows, value: digest.value });
  }
  return all;
}

/** Runs the command and returns its table. Prints how long it took. */
async function move(from: string, to: string): Promise<string> {
  const start = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "move", "--to", to],
    cwd: PROJECT,
    clearEnv: true,
    env: { ...bareEnvironment(), DATABASE_URL: from },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  console.log(`${from.split(":")[0]} to ${to.split(":")[0]}: ${Math.round(performance.now() - start)} ms`);
  return new TextDecoder().decode(stdout);
}
