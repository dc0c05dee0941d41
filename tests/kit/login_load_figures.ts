/**
 * Measures session checks over real sockets and threads, at the real hash cost, on both engines: idle, and while 200
 * clients guess passwords. Prints the figures; run `deno task test tests/kit/login_load_figures.ts` on an idle machine.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startLoginLoad } from "./login_load.ts";
import { quantile } from "./mixed_load.ts";
import { dataFolder, logIn, register, type StartedService, startService, statusOf } from "./process/started_service.ts";
import { emptyDatabase, type Engine, ENGINES } from "./service.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse";
const CLIENTS = 200;
/** Duration of each part, in milliseconds. */
const TIME = 6_000;

interface PreparedService {
  engine: Engine;
  service: StartedService;
  session: string;
  /** The device cookie, appended to the session cookie that `send` writes. */
  device: string;
}

/** Times of sequential session checks, in milliseconds. */
async function timeSessionChecks({ service, session }: PreparedService): Promise<number[]> {
  const times: number[] = [];
  for (const end = performance.now() + TIME; performance.now() < end;) {
    const start = performance.now();
    assert.equal(await statusOf(service.send("GET", "/profile", undefined, session)), 200);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return times;
}

async function prepare(engine: Engine, service: StartedService): Promise<PreparedService> {
  await register(service, EMAIL, PASSWORD);
  const login = await service.send("POST", "/sessions", { email: EMAIL, password: PASSWORD });
  await login.body?.cancel();
  const device = login.headers.getSetCookie().find((cookie) => cookie.startsWith("device_id="))!.split(";")[0];
  return { engine, service, session: await logIn(service, EMAIL, PASSWORD), device: `; ${device}` };
}

function printTimes(label: string, times: number[]): void {
  const [half, most] = [0.5, 0.99].map((share) => quantile(times, share).toFixed(1));
  console.log(`${label.padEnd(28)} p50 ${half} ms, p99 ${most} ms of ${times.length}`);
}

async function measure(prepared: PreparedService, throttle: string): Promise<void> {
  const { engine, service, device } = prepared;
  await using load = startLoginLoad(CLIENTS, EMAIL, async (form) => {
    const response = await service.send("POST", "/sessions", form);
    await response.body?.cancel();
    return { status: response.status, retryAfter: response.headers.get("retry-after") };
  });
  const checks = timeSessionChecks(prepared);
  await new Promise((resolve) => setTimeout(resolve, TIME / 3));
  const start = performance.now();
  assert.equal(await statusOf(service.send("POST", "/sessions", { email: EMAIL, password: PASSWORD }, device)), 200);
  const login = performance.now() - start;
  printTimes(`${engine}, ${throttle}, load`, await checks);
  const statuses = [...load.statuses].map(([status, count]) => `${status}: ${count}`).join(", ");
  console.log(`${" ".repeat(28)} known device in after ${login.toFixed(0)} ms; the load was told ${statuses}`);
  assert.ok(login < 15_000, "the owner's hash did not wait for those of a full line");
  assert.equal(load.withoutRetryAfter, 0);
}

for (const throttle of ["enforce", "observe"]) {
  Deno.test(`F24: session checks and known devices while 200 clients guess passwords, at cost 12, THROTTLE=${throttle}`, async () => {
    await using stack = new AsyncDisposableStack();
    const all: PreparedService[] = [];
    for (const engine of ENGINES) {
      const settings = { WORKERS: "2", BCRYPT_COST: "12", THROTTLE: throttle };
      const url: Record<string, string> = engine === "sqlite" ? {} : { DATABASE_URL: await emptyDatabase(engine) };
      const data = stack.use(await dataFolder({ ...settings, ...url }));
      all.push(await prepare(engine, stack.use(await startService(data.options))));
    }
    for (const each of all) printTimes(`${each.engine}, ${throttle}, idle`, await timeSessionChecks(each));
    for (const each of all) await measure(each, throttle);
  });
}
