/**
 * Sends a fixed number of requests and measures them: by `wrk` where it is installed, else by autocannon, which uses
 * more of the machine itself. Must not know which server answers.
 *
 * @module
 */
import { shuffled } from "./rounds.ts";
import { quantile } from "./table.ts";

/** One kind of request, and how it is sent. */
interface Load {
  /** The address with its path. */
  url: string;
  /** A file of cookies, one a line, which are picked at random. */
  cookies: string;
  /** Number of requests. */
  count: number;
  /** Number of parallel connections. */
  connections: number;
  /** The status of every answer; 200 when absent. */
  status?: number;
  /** The value of Accept; any when absent. */
  accept?: string;
}

/** The measured speed. */
export interface Speed {
  /** Answers per second. */
  rate: number;
  /** Median response time, in milliseconds. */
  p50: number;
  /** The 99th percentile of response times, in milliseconds. */
  p99: number;
}

/** Longest duration of a load, in seconds. */
const LONGEST = 600;
/** The program that sends, named in the report. */
export const SENDER = isInstalled("wrk") ? "wrk" : "autocannon";

let sending: Deno.ChildProcess | undefined;
let stopped = false;

/** Stops the running load and starts no other. */
export function stopSending(): void {
  stopped = true;
  if (sending) signal(sending, "SIGKILL");
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has already ended.
  }
}

/** Sends the load. Fails when an answer has another status, because another answer has another cost. */
export function send(load: Load): Promise<Speed> {
  if (stopped) throw new Error("the benchmark was stopped");
  return SENDER === "wrk" ? byWrk(load) : byAutocannon(load);
}

async function byWrk(load: Load): Promise<Speed> {
  const { url, cookies, count, connections, status = 200, accept = "*/*" } = load;
  const script = `${import.meta.dirname}/load.lua`;
  const args = ["-t", "1", "-c", `${connections}`, "-d", `${LONGEST}`, "-s", script, url];
  const child = new Deno.Command("wrk", {
    args: [...args, cookies, `${count}`, `${status}`, accept, `${Math.floor(Math.random() * 1e9)}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  sending = child;
  const output = new Response(child.stdout).text();
  let said = "";
  let ending: ReturnType<typeof setInterval> | undefined;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (ending !== undefined || !said.startsWith("done")) continue;
    // It reports when it is interrupted, and would otherwise wait until its end. Again and again, because it only begins
    // to wait when all its connections were made: an interruption before that is lost.
    signal(child, "SIGINT");
    ending = setInterval(() => signal(child, "SIGINT"), 50);
  }
  clearInterval(ending);
  const [line] = /^\{"requests".*$/m.exec(await output) ?? [];
  if (line === undefined || said !== "done, 0 wrong\n") {
    throw new Error(`wrk: ${said}${await output}`);
  }
  const { requests, duration, p50, p99 } = JSON.parse(line);
  return {
    rate: requests / duration * 1e6,
    p50: p50 / 1_000,
    p99: p99 / 1_000,
  };
}

async function byAutocannon(load: Load): Promise<Speed> {
  const { url, cookies, count, connections, status: expected = 200, accept = "*/*" } = load;
  // Imported by variable: only the deno.json of this folder has the package.
  const [name] = ["autocannon"];
  const { default: autocannon } = await import(name);
  const times: number[] = [];
  let wrong = 0;
  const requests = shuffled((await Deno.readTextFile(cookies)).split("\n"))
    .map((cookie) => ({ method: "GET", headers: cookie === "" ? { accept } : { accept, cookie } }));
  const run = autocannon({ url, amount: count, connections, requests });
  run.on(
    "response",
    (_: unknown, status: number, _bytes: number, time: number) => {
      times.push(time);
      if (status !== expected) wrong++;
    },
  );
  const { duration } = await run;
  if (wrong > 0) throw new Error(`${wrong} answers were not ${expected}`);
  return {
    rate: times.length / duration,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

/** Whether a program can be started. */
export function isInstalled(program: string): boolean {
  try {
    return new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync().code < 127;
  } catch {
    return false;
  }
}
