/**
 * A worker: one more thread that serves on the port of the process, with its own connections to the database. Messages
 * in: the start, then `"stop"`. Messages out: `"listening"`, then `"stopped"`.
 *
 * @module
 */
import type { Config } from "../../auth/config.ts";
import { openAuth } from "../../auth/open.ts";
import type { HashCounts } from "../../auth/runtime/hash_queue.ts";
import { createLog, standardOutput } from "../../auth/runtime/log.ts";
import { METRIC, Metrics } from "../../auth/runtime/metrics.ts";
import { type Server, startServer } from "./server.ts";

/** The message that starts a worker. */
interface WorkerStart {
  config: Readonly<Config>;
  /** A relative database file is resolved against this folder. */
  folder: string;
  /** The port of the process. */
  port: number;
  /** The counts of the hash queue, which all workers share. */
  hashCounts: HashCounts;
  /** The memory of the metrics, which all workers share. */
  metricsMemory: SharedArrayBuffer;
  /** Number of the worker; 0 is the thread that starts the others. */
  index: number;
}

/** Starts a worker and waits until it listens. Gives the function that stops it. */
export function startWorker(start: WorkerStart): Promise<() => Promise<void>> {
  const worker = new Worker(import.meta.url, { type: "module", name: "bienvenue" });
  worker.postMessage(start);
  return new Promise((resolve) => {
    worker.onmessage = () => resolve(() => stopWorker(worker));
  });
}

function stopWorker(worker: Worker): Promise<void> {
  worker.postMessage("stop");
  return new Promise((resolve) => {
    worker.onmessage = () => {
      worker.terminate();
      resolve();
    };
  });
}

/** The global scope of a worker. TypeScript has only the type of a page's `self`. */
interface WorkerScope {
  name: string;
  onmessage: ((event: MessageEvent<WorkerStart | "stop">) => void) | null;
  postMessage(message: "listening" | "stopped"): void;
}

const scope = globalThis as unknown as WorkerScope;
if (scope.name === "bienvenue") {
  let server: Server;
  scope.onmessage = async ({ data }) => {
    if (data === "stop") {
      await server.drain();
      await server.close();
      scope.postMessage("stopped");
      return;
    }
    const { config, folder, port, hashCounts } = data;
    const metrics = new Metrics(data.metricsMemory, data.index);
    const log = createLog(standardOutput, (lines) => metrics.add(METRIC.logLinesDropped, lines));
    const auth = await openAuth(config, { folder, hashCounts, metrics, log });
    server = await startServer(auth, port);
    scope.postMessage("listening");
  };
}
