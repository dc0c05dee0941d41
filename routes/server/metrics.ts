/**
 * The metrics of the whole process, in Prometheus text format 0.0.4. Loaded only when metrics are configured. Must not
 * show anything of a user.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { waitingMails } from "../../auth/mail/outbox.ts";
import { BOUNDS, HISTOGRAM_CELLS, METRIC, type RequestCounts } from "../../auth/runtime/metrics.ts";

type Labels = Record<string, string | number>;
type Sample = [labels: Labels, value: number];

/** All metrics, summed over all workers of the process. */
export async function metricsText(auth: Auth, counts: RequestCounts): Promise<string> {
  const { metrics } = auth;
  const one = (value: number): Sample[] => [[{}, value]];
  const routes = counts.routes();
  const { running, waiting } = auth.hashQueue.counts;
  const { rss } = Deno.memoryUsage();
  const families = [
    family(
      "bienvenue_http_requests_total",
      "counter",
      "Requests by route, method and status; status 0 is any that is not listed by itself",
      routes.flatMap(({ method, route, statuses }) =>
        statuses.map(([status, count]): Sample => [{ method, route, status }, count])
      ),
    ),
    family(
      "bienvenue_http_request_duration_seconds",
      "histogram",
      "How long requests took until their answer began",
      routes.flatMap(({ method, route, times }) => histogram(auth, times, { method, route })),
    ),
    family(
      "bienvenue_refusals_total",
      "counter",
      "Refusals by error code",
      counts.refusals().map(([code, count]): Sample => [{ code }, count]),
    ),
    family("bienvenue_sessions_checked_total", "counter", "Session cookies that were looked up", [
      [{ result: "valid" }, metrics.sum(METRIC.sessionsValid)],
      [{ result: "invalid" }, metrics.sum(METRIC.sessionsInvalid)],
    ]),
    family("bienvenue_hashes", "gauge", "Password hashes at present", [
      [{ state: "running" }, running],
      [{ state: "waiting" }, waiting],
    ]),
    family("bienvenue_hashes_total", "counter", "Password hashes made, and refused since the line was full", [
      [{ result: "done" }, metrics.sum(METRIC.hashesDone)],
      [{ result: "refused" }, metrics.sum(METRIC.hashesRefused)],
    ]),
    family(
      "bienvenue_throttled_total",
      "counter",
      "Guesses beyond the limits, refused or, in observe mode, only counted",
      one(metrics.sum(METRIC.throttled)),
    ),
    ...await mailFamilies(auth),
    family(
      "bienvenue_database_duration_seconds",
      "histogram",
      "How long single statements and whole transactions took, with their wait for a turn",
      histogram(auth, METRIC.databaseTimes, {}),
    ),
    family(
      "bienvenue_database_errors_total",
      "counter",
      "Statements and transactions that the database could not answer",
      one(metrics.sum(METRIC.databaseErrors)),
    ),
    family("bienvenue_event_loop_delay_seconds", "histogram", "How late workers got to what was due", [
      ...histogram(auth, METRIC.loopDelays, {}),
    ]),
    family(
      "bienvenue_log_lines_dropped_total",
      "counter",
      "Lines of the log that nobody took in time",
      one(metrics.sum(METRIC.logLinesDropped)),
    ),
    family("bienvenue_heap_bytes", "gauge", "Memory of the objects of all workers", one(metrics.sum(METRIC.heapBytes))),
    family("process_resident_memory_bytes", "gauge", "Memory of the process", one(rss)),
    family(
      "process_start_time_seconds",
      "gauge",
      "Start of the process, in seconds since 1970",
      one(performance.timeOrigin / 1_000),
    ),
    family("bienvenue_workers", "gauge", "Threads that answer requests", one(auth.config.workers)),
  ];
  return families.join("");
}

/** Leaves out the mails when the database fails: just then the other metrics are needed most. */
async function mailFamilies(auth: Auth): Promise<string[]> {
  try {
    const { count, oldest } = await waitingMails(auth);
    return [
      family("bienvenue_mails_waiting", "gauge", "Mails that wait to be sent, counted up to 10000", [[{}, count]]),
      family("bienvenue_mails_oldest_seconds", "gauge", "Age of the oldest of them", [[{}, oldest / 1_000]]),
    ];
  } catch {
    return [];
  }
}

function histogram(auth: Auth, cell: number, labels: Labels): [Labels, number, string][] {
  const samples: [Labels, number, string][] = [];
  let count = 0;
  for (let bucket = 0; bucket <= BOUNDS.length; bucket++) {
    count += auth.metrics.sum(cell + bucket);
    samples.push([{ ...labels, le: bucket < BOUNDS.length ? BOUNDS[bucket] : "+Inf" }, count, "_bucket"]);
  }
  samples.push([labels, auth.metrics.sum(cell + HISTOGRAM_CELLS - 1), "_sum"], [labels, count, "_count"]);
  return samples;
}

function family(name: string, type: string, help: string, samples: [Labels, number, string?][]): string {
  const lines = samples.map(([labels, value, end = ""]) => `${name}${end}${labelsToText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsToText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => char === "\n" ? "\\n" : `\\${char}`);
}
