/**
 * WebAssembly's bcrypt on threads of its own, so that no request waits for another's hash. A worker that crashes or
 * hangs costs its job an error and is replaced; no fault ever reads as a hash (F26). Must not know what is hashed.
 *
 * @module
 */
import { wasmBcrypt } from "./wasm_bcrypt.ts";

/** What a worker is asked. */
export interface WasmJob {
  /** 1 to 72 bytes. */
  password: string;
  /** `$2b$<cost>$<22 characters>`. */
  salt: string;
}

/** What a worker answers: that it is ready, a hash, or what went wrong. */
export type WasmAnswer = { ready: true } | { hash: string } | { error: string };

/** Options of {@linkcode WasmBcryptPool}; tests bring workers that misbehave. */
export interface PoolOptions {
  /** How many workers at most. */
  most: number;
  /** Makes a worker. */
  spawn?: () => Worker;
  /** Milliseconds that a job of this cost may take before its worker counts as hung. */
  patience?: (cost: number) => number;
}

interface Waiting {
  job: WasmJob;
  resolve(hash: string): void;
  reject(error: Error): void;
}

const HASH = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/;

/** A pool of workers. */
export class WasmBcryptPool {
  readonly #most: number;
  readonly #spawn: () => Worker;
  readonly #patience: (cost: number) => number;
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  #inPlace = false;

  /** Takes the options; the first worker is made by {@linkcode start} or the first job. */
  constructor(options: PoolOptions) {
    this.#most = options.most;
    this.#spawn = options.spawn ?? spawnWorker;
    // Fourteen times what a slow core of today needs, and never less than ten seconds.
    this.#patience = options.patience ?? ((cost) => 10_000 + 2 ** cost);
  }

  /**
   * Makes the first worker and gives whether there is one. Where none can be made (no such thing on this platform, or
   * its file may not be read), every job is done in place.
   */
  async start(): Promise<boolean> {
    try {
      this.#idle.push(await this.#make());
    } catch {
      this.#inPlace = true;
    }
    return !this.#inPlace;
  }

  /** Hashes; throws when the worker crashed, hung or could not be made, and whoever asks may ask again. */
  hash(password: string, salt: string): Promise<string> {
    if (this.#inPlace) return wasmBcrypt(password, salt);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job: { password, salt }, resolve, reject });
      this.#next();
    });
  }

  /** How many workers there are. */
  get size(): number {
    return this.#workers.size;
  }

  /** Ends all workers. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers.clear();
    this.#idle.length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the pool was closed"));
  }

  /** Gives the first in the line to an idle worker, or to a new one where there may be more. */
  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop();
    if (worker === undefined && this.#workers.size >= this.#most) return;
    const first = this.#waiting.shift()!;
    this.#work(first, worker).then(first.resolve, first.reject).finally(() => this.#next());
  }

  async #work({ job }: Waiting, idle: Worker | undefined): Promise<string> {
    const worker = idle ?? await this.#make();
    try {
      const answer = await this.#asked(worker, this.#patience(Number(job.salt.slice(4, 6))), job);
      // Only what has the form of a hash leaves here: an error must never be compared with one.
      if (!("hash" in answer) || !HASH.test(answer.hash)) throw new Error("a worker answered without a hash");
      this.#idle.push(worker);
      return answer.hash;
    } catch (error) {
      // Its state is unknown, so it does not get another job.
      this.#end(worker);
      throw error;
    }
  }

  /** A worker that said it is ready. */
  async #make(): Promise<Worker> {
    const worker = this.#spawn();
    this.#workers.add(worker);
    try {
      const answer = await this.#asked(worker, this.#patience(4));
      if (!("ready" in answer)) throw new Error("a worker did not start as it should");
      return worker;
    } catch (error) {
      this.#end(worker);
      throw error;
    }
  }

  /** The next answer of a worker, after it was given the job where there is one. */
  #asked(worker: Worker, patience: number, job?: WasmJob): Promise<WasmAnswer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("a worker hangs")), patience);
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        worker.onmessage = worker.onerror = worker.onmessageerror = null;
        action();
      };
      worker.onmessage = (event: MessageEvent<WasmAnswer>) => settle(() => resolve(event.data));
      worker.onerror = (event) => {
        // Else the fault of a worker would end the process.
        event.preventDefault();
        settle(() => reject(new Error(`a worker crashed: ${event.message}`)));
      };
      worker.onmessageerror = () => settle(() => reject(new Error("a worker's answer cannot be read")));
      if (job) worker.postMessage(job);
    });
  }

  #end(worker: Worker): void {
    worker.terminate();
    this.#workers.delete(worker);
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL("./wasm_bcrypt_worker.ts", import.meta.url), { type: "module" });
}
