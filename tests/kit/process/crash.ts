/**
 * Rounds of `kill -9` during writes, and what must hold after each. Few rounds in `deno task test`, many in `deno task
 * test:long`. The seed that decides the time of each kill is printed; SEED repeats it.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type DataFolder,
  dataFolder,
  logIn,
  register,
  type StartedService,
  startService,
  statusOf,
} from "./started_service.ts";

/** The number of parallel writers. */
const WRITERS = 32;

/** F01: kills the whole process group during many registrations, after 1 to `most` answers. */
export async function crashWhileRegistering(rounds: number, most: number): Promise<void> {
  const random = seeded("F01");
  await using data = await dataFolder({ THROTTLE: "observe" });
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    const service = await startService(data.options);
    const asked: string[] = [], acked: string[] = [];
    // Counted, not timed: a busy machine may have answered nobody yet.
    const answers = 1 + Math.floor(random() * most);
    const burst = atOnce(Array(WRITERS).fill(0).map((_, index) => index), async (writer) => {
      for (let turn = 0;; turn++) {
        const email = `user-${round}-${writer}-${turn}@example.org`;
        asked.push(email);
        const status = await unlessKilled(service.send("POST", "/users", { email, password: email }));
        if (status === undefined) return;
        assert.equal(status, 200);
        acked.push(email);
        // Only once: answers in transit still arrive after the kill.
        if (acked.length === answers) service.signalGroup("SIGKILL");
      }
    });
    await burst;
    await service.stop("SIGKILL");
    await using again = await startService(data.options);
    const stored = new Set(
      data.rows<{ email: string }>(`SELECT email FROM users WHERE email LIKE 'user-${round}-%'`).map((row) =>
        row.email
      ),
    );
    await atOnce(asked, async (email) => {
      const status = await statusOf(again.send("POST", "/sessions", { email, password: email }));
      // Acknowledged users must be stored, and no other user may be stored in part.
      assert.equal(status, stored.has(email) ? 200 : 401, email);
      assert.ok(stored.has(email) || !acked.includes(email), `${email} was acknowledged and is lost`);
    });
    assertSound(data);
    acknowledged += acked.length;
  }
  assert.ok(acknowledged >= rounds, "the bursts were killed before they wrote anything");
  console.log(`F01: ${rounds} rounds, ${acknowledged} acknowledged registrations`);
}

/** The action of one user of {@linkcode crashWhileResetting}, and whether it was acknowledged. */
interface Actor {
  email: string;
  session: string;
  token: string;
  action: "reset" | "log out" | "nothing";
  acked: boolean;
}

/** F02: kills the whole process group during resets and logouts, after a random number of answers. */
export async function crashWhileResetting(rounds: number, users: number): Promise<void> {
  const random = seeded("F02");
  await using data = await dataFolder({ THROTTLE: "observe" });
  const counts = { acked: 0, open: 0 };
  for (let round = 0; round < rounds; round++) {
    const service = await startService(data.options);
    const actors = await atOnce(Array(users).fill(0).map((_, index) => index), (index) => actor(service, round, index));
    let answersLeft = Math.floor(random() * users * 0.9);
    await atOnce(actors, async (one) => {
      if (answersLeft < 0) return;
      one.action = random() < 0.5 ? "reset" : "log out";
      const answer = one.action === "reset"
        ? service.send("PUT", "/reset_password", newPassword(one))
        : service.send("DELETE", "/sessions", undefined, one.session);
      const status = await unlessKilled(answer);
      if (status === undefined) return;
      assert.equal(status, one.action === "reset" ? 200 : 302);
      one.acked = true;
      // Only once: answers in transit still arrive after the kill.
      if (--answersLeft === -1) service.signalGroup("SIGKILL");
    });
    await service.stop("SIGKILL");
    await using again = await startService(data.options);
    await atOnce(actors, (one) => assertWhole(again, one));
    assertSound(data);
    counts.acked += actors.filter((one) => one.acked).length;
    counts.open += actors.filter((one) => one.action !== "nothing" && !one.acked).length;
  }
  assert.ok(counts.open > 0, "no kill fell between a request and its answer");
  console.log(`F02: ${rounds} rounds, ${counts.acked} acknowledged changes, ${counts.open} cut off`);
}

async function actor(service: StartedService, round: number, index: number): Promise<Actor> {
  const email = `user-${round}-${index}@example.org`;
  await register(service, email, "old");
  const session = await logIn(service, email, "old");
  const { reset_token } = await (await service.send("POST", "/reset_password", { email })).json();
  return { email, session, token: reset_token, action: "nothing", acked: false };
}

function newPassword({ email, token }: Actor): Record<string, string> {
  return { email, reset_token: token, new_password: "new" };
}

/** An acknowledged change must be complete. An interrupted one must be complete or have no effect. */
async function assertWhole(service: StartedService, one: Actor): Promise<void> {
  const profile = await statusOf(service.send("GET", "/profile", undefined, one.session));
  const logInBy = (password: string) => statusOf(service.send("POST", "/sessions", { email: one.email, password }));
  const byOld = await logInBy("old"), byNew = await logInBy("new");
  const token = await statusOf(service.send("PUT", "/reset_password", newPassword(one)));
  const is = (...expected: number[]) => String([profile, byOld, byNew, token]) === String(expected);
  const untouched = is(200, 200, 401, 200), reset = is(403, 401, 200, 403), loggedOut = is(403, 200, 401, 200);
  const done = one.action === "reset" ? reset : one.action === "log out" ? loggedOut : untouched;
  assert.ok(done || (!one.acked && untouched), `${JSON.stringify(one)}: ${profile}, ${byOld}, ${byNew}, ${token}`);
}

/** Asserts that the file passes SQLite's full integrity check and holds no incomplete user. */
function assertSound(data: DataFolder): void {
  assert.deepEqual(data.rows("PRAGMA integrity_check").map((row) => row.integrity_check), ["ok"]);
  assert.deepEqual(data.rows("PRAGMA foreign_key_check"), []);
  const half = "SELECT email FROM users WHERE hashed_password IS NULL OR hashed_password NOT LIKE '$2b$04$%'";
  assert.deepEqual(data.rows(half), []);
}

/** The status, or undefined when the process died before it answered. */
async function unlessKilled(answer: Promise<Response>): Promise<number | undefined> {
  try {
    return await statusOf(answer);
  } catch (error) {
    if (error instanceof TypeError || error instanceof Deno.errors.Http) return undefined;
    throw error;
  }
}

/** Does the work for all items, some in parallel, and returns the results in order. */
async function atOnce<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(
    Array(WRITERS).fill(0).map(async () => {
      for (const [index, item] of queue) results[index] = await work(item);
    }),
  );
  return results;
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(name: string): () => number {
  let state = Number(Deno.env.get("SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(`${name}: SEED=${state}`);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
