/**
 * F20: databases of every earlier schema, including the exercise's own table, are upgraded to the current one and keep
 * what their users rely on.
 *
 * @module
 */
import assert from "node:assert/strict";
import bcrypt from "bcrypt";
import { hashToken, newId, randomToken } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { migrate, MIGRATIONS } from "../../db/migrations.ts";
import { fixtureDatabase, rowsOf, runSql } from "../kit/fixtures.ts";
import { openService } from "../kit/opened_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

/** Secrets of the classic fixture, which must not be stored after the upgrade. */
const PLAIN_SECRETS = [
  "6f1c9a52-3d54-4f0e-9d0e-7f3b7f2b6a11",
  "0c6b7a1e-52a4-4f43-8f31-2a5b8c9d0e1f",
  "a2d9c1f4-7b3e-4c58-9e21-5d6f7a8b9c0d",
];

for (const engine of ENGINES) {
  Deno.test(`F20: after an upgrade from 0004 passwords, sessions, tokens and keys work [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "0004");
    await using service = await openService(url);
    const cookie = "5xMkCgxuSFG_rYxkY90OUBEDKLRez34tmGPr-211Qik";
    const profile = await service.send("GET", "/profile", undefined, cookie);
    assert.deepEqual(await profile.json(), { email: "Ada@Example.com" });
    const email = "ada@example.com";
    await service.logIn(email, "correct horse");
    const update = { email, reset_token: "EkJ22He42pvuDwD8pT3yfJosBPZfWmOZ-krSaakbghY", new_password: "another horse" };
    assert.equal(await service.status("PUT", "/reset_password", update), 200);
    assert.equal(await service.status("GET", "/profile", undefined, cookie), 403);
    await service.logIn(email, "another horse");
    const keys = await rowsOf(url, "SELECT id, secret FROM keys WHERE created_at = 1700000000000 ORDER BY id");
    assert.deepEqual(keys, [
      { id: "code-1", secret: "aKeyOfTheFixtureThatNobodyElseHasEverUsed01" },
      { id: "device-1", secret: "aKeyOfTheFixtureThatNobodyElseHasEverUsed00" },
    ]);
  });

  Deno.test(`F20: after an upgrade from 0008 accounts, codes, events and limits work [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "0008");
    await using service = await openService(url);
    const cookie = "5xMkCgxuSFG_rYxkY90OUBEDKLRez34tmGPr-211Qik", password = "correct horse";
    const account = await (await service.send("GET", "/account", undefined, cookie)).json();
    assert.deepEqual([account.email, account.name, account.locale], ["Ada@Example.com", "Ada \u0141ovelace", "fr"]);
    assert.equal(account.email_verified_at, null);
    const { events } = await (await service.send("GET", "/account/events", undefined, cookie)).json();
    assert.deepEqual(events.map(({ type, ip }: Record<string, string>) => [type, ip]), [["registered", "192.0.2.7"]]);
    // The code of a mail from before the upgrade; its key was kept.
    const proof = { email: "ada@example.com", code: "1234 5678" };
    assert.equal(await service.status("PUT", "/verify_email", { ...proof, code: "12345679" }), 403);
    assert.equal(await service.status("PUT", "/verify_email", proof), 200);
    await service.logIn("ada@example.com", password);
    // Strangers have used up their guesses at Bob's password as before; Carol's account is closed, Dave's is frozen.
    assert.equal(await service.status("POST", "/sessions", { email: "bob@example.com", password }), 429);
    for (const email of ["carol@example.com", "dave@example.com"]) {
      assert.equal(await service.status("POST", "/sessions", { email, password }), 401, email);
    }
    const users = await rowsOf(url, "SELECT disabled_at, purge_at FROM users ORDER BY id");
    assert.deepEqual(users.map((row) => [row.disabled_at, row.purge_at === null ? null : Number(row.purge_at)]), [
      [null, null],
      [null, null],
      [null, 4102444800000],
      [null, null],
    ]);
  });

  Deno.test(`F20: a session of a version that kept no methods counts as one by password [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "0008");
    await using service = await openService(url);
    const cookie = "5xMkCgxuSFG_rYxkY90OUBEDKLRez34tmGPr-211Qik", password = "correct horse";
    // Its user was authenticated when the session began, which is not recent.
    assert.equal(await service.status("GET", "/account/export", undefined, cookie), 403);
    const form = { current_password: password, new_password: "another horse" };
    assert.equal(await service.status("PUT", "/password", form, cookie), 200);
    const [session] = await rowsOf(url, "SELECT methods, authenticated_at FROM sessions");
    assert.deepEqual([session.methods, Number(session.authenticated_at)], ["password", service.clock.now]);
  });

  Deno.test(`F20: users of the exercise keep their passwords, and the log names what is left out [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "classic");
    await using service = await openService(url);
    await service.logIn("guillaume@holberton.io", "b4l0u");
    // Of two rows that are one address today, the lowest id is kept; its hash was stored as bytes.
    const session = await service.logIn("BOB@example.com", "t4rt1fl3tt3");
    const profile = await service.send("GET", "/profile", undefined, session);
    assert.deepEqual(await profile.json(), { email: "bob@example.com" });
    assert.equal(await service.status("POST", "/sessions", { email: "bob@example.com", password: "b4l0u" }), 401);
    // A value that is no hash accepts no password; the owner can use a reset.
    const eve = { email: "eve@example.com", password: "SuperHashedPwd" };
    assert.equal(await service.status("POST", "/sessions", eve), 401);
    const { reset_token } = await (await service.send("POST", "/reset_password", eve)).json();
    const update = { email: eve.email, reset_token, new_password: "correct horse" };
    assert.equal(await service.status("PUT", "/reset_password", update), 200);
    const lines = service.logged.map((entry) => entry.classic_users).filter((line) => line !== undefined);
    assert.deepEqual(lines, [
      "3 users of the classic table were taken over; id 4 left out, since the address is not valid; " +
      "id 3 left out, since a lower id has the same address; what was left out is in the table classic_users_left_out",
    ]);
    const left = await rowsOf(url, "SELECT id, email FROM classic_users_left_out ORDER BY id");
    assert.deepEqual(left.map((row) => [Number(row.id), row.email]), [[3, "Bob@Example.com"], [4, "not an address"]]);
  });

  Deno.test(`F20: sessions and tokens in plain text are removed by the upgrade [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "classic");
    {
      await using service = await openService(url);
      for (const cookie of PLAIN_SECRETS) {
        assert.equal(await service.status("GET", "/profile", undefined, cookie), 403);
      }
      const update = { email: "guillaume@holberton.io", reset_token: PLAIN_SECRETS[1], new_password: "correct horse" };
      assert.equal(await service.status("PUT", "/reset_password", update), 403);
    }
    if (engine === "postgres") {
      const columns = await rowsOf<{ column_name: string }>(
        url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'",
      );
      assert.deepEqual(columns.filter((row) => ["session_id", "reset_token"].includes(row.column_name)), []);
      return;
    }
    // Also not in free pages of the file.
    const file = url.slice("sqlite:".length);
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(file));
    for (const secret of PLAIN_SECRETS) assert.ok(!bytes.includes(secret), "a secret is still in the file");
    assert.ok(bytes.includes("guillaume@holberton.io"));
  });

  Deno.test(`F20: the second start after an upgrade changes nothing [${engine}]`, async () => {
    const url = await fixtureDatabase(engine, "classic");
    await (await openService(url))[Symbol.asyncDispose]();
    const users = "SELECT id, email, hashed_password FROM users ORDER BY id";
    const before = await rowsOf(url, users);
    // A user who was taken over is deleted; the row that was left out must not take that user's place (V57).
    await runSql(url, "DELETE FROM users WHERE email_key = 'bob@example.com'");
    await using service = await openService(url);
    assert.deepEqual(await rowsOf(url, users), before.filter((row) => row.email !== "bob@example.com"));
    assert.deepEqual(service.logged, []);
  });

  Deno.test(`A1: undo links of two changes from before 0011 end in the right order [${engine}]`, async () => {
    const url = await emptyDatabase(engine);
    const user = newId(1), now = Date.now(), hashed = await bcrypt.hash("correct horse", 4);
    const links = ["a", "b"].map((email, index) => ({ email, id: newId(now + index), token: randomToken() }));
    {
      await using db = await DB.open(url, { folder: "/tmp" });
      await migrate(db, 1, MIGRATIONS.slice(0, MIGRATIONS.findIndex(({ name }) => name === "0011_email_changes")));
      await db.run(
        `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at)
         VALUES ($1, 'c@example.com', 'c@example.com', $2, 1, 1)`,
        user,
        hashed,
      );
      for (const { email, id, token } of links) {
        await db.run(
          `INSERT INTO events (id, type, user_id, created_at, details, mail_tries)
           VALUES ($1, 'email_changed', $2, $3, '{}', 0)`,
          id,
          user,
          now,
        );
        await db.run(
          `INSERT INTO tokens (purpose, subject, secret_hash, user_id, created_at, expires_at, email, email_key,
             hashed_password) VALUES ('undo', $1, $2, $3, $4, $5, $6, $6, $7)`,
          id,
          hashToken(token),
          user,
          now,
          now + 72 * 60 * 60_000,
          `${email}@example.com`,
          hashed,
        );
      }
    }
    await using service = await openService(url);
    for (const { email, token } of links.toReversed()) {
      const status = await service.status("POST", "/undo", { undo_token: token, password: "correct horse" });
      assert.equal(status, 200);
      const [row] = await rowsOf(url, "SELECT email, email_changes FROM users");
      assert.deepEqual([row.email, Number(row.email_changes)], [`${email}@example.com`, email === "a" ? 0 : 1]);
    }
  });

  Deno.test(`F20: a foreign table named users refuses the start and is not changed [${engine}]`, async () => {
    const url = await emptyDatabase(engine);
    await runSql(url, "CREATE TABLE users (name TEXT); INSERT INTO users (name) VALUES ('ada')");
    await assert.rejects(openService(url), /a table users that is not this program's/);
    assert.deepEqual(await rowsOf(url, "SELECT name FROM users"), [{ name: "ada" }]);
  });

  Deno.test(`F20: a database newer than the program refuses the start [${engine}]`, async () => {
    const url = await emptyDatabase(engine);
    await (await openService(url))[Symbol.asyncDispose]();
    await runSql(url, "INSERT INTO migrations (name, applied_at) VALUES ('9999_later', 1)");
    await assert.rejects(openService(url), /newer than this program \(it has 9999_later\)/);
    await runSql(url, "DELETE FROM migrations WHERE name = '9999_later'");
    await using service = await openService(url);
    assert.equal((await service.auth.db.all("SELECT name FROM migrations")).length, MIGRATIONS.length);
  });
}
