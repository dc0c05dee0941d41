/**
 * Users and sessions for the benchmark, written straight into the database of a service that has just started: ten
 * thousand logins would take longer than all measurements. Must not measure.
 *
 * @module
 */
import { hashToken, newId, randomToken } from "../../auth/secrets.ts";
import { DB } from "../../db/db.ts";
import { addSession } from "../../db/sessions.ts";
import { addUser } from "../../db/users.ts";

/** Which users are added. */
export interface People {
  users: number;
  /** Sessions of each user. */
  sessions: number;
  /** A bcrypt hash, the same for all; null when nobody will log in. */
  hash: string | null;
}

/** Enough that hardly any session is asked for twice in a row, and all of them fit into a cache. */
const USERS = 10_000;
const DAY = 86_400_000;
const BATCH = 1_000;
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

let files = 0;

/** Adds users named `person0@example.com` and so on, with sessions. Returns the file of the cookies. */
export async function addPeople(folder: string, url: string, people: Partial<People> = {}): Promise<string> {
  const { users = USERS, sessions = 1, hash = null } = people;
  const now = Date.now();
  const cookies: string[] = [];
  await using db = await DB.open(url, { folder });
  const addPerson = async (db: DB, index: number): Promise<void> => {
    const email = `person${index}@example.com`, id = newId(now);
    await addUser(db, { id, email, email_key: email, hashed_password: hash, created_at: now, email_verified_at: now });
    for (let session = 0; session < sessions; session++) {
      const token = randomToken();
      cookies.push(cookieOf(token));
      await addSession(db, {
        secret_hash: hashToken(token),
        id: newId(now),
        user_id: id,
        created_at: now,
        // Later than the whole benchmark: to note a use is a write, which each session needs every few minutes only.
        last_seen_at: now + DAY,
        expires_at: now + 7 * DAY,
        ends_at: now + 30 * DAY,
        methods: "password",
        authenticated_at: now,
        ip: "192.0.2.1",
        user_agent: USER_AGENT,
      });
    }
  };
  for (let first = 0; first < users; first += BATCH) {
    const indexes = Array.from({ length: Math.min(BATCH, users - first) }, (_, index) => first + index);
    await db.transaction((db) => Promise.all(indexes.map((index) => addPerson(db, index))));
  }
  return await cookieFile(folder, cookies);
}

/** The cookie header of a session. */
export function cookieOf(token: string): string {
  return `session_id=${token}`;
}

/** Writes cookies to a new file, one a line. An empty one sends no cookie. */
export async function cookieFile(folder: string, cookies: string[]): Promise<string> {
  const file = `${folder}/cookies-${files++}`;
  await Deno.writeTextFile(file, cookies.map((cookie) => `${cookie}\n`).join(""));
  return file;
}
