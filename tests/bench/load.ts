/**
 * Sends a fixed number of requests and measures them: by `wrk` where it is installed, else by autocannon, which uses
 * more of the machine itself. Must not know which server answers.
 *
 * @module
 */

/** One kind of request, and how it is sent. */
interface Load {
  /** The address with its path. */
  url: string;
  /** The cookies, used in turn. */
  cookies: string[];
  /** Number of requests. */
  count: number;
  /** Number of parallel connections. */
  connections: number;
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
  try {
    sending?.kill("SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Sends the load. Fails when an answer is not 200, because a refusal costs less than a check. */
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
      // It reports when it is interrupted, and would otherwise wait until its end.
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
  // Imported by variable: only the deno.json of this folder has the package.
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

/** The smallest value that this percentage of the values does not exceed. */
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
