/**
 * Runs WebAssembly's bcrypt in worker threads, so that no request waits for another's hash. If a worker crashes or
 * hangs, its job fails and the worker is replaced. No fault is ever read as a hash (F26). Must not know what is hashed.
 *
 * @module
 */
import { wasmBcrypt } from "./wasm_bcrypt.ts";

/** A job for a worker. */
export interface WasmJob {
  /** 1 to 72 bytes. */
  password: string;
  /** `$2b$<cost>$<22 characters>`. */
  salt: string;
}

/** A worker's answer: it is ready, a hash, or an error. */
export type WasmAnswer = { ready: true } | { hash: string } | { error: string };

/** Options of {@linkcode WasmBcryptPool}. Tests use faulty workers. */
interface PoolOptions {
  /** Maximum number of workers. */
  most: number;
  spawn?: () => Worker;
  /** Milliseconds that a job of this cost may take. After that, its worker counts as hung. */
  patience?: (cost: number) => number;
}

interface Waiting {
  job: WasmJob;
  resolve(hash: string): void;
  reject(error: Error): void;
}

const HASH = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/;

/** A pool of worker threads. */
export class WasmBcryptPool {
  readonly #most: number;
  readonly #spawn: () => Worker;
  readonly #patience: (cost: number) => number;
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  #inPlace = false;

  /** Starts no worker yet: {@linkcode start} or the first job does. */
  constructor(options: PoolOptions) {
    this.#most = options.most;
    this.#spawn = options.spawn ?? spawnWorker;
    // Fourteen times the need of a slow core of today, and at least ten seconds.
    this.#patience = options.patience ?? ((cost) => 10_000 + 2 ** cost);
  }

  /**
   * Starts the first worker, and gives whether that worked. If not (the platform has no workers, or the worker's file
   * is not readable), every job runs on the calling thread.
   */
  async start(): Promise<boolean> {
    try {
      this.#idle.push(await this.#startWorker());
    } catch {
      this.#inPlace = true;
    }
    return !this.#inPlace;
  }

  /** Hashes. Throws when the worker crashed, hung or could not start; the caller may try again. */
  hash(password: string, salt: string): Promise<string> {
    if (this.#inPlace) return wasmBcrypt(password, salt);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job: { password, salt }, resolve, reject });
      this.#next();
    });
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Ends all workers. Waiting jobs fail. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers.clear();
    this.#idle.length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the pool was closed"));
  }

  /** Gives the first waiting job to an idle worker, or to a new one if another is allowed. */
  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop();
    if (worker === undefined && this.#workers.size >= this.#most) return;
    const first = this.#waiting.shift()!;
    this.#run(first, worker).then(first.resolve, first.reject).finally(() => this.#next());
  }

  async #run({ job }: Waiting, idle: Worker | undefined): Promise<string> {
    const worker = idle ?? await this.#startWorker();
    try {
      const answer = await this.#nextAnswer(worker, this.#patience(Number(job.salt.slice(4, 6))), job);
      // Only a valid hash is returned: an error must never be compared with a hash.
      if (!("hash" in answer) || !HASH.test(answer.hash)) throw new Error("a worker answered without a hash");
      this.#idle.push(worker);
      return answer.hash;
    } catch (error) {
      // Its state is unknown, so it does not get another job.
      this.#terminate(worker);
      throw error;
    }
  }

  /** Starts a worker and waits until it is ready. */
  async #startWorker(): Promise<Worker> {
    const worker = this.#spawn();
    this.#workers.add(worker);
    try {
      const answer = await this.#nextAnswer(worker, this.#patience(4));
      if (!("ready" in answer)) throw new Error("a worker did not start as it should");
      return worker;
    } catch (error) {
      this.#terminate(worker);
      throw error;
    }
  }

  /** Sends the job, if there is one, and waits for the worker's next answer. */
  #nextAnswer(worker: Worker, patience: number, job?: WasmJob): Promise<WasmAnswer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("a worker hangs")), patience);
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        worker.onmessage = worker.onerror = worker.onmessageerror = null;
        action();
      };
      worker.onmessage = (event: MessageEvent<WasmAnswer>) => settle(() => resolve(event.data));
      worker.onerror = (event) => {
        // Otherwise the error of a worker would end the process.
        event.preventDefault();
        settle(() => reject(new Error(`a worker crashed: ${event.message}`)));
      };
      worker.onmessageerror = () => settle(() => reject(new Error("a worker's answer cannot be read")));
      if (job) worker.postMessage(job);
    });
  }

  #terminate(worker: Worker): void {
    worker.terminate();
    this.#workers.delete(worker);
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL("./wasm_bcrypt_worker.ts", import.meta.url), { type: "module" });
}
