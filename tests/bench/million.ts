/**
 * The part `million`: whether a session check and a login cost more with very many users and sessions, and whether the
 * sweep is fast enough. On SQLite; rows are inserted by SQL, because a million hashes would take a day.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { send } from "./load.ts";
import type { Program } from "./program.ts";
import { fillService, PASSWORD, startService } from "./servers.ts";
import { median, type Table } from "./table.ts";

const ROUNDS = 3, CHECKS = 5_000, LOGINS = 100;
/** One session of this many has already ended, for the sweep to delete. */
const ENDED = 10;

/** Compares an empty database with one of this many users, three sessions each. */
export async function million(folder: string, users: number): Promise<Table> {
  const places = [`${folder}/empty`, `${folder}/full`];
  const filled: { program: Program; cookies: string[] }[] = [];
  let bytes: { user: number; session: number } | undefined;
  for (const place of places) {
    await Deno.mkdir(place);
    const { program, cookies } = await fillService(
      await startService(place, { THROTTLE: "observe" }),
    );
    await program.stop();
    if (place === places[1]) bytes = crowd(`${place}/service.db`, users);
    filled.push({
      program: await startService(place, { THROTTLE: "observe" }),
      cookies,
    });
  }
  const cpu = filled.map(() => ({
    check: [] as number[],
    login: [] as number[],
  }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, { program, cookies }] of filled.entries()) {
      const before = program.cpu();
      await send({
        url: `${program.url}/profile`,
        cookies,
        count: CHECKS,
        connections: 16,
      });
      const between = program.cpu();
      for (let login = 0; login < LOGINS; login++) {
        await program.post("/sessions", {
          email: `person${login % 50}@example.com`,
          password: PASSWORD,
        });
      }
      if (round === 0) continue;
      cpu[index].check.push((between - before) * 1_000 / CHECKS);
      cpu[index].login.push((program.cpu() - between) * 1_000 / LOGINS);
    }
  }
  const [check, login] = (["check", "login"] as const).map((kind) => cpu.map((one) => median(one[kind])));
  const ended = Math.floor(users * 3 / ENDED);
  return {
    title: `${users.toLocaleString("en")} users with ${
      (users * 3).toLocaleString("en")
    } sessions, SQLite, against an empty database`,
    columns: ["what", "empty", "full", "times"],
    rows: [
      ["session check, CPU µs", ...check, check[1] / check[0]],
      ["login at bcrypt cost 4, CPU µs", ...login, login[1] / login[0]],
      ["bytes a user", undefined, bytes!.user, undefined],
      ["bytes a session", undefined, bytes!.session, undefined],
      [
        `sweep of ${ended.toLocaleString("en")} ended sessions, rows/s`,
        undefined,
        await sweepRate(places[1], ended),
        undefined,
      ],
    ],
  };
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
     SELECT substr(hex(randomblob(22)), 1, 43), lower(hex(randomblob(18))), users.id, ?1, ?1,
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

/** Runs the sweep in batches of its own size, over a connection like the service's. */
async function sweepRate(place: string, ended: number): Promise<number> {
  const { DB } = await import("../../db/db.ts");
  const { sweepSessions } = await import("../../db/sessions.ts");
  await using db = await DB.open(`sqlite:${place}/service.db`, {
    folder: place,
  });
  const start = performance.now();
  let swept = 0;
  for (
    let removed = 1;
    removed > 0 && swept < Math.min(ended, 50_000);
    swept += removed
  ) {
    removed = await sweepSessions(db, Date.now(), 500);
  }
  return swept / (performance.now() - start) * 1_000;
}
