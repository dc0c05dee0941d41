/**
 * The part `million`: whether a session check and a login cost more with very many users and sessions, asked for at
 * random, and whether the sweep is fast enough. On SQLite; rows are inserted by SQL, because a million hashes would take
 * a day.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { hashToken, randomToken } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { sweepSessions } from "../../db/sessions.ts";
import { cookieFile, cookieOf } from "./people.ts";
import { type Amount, type Asked, checks } from "./profile.ts";
import type { Program } from "./program.ts";
import { inRounds } from "./rounds.ts";
import { fillService, PASSWORD, passwordHash, startBare, startService } from "./servers.ts";
import type { Cell, Table } from "./table.ts";

/** Logins of one slice. */
const LOGINS = 100;
/** One session of this many has already ended, for the sweep to delete. */
const ENDED = 10;
/** One session of this many is asked for: so many that each one's pages have left the caches again. */
const KNOWN = 15;

/** Compares a database of ten thousand users with one of this many, three sessions each. */
export async function million(folder: string, users: number, { rounds, count }: Amount): Promise<Table[]> {
  const asked: Asked[] = [];
  const services: Program[] = [];
  let bytes = { user: 0, session: 0 }, swept = 0;
  const full = `${folder}/full`;
  for (const place of [`${folder}/small`, full]) {
    await Deno.mkdir(place);
    const filled = await fillService(place, {}, { hash: await passwordHash(4) });
    await filled.program.stop();
    const file = `${place}/service.db`;
    let { cookies } = filled;
    if (place === full) {
      bytes = crowd(file, users);
      // Before the service starts, or it would do this work itself while it is measured.
      swept = await sweepRate(place);
      cookies = await cookieFile(place, knownSessions(file));
    }
    const program = await startService(place, { THROTTLE: "observe" });
    services.push(program);
    const size = place === full ? "full" : "small";
    asked.push({
      name: `Hono + SQLite lookup, ${size}`,
      program: await startBare("bare_sqlite.ts", file, "headers"),
      cookies,
    });
    asked.push({ name: `Bienvenue, ${size}`, program, cookies });
  }
  const [bareSmall, small, bareFull, big] = asked.map(({ name }) => name);
  const cpu = (name: string, against: string) => ({ key: "cpu", name, against });
  const ratios = [cpu(small, bareSmall), cpu(big, bareFull), cpu(big, small), cpu(bareFull, bareSmall)];
  const results = await inRounds(asked.map((one) => checks(one, count, 16)), rounds, ratios);
  const logins = await inRounds(
    services.map((program, index) => ({ name: ["small", "full"][index], slice: () => logIn(program) })),
    rounds,
    [cpu("full", "small")],
  );
  const row = (name: string, ...ratios: Cell[]): Cell[] => [name, results.spread(name, "cpu"), ...ratios];
  const number = (count: number): string => count.toLocaleString("en");
  const ended = Math.floor(users * 3 / ENDED);
  return [
    {
      title: `Session checks at random: small is 10,000 users, full ${number(users)} users with ${
        number(users * 3)
      } sessions`,
      columns: ["program and database", "CPU µs", "times the lookup on the same file", "times itself on small"],
      rows: [
        row(bareSmall, 1, 1),
        row(small, results.ratio(ratios[0]), 1),
        row(bareFull, 1, results.ratio(ratios[3])),
        row(big, results.ratio(ratios[1]), results.ratio(ratios[2])),
      ],
    },
    {
      title: `More of ${number(users)} users with ${number(users * 3)} sessions`,
      columns: ["what", "figure"],
      rows: [
        ["login at bcrypt cost 4, times the small database", logins.ratio(cpu("full", "small"))],
        ["bytes a user", bytes.user],
        ["bytes a session", bytes.session],
        [`sweep of ${number(ended)} ended sessions, rows/s`, swept],
      ],
    },
  ];
}

async function logIn(program: Program): Promise<{ cpu: number }> {
  const before = program.cpu();
  for (let login = 0; login < LOGINS; login++) {
    const email = `person${Math.floor(Math.random() * 10_000)}@example.com`;
    const status = await program.post("/sessions", { email, password: PASSWORD });
    if (status !== 200) throw new Error(`a login was answered ${status}`);
  }
  return { cpu: (program.cpu() - before) * 1_000 / LOGINS };
}

/** Gives some live sessions, evenly over the table, a secret that is known here. Returns their cookies. */
function knownSessions(file: string): string[] {
  using database = new DatabaseSync(file);
  const rows = database.prepare("SELECT rowid AS id FROM sessions WHERE rowid % ? = 0 AND expires_at > ?")
    .all(KNOWN, Date.now());
  const update = database.prepare("UPDATE sessions SET secret_hash = ? WHERE rowid = ?");
  database.exec("PRAGMA synchronous = OFF; BEGIN");
  const cookies = rows.map(({ id }) => {
    const token = randomToken();
    update.run(hashToken(token), id);
    return cookieOf(token);
  });
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  return cookies;
}

/** Fills the tables, and returns the bytes that a row of each adds to the file. */
function crowd(file: string, users: number): { user: number; session: number } {
  using database = new DatabaseSync(file);
  const size = (): number =>
    Object.values(database.prepare("PRAGMA page_count").get()!).map(Number)[0] *
    Object.values(database.prepare("PRAGMA page_size").get()!).map(Number)[0];
  database.exec("PRAGMA synchronous = OFF");
  const before = size();
  const now = Date.now();
  const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)`;
  database.prepare(
    `${count} INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at)
     SELECT lower(printf('%08x-0000-7000-8000-', i) || hex(randomblob(6))), 'user' || i || '@example.com',
       'user' || i || '@example.com', '$2b$12$' || substr(hex(randomblob(27)), 1, 53), ?2, ?2 FROM n`,
  ).run(users, now);
  const between = size();
  // Every user has three sessions on three devices, and a part of them has already ended.
  database.prepare(
    `INSERT INTO sessions (secret_hash, id, user_id, created_at, last_seen_at, expires_at, ends_at, ip, user_agent)
     SELECT substr(hex(randomblob(22)), 1, 43), lower(hex(randomblob(18))), users.id, ?1, ?1 + 86400000,
       ?1 + CASE WHEN abs(random()) % ?2 = 0 THEN -1000 ELSE 604800000 END, ?1 + 2592000000, '192.0.2.1',
       'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'
     FROM users, (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) WHERE users.email LIKE 'user%'`,
  ).run(now, ENDED);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return {
    user: (between - before) / users,
    session: (size() - between) / (3 * users),
  };
}

/** Runs the sweep to its end in batches of its own size, over a connection like the service's. Rows per second. */
async function sweepRate(folder: string): Promise<number> {
  await using db = await DB.open(`sqlite:${folder}/service.db`, { folder });
  const start = performance.now();
  let swept = 0;
  for (let removed = 1; removed > 0; swept += removed) removed = await sweepSessions(db, Date.now(), 500);
  return swept / (performance.now() - start) * 1_000;
}
