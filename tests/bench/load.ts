/**
 * Sends a fixed number of requests and says how long they took: by `wrk` where it is installed, else by autocannon,
 * which takes more of the machine for itself. Must not know who answers.
 *
 * @module
 */

/** One kind of request, and how it is sent. */
export interface Load {
  /** The address, with path. */
  url: string;
  /** The cookies, one after the other. */
  cookies: string[];
  /** How many requests. */
  count: number;
  /** How many at once. */
  connections: number;
}

/** What came of it. */
export interface Speed {
  /** Answers a second. */
  rate: number;
  /** Median of the times to the answer, in milliseconds. */
  p50: number;
  /** What 99 of 100 answers took at most, in milliseconds. */
  p99: number;
}

/** No load may last longer than this, in seconds. */
const LONGEST = 600;
/** Which program sends, named in the report. */
export const SENDER = isInstalled("wrk") ? "wrk" : "autocannon";

let sending: Deno.ChildProcess | undefined;
let stopped = false;

/** Ends the load that is being sent, and sends no other. */
export function stopSending(): void {
  stopped = true;
  try {
    sending?.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Sends the load. Fails when an answer is not 200, since a refusal is cheaper than a check. */
export function send(load: Load): Promise<Speed> {
  return SENDER === "wrk" ? byWrk(load) : byAutocannon(load);
}

async function byWrk(
  { url, cookies, count, connections }: Load,
): Promise<Speed> {
  if (stopped) throw new Error("the benchmark was stopped");
  const file = await Deno.makeTempFile({ prefix: "bienvenue-bench-" });
  try {
    await Deno.writeTextFile(file, cookies.join("\n"));
    const script = `${import.meta.dirname}/load.lua`;
    const args = [
      "-t",
      "1",
      "-c",
      `${connections}`,
      "-d",
      `${LONGEST}`,
      "-s",
      script,
      url,
      file,
      `${count}`,
    ];
    const child = new Deno.Command("wrk", {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = new Response(child.stdout).text();
    let said = "";
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      said += text;
      // It reports when it is interrupted, and would sleep on otherwise.
      if (said === text && said.startsWith("done")) child.kill("SIGINT");
    }
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
  } finally {
    await Deno.remove(file);
  }
}

async function byAutocannon(
  { url, cookies, count, connections }: Load,
): Promise<Speed> {
  // Named at run time: only the deno.json of this folder knows the package.
  const [name] = ["autocannon"];
  const { default: autocannon } = await import(name);
  const times: number[] = [];
  let wrong = 0;
  const requests = cookies.map((cookie) => ({
    method: "GET",
    headers: { cookie },
  }));
  const run = autocannon({ url, amount: count, connections, requests });
  run.on(
    "response",
    (_: unknown, status: number, _bytes: number, time: number) => {
      times.push(time);
      if (status !== 200) wrong++;
    },
  );
  const { duration } = await run;
  if (wrong > 0) throw new Error(`${wrong} answers were not 200`);
  return {
    rate: times.length / duration,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
  };
}

/** The smallest value that so many of 100 do not exceed. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)];
}

function isInstalled(program: string): boolean {
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
