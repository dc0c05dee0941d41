/**
 * Hashes of other costs than the configured one, as an import or a changed setting leaves them: they tell nobody who
 * has an account, and a login renews them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { hashPassword } from "../../auth/credentials/passwords.ts";
import { countStoredCosts } from "../../auth/credentials/stored_costs.ts";
import { HashQueue } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { recordHashes } from "../kit/hash_recorder.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** Plain hashes and prehashed ones. Nobody knows a password for them. */
const PLAIN = (cost: number) => `$2b$${String(cost).padStart(2, "0")}$${"a".repeat(53)}`;
const PREHASHED = (cost: number) => `$bcrypt-sha256$v=2,t=2b,r=${cost}$${"a".repeat(22)}$${"a".repeat(31)}`;

let inserted = 0;
/** Adds users with these hashes, and returns their addresses. */
async function addUsers(service: Service, hashes: (string | null)[], columns: Record<string, number> = {}) {
  const emails: string[] = [];
  const names = Object.keys(columns).map((name) => `, ${name}`).join("");
  for (const hash of hashes) {
    const email = `user${++inserted}@example.com`;
    emails.push(email);
    const values = [`id${String(inserted).padStart(6, "0")}`, email, ...hash === null ? [] : [hash]];
    await service.rows(
      `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, email_verified_at${names})
       VALUES ($1, $2, $2, ${hash === null ? "NULL" : "$3"}, 0, 0, 1${
        Object.values(columns).map((value) => `, ${value}`).join("")
      })`,
      ...values,
    );
  }
  return emails;
}

/** The costs of the hashes of one refused login, by a bcrypt that only notes them. */
async function costsOf(service: Service, email: string, password = "wrong password"): Promise<string> {
  const costs: number[] = [];
  const hashQueue = new HashQueue({
    most: 1,
    bcrypt: (_, salt) => {
      costs.push(Number(salt.slice(4, 6)));
      return Promise.resolve(salt + "x".repeat(31));
    },
  });
  const app = createApp({ ...service.auth, hashQueue });
  await service.rows("DELETE FROM counters");
  const response = await service.requestTo(app, "POST", "/sessions", { form: { email, password } });
  assert.equal(response.status, 401);
  return costs.join("+");
}

async function tally(service: Service, emails: string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const email of emails) {
    const costs = await costsOf(service, email);
    counts.set(costs, (counts.get(costs) ?? 0) + 1);
  }
  return counts;
}

async function fixKey(service: Service): Promise<void> {
  await service.rows("UPDATE keys SET secret = 'the same in each run' WHERE purpose = 'work'");
}

test("A7: number and cost of hashes are as frequent at unknown addresses as at accounts", async (service) => {
  await fixKey(service);
  // Of 20: 4 below the set cost, 10 with it, 6 above it.
  const hashes = Array.from({ length: 40 }, (_, index) => {
    const kind = index % 20;
    if (kind < 3) return PLAIN(4);
    if (kind < 4) return PREHASHED(5);
    if (kind < 14) return PLAIN(6);
    return kind < 18 ? PLAIN(9) : PREHASHED(12);
  });
  const known = await tally(service, await addUsers(service, hashes));
  const shares = { "4+4+5": 6, "5+5": 2, "6": 20, "9": 8, "12": 4 };
  assert.deepEqual(Object.fromEntries(known), shares);
  const unknown = await tally(service, Array.from({ length: 200 }, (_, index) => `nobody${index}@example.com`));
  assert.deepEqual([...unknown.keys()].sort(), Object.keys(shares).sort());
  for (const [costs, share] of Object.entries(shares)) {
    const seen = unknown.get(costs)! / 5;
    assert.ok(Math.abs(seen - share) < 3, `${costs}: ${seen} of 40 instead of ${share}`);
  }
}, { BCRYPT_COST: "6" });

test(
  "A7: one address always costs the same, in every spelling, on every instance and after a restart",
  async (service) => {
    await addUsers(service, [4, 5, 6, 7, 8, 9, 10, 11].map(PLAIN));
    const emails = Array.from({ length: 30 }, (_, index) => `nobody${index}@example.com`);
    const before = await Promise.all(emails.map((email) => costsOf(service, email)));
    assert.ok(new Set(before).size > 3, "the addresses differ");
    for (const each of [service, await service.another()]) {
      for (const [index, email] of emails.entries()) {
        await service.rows("DELETE FROM guesses");
        assert.equal(await costsOf(each, email.replace("nobody", "NoBody")), before[index], email);
        assert.equal(await costsOf(each, email, "x".repeat(80)), before[index], "a long password");
      }
    }
  },
  { BCRYPT_COST: "4" },
);

test("A7: an address whose account may not log in costs what it would cost without the account", async (service) => {
  await fixKey(service);
  await addUsers(service, [4, 5, 6, 7, 8, 9, 10, 11].map(PLAIN));
  const states: [string, string | null, Record<string, number>][] = [
    ["closed", PLAIN(16), { closed_at: 1, purge_at: 9e15 }],
    ["disabled", PLAIN(16), { disabled_at: 1 }],
    ["without a password", null, {}],
    ["with an unreadable hash", "$2x$05$6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS", {}],
  ];
  for (const [state, hash, columns] of states) {
    for (const email of await addUsers(service, [hash, hash, hash, hash], columns)) {
      const costs = await costsOf(service, email);
      assert.notEqual(costs, "16", state);
      await service.rows("DELETE FROM users WHERE email_key = $1", email);
      assert.equal(await costsOf(service, email), costs, state);
    }
  }
  const [unproven] = await addUsers(service, [PLAIN(16)]);
  await service.rows("UPDATE users SET email_verified_at = NULL WHERE email_key = $1", unproven);
  assert.notEqual(await costsOf(service, unproven), "16");
}, { ...PUBLIC_SETTINGS, BCRYPT_COST: "10" });

test("A7: without any hash, an unknown address costs one hash of the set cost", async (service) => {
  for (const email of ["nobody@example.com", "@", "x".repeat(300)]) assert.equal(await costsOf(service, email), "5");
}, { BCRYPT_COST: "5" });

test("A7: the count reads every user in pages, and only hashes that a login compares", async (service) => {
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)";
  await service.rows(
    `INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at, email_verified_at)
     ${numbers} SELECT 'u' || i, 'u' || i, 'u' || i,
       CASE WHEN i <= 13 THEN CAST($1 AS TEXT) ELSE CAST($2 AS TEXT) END, 0, 0, 1 FROM n`,
    PLAIN(13),
    PREHASHED(4),
  );
  await addUsers(service, [PLAIN(16)], { disabled_at: 1 });
  await addUsers(service, [null]);
  const texts: string[] = [];
  const unwatch = service.watch((sql) => texts.push(sql));
  const counts = await countStoredCosts(service.auth.db, service.auth.config);
  unwatch();
  assert.deepEqual(Object.fromEntries(counts), { "bcrypt 13": 13, "bcrypt 4": 2587 });
  assert.equal(texts.length, 3);
  // Of a larger table a bounded number of pages is read.
  texts.length = 0;
  const unwatchSample = service.watch((sql) => texts.push(sql));
  const sample = await countStoredCosts(service.auth.db, service.auth.config, { page: 100, mostPages: 5 });
  unwatchSample();
  assert.ok(sample.size > 0);
  assert.equal(texts.length, 5 + 2 + 5);
});

test("A7: the table is counted once, and the next login does not count again", async (service) => {
  await addUsers(service, [PLAIN(4)]);
  let counted = 0;
  const unwatch = service.watch((sql) => counted += sql.startsWith("SELECT id, hashed_password, closed_at") ? 1 : 0);
  for (let login = 0; login < 3; login++) {
    await Promise.all(["a@example.com", "b@example.com"].map((email) => costsOf(service, email)));
  }
  unwatch();
  assert.equal(counted, 1);
});

test(
  "S11, A7: a login renews a hash that is dearer than the set cost, and after it costs the set cost",
  async (service) => {
    const { auth, costs } = recordHashes(service.auth);
    const app = createApp(auth);
    for (const [name, password] of [["short", "b4l0u"], ["long", "b4l0u".repeat(20)]]) {
      const email = `${name}@x.test`;
      await service.register(email, password);
      const dear = await hashPassword({ ...service.auth, config: { ...service.auth.config, bcryptCost: 7 } }, password);
      await service.rows("UPDATE users SET hashed_password = $1 WHERE email_key = $2", dear, email);
      const logIn = async () => {
        costs.length = 0;
        const response = await service.requestTo(app, "POST", "/sessions", { form: { email, password } });
        assert.equal(response.status, 200);
        return [...costs];
      };
      assert.deepEqual(await logIn(), [7, 5], name);
      const [{ hashed_password }] = await service.rows("SELECT hashed_password FROM users WHERE email_key = $1", email);
      assert.match(String(hashed_password), /^\$2b\$05\$|,r=5\$/);
      assert.deepEqual(await logIn(), [5], name);
    }
  },
  { BCRYPT_COST: "5" },
);
