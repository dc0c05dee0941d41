/**
 * The parts about passwords: `login`, logins per second compared with the bcrypt package alone, and `storm`, the times
 * of session checks while two hundred clients guess without pause.
 *
 * @module
 */
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { send } from "./load.ts";
import type { Program } from "./program.ts";
import { inRounds } from "./rounds.ts";
import { BENCH, emptyDatabase, fillService, PASSWORD, passwordHash } from "./servers.ts";
import { median, quantile, type Table } from "./table.ts";

/** Parallel logins: enough that no core waits, too few to fill the queue. */
const AT_ONCE = 16;

const BARE = "hashes of the bcrypt package", LOGINS = "logins, SQLite", SERVER_LOGINS = "logins, PostgreSQL";

/** Logins per second at cost 12, beside hashes per second of the bare package. */
export async function login(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table[]> {
  const settings = { BCRYPT_COST: "12", THROTTLE: "observe" };
  const url = await emptyDatabase(postgres, "login");
  const people = { users: 100, sessions: 0, hash: await passwordHash(12) };
  const { program: sqlite } = await fillService(folder, settings, people);
  const { program: server } = await fillService(folder, { ...settings, DATABASE_URL: url }, people);
  const contenders = [
    { name: BARE, slice: async () => ({ rate: await bareHashes(count) }) },
    { name: LOGINS, slice: async () => ({ rate: await loginsOf(sqlite, count) }) },
    { name: SERVER_LOGINS, slice: async () => ({ rate: await loginsOf(server, count) }) },
  ];
  const ratios = [LOGINS, SERVER_LOGINS].map((name) => ({ key: "rate", name, against: BARE }));
  const results = await inRounds(contenders, rounds, ratios);
  return [{
    title: `Logins, bcrypt at cost 12, ${results.count} rounds of ${count}`,
    columns: ["what", "a second", "times the package"],
    rows: [
      [BARE, results.spread(BARE, "rate"), 1],
      ...ratios.map((one) => [one.name, results.spread(one.name, "rate"), results.ratio(one)]),
    ],
  }];
}

async function bareHashes(count: number): Promise<number> {
  const args = ["run", "-A", `${BENCH}/bare_bcrypt.ts`, "12", `${count}`];
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: BENCH,
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout));
}

async function loginsOf(program: Program, count: number): Promise<number> {
  let left = count;
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) {
      const email = `person${Math.floor(Math.random() * 100)}@example.com`;
      const status = await program.post("/sessions", { email, password: PASSWORD });
      if (status !== 200) throw new Error(`a login was answered ${status}`);
    }
  }));
  return count / (performance.now() - start) * 1_000;
}

/** Session checks alone and while clients guess passwords, with the limits on guesses and without them. */
export async function storm(
  folder: string,
  { rounds, seconds, count }: { rounds: number; seconds: number; count: number },
): Promise<Table[]> {
  const rows: Table["rows"] = [];
  for (const throttle of ["enforce", "observe"]) {
    const place = `${folder}/${throttle}`;
    await Deno.mkdir(place);
    const settings = { BCRYPT_COST: "12", THROTTLE: throttle };
    const { program, cookies } = await fillService(place, settings, { hash: await passwordHash(12) });
    const check = () => send({ url: `${program.url}/profile`, cookies, count, connections: 16 });
    let answers = "";
    const stormy = async () => {
      const crowd = new Crowd(program);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const speeds = [];
      for (const end = performance.now() + seconds * 1_000; performance.now() < end;) speeds.push(await check());
      answers = await crowd.leave();
      return { rate: median(speeds.map(({ rate }) => rate)), p99: median(speeds.map(({ p99 }) => p99)) };
    };
    const idle = async () => {
      const { rate, p99 } = await check();
      return { rate, p99 };
    };
    const compared = (key: string) => ({ key, name: "storm", against: "idle" });
    const contenders = [{ name: "idle", slice: idle }, {
      name: "storm",
      slice: stormy,
      warmUp: async () => void await check(),
    }];
    const results = await inRounds(contenders, rounds, [compared("rate")]);
    const title = throttle === "enforce" ? "limits as by default" : "every guess hashed (`THROTTLE=observe`)";
    for (const [figure, key] of [["p99 ms", "p99"], ["checks/s", "rate"]]) {
      const [alone, storm] = [results.spread("idle", key), results.spread("storm", key)];
      rows.push([`${title}: ${figure}`, alone, storm, results.ratio(compared(key))]);
    }
    rows.push([`guesses of the last storm: ${answers}`, undefined, undefined, undefined]);
    await program.stop();
  }
  return [{
    title: "Session checks while 200 clients send wrong passwords, pausing 100 ms after a 429 or 503",
    columns: ["limits and figure", "alone", "in the storm", "times alone"],
    rows,
  }];
}

/** Two hundred clients that guess until they are stopped. */
class Crowd {
  readonly #statuses: number[] = [];
  readonly #times: number[] = [];
  readonly #all: Promise<void[]>;
  #guessing = true;

  constructor(program: Program) {
    this.#all = Promise.all(
      Array.from({ length: 200 }, (_, index) => this.#guess(program, index)),
    );
  }

  async leave(): Promise<string> {
    this.#guessing = false;
    await this.#all;
    const kinds = [...new Set(this.#statuses)].sort();
    const counts = kinds.map((kind) => `${this.#statuses.filter((status) => status === kind).length} x ${kind}`);
    return `${counts.join(", ")}; refusals p99 ${
      Math.round(this.#times.length > 0 ? quantile(this.#times, 0.99) : 0)
    } ms`;
  }

  async #guess(program: Program, index: number): Promise<void> {
    // Every second guess is for an unknown address.
    const email = index % 2 === 0 ? `person${index % 50}@example.com` : `nobody${index}@example.com`;
    while (this.#guessing) {
      const start = performance.now();
      const status = await program.post("/sessions", {
        email,
        password: "a wrong one",
      });
      this.#statuses.push(status);
      if (status !== 429 && status !== 503) continue;
      this.#times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
