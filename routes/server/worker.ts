/**
 * A worker: one more thread of the process that serves on its port, with connections of its own to the database.
 * Messages in: the start, then `"stop"`. Messages out: `"listening"`, then `"stopped"`.
 *
 * @module
 */
import type { Config } from "../../auth/config.ts";
import { openAuth } from "../../auth/open.ts";
import type { HashCounts } from "../../auth/runtime/hash_queue.ts";
import { createLog, standardOutput } from "../../auth/runtime/log.ts";
import { Metrics } from "../../auth/runtime/metrics.ts";
import { type Server, startServer } from "./server.ts";

/** What a worker is told to begin with. */
export interface WorkerStart {
  /** The settings. */
  config: Readonly<Config>;
  /** The folder against which a relative database file is read. */
  folder: string;
  /** The port on which the process listens. */
  port: number;
  /** The line of hashes that all workers share. */
  hashCounts: HashCounts;
  /** The memory in which all workers count. */
  metricsMemory: SharedArrayBuffer;
  /** Which of the workers this is; the one that starts the others is 0. */
  index: number;
}

/** Starts a worker, waits until it listens, and gives what stops it. */
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

/** The global scope of a worker; `self` is typed for a page. */
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
    const auth = await openAuth(config, { folder, hashCounts, metrics, log: createLog(standardOutput) });
    server = startServer(auth, port);
    scope.postMessage("listening");
  };
}
