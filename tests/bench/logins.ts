/**
 * The parts about passwords: `login`, logins per second compared with the bcrypt package alone, and `storm`, the times
 * of session checks while two hundred clients guess without pause.
 *
 * @module
 */
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { percentile, send } from "./load.ts";
import type { Program } from "./program.ts";
import { BENCH, emptyDatabase, fillService, PASSWORD, startService } from "./servers.ts";
import { median, type Table } from "./table.ts";

/** Parallel logins: enough that no core waits, too few to fill the queue. */
const AT_ONCE = 16;

/** Logins per second at cost 12, and hashes per second of the bare package, measured in turns. */
export async function login(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table> {
  const settings = { BCRYPT_COST: "12", THROTTLE: "observe" };
  const programs = [
    await startService(folder, settings),
    await startService(folder, {
      ...settings,
      DATABASE_URL: await emptyDatabase(postgres, "login"),
    }),
  ];
  for (const program of programs) {
    await program.post("/users", {
      email: "bob@example.com",
      password: PASSWORD,
    });
  }
  const bare: number[] = [], sqlite: number[] = [], server: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareHashes(count));
    sqlite.push(await loginsOf(programs[0], count));
    server.push(await loginsOf(programs[1], count));
  }
  return {
    title: `Logins, bcrypt at cost 12, medians of ${rounds} rounds of ${count}`,
    columns: ["what", "a second", "times the package"],
    rows: [
      ["hashes of the bcrypt package", median(bare), 1],
      ["logins, SQLite", median(sqlite), median(sqlite) / median(bare)],
      ["logins, PostgreSQL", median(server), median(server) / median(bare)],
    ],
  };
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
      const status = await program.post("/sessions", {
        email: "bob@example.com",
        password: PASSWORD,
      });
      if (status !== 200) throw new Error(`a login was answered ${status}`);
    }
  }));
  return count / (performance.now() - start) * 1_000;
}

/** Session checks alone and while clients guess passwords, with the limits on guesses and without them. */
export async function storm(
  folder: string,
  { seconds, count }: { seconds: number; count: number },
): Promise<Table> {
  const rows: Table["rows"] = [];
  for (const throttle of ["observe", "enforce"]) {
    const place = `${folder}/${throttle}`;
    await Deno.mkdir(place);
    const { program, cookies } = await fillService(await startService(place));
    await program.stop();
    // Users are created at the lowest cost, and guessed at with the usual one.
    const service = await startService(place, {
      BCRYPT_COST: "12",
      THROTTLE: throttle,
    });
    const check = () => send({ url: `${service.url}/profile`, cookies, count, connections: 16 });
    await check();
    const idle = await check();
    const crowd = new Crowd(service);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const stormy = [];
    for (
      const end = performance.now() + seconds * 1_000;
      performance.now() < end;
    ) stormy.push(await check());
    const answers = await crowd.leave();
    const [rate, p99] = [
      median(stormy.map((one) => one.rate)),
      median(stormy.map((one) => one.p99)),
    ];
    rows.push([
      throttle === "enforce" ? "guesses limited, as by default" : "every guess hashed (THROTTLE=observe)",
      idle.p99,
      p99,
      p99 / idle.p99,
      idle.rate,
      rate,
      rate / idle.rate,
      answers,
    ]);
    await service.stop();
  }
  return {
    title: "Session checks while 200 clients send wrong passwords, pausing 100 ms after a 429 or 503",
    columns: [
      "storm",
      "p99 ms idle",
      "p99 ms",
      "times idle",
      "checks/s idle",
      "checks/s",
      "times idle",
      "guesses were answered",
    ],
    rows,
  };
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
    return `${counts.join(", ")}; refusals p99 ${Math.round(percentile(this.#times, 99))} ms`;
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
