/**
 * Chooses the bcrypt implementation at the first hash: the native addon, or WebAssembly if the addon cannot be loaded.
 * The first answer of a process seldom needs a hash. Must not change a hash: both make the same ones.
 *
 * @module
 */
import { createRequire } from "node:module";
import { WasmBcryptPool } from "./wasm_bcrypt_pool.ts";

/** Hashes a password of at most 72 bytes with bcrypt. The salt is `$2b$<cost>$<22 characters>`. */
export type BcryptHash = (password: string, salt: string) => Promise<string>;

/** The implementation: the addon, or WebAssembly in worker threads or in the calling thread. */
export type BcryptKind = "native" | "workers" | "in place";

/** Loads the addon. Throws when a permission is missing or the addon does not support the platform. */
type AddonLoader = () => Promise<BcryptHash>;

/** bcrypt by the implementation that this process can load. */
export class Bcrypt {
  readonly #load: AddonLoader;
  readonly #pool: WasmBcryptPool;
  #chosen: Promise<BcryptKind> | undefined;
  #addon: BcryptHash | undefined;

  constructor(load: AddonLoader = loadAddon, pool = new WasmBcryptPool({ most: navigator.hardwareConcurrency })) {
    this.#load = load;
    this.#pool = pool;
  }

  readonly hash: BcryptHash = async (password, salt) => {
    await this.kind();
    return await (this.#addon ? this.#addon(password, salt) : this.#pool.hash(password, salt));
  };

  /** The implementation. The first call chooses it. */
  kind(): Promise<BcryptKind> {
    return this.#chosen ??= this.#choose();
  }

  /** Ends the worker threads. */
  close(): void {
    this.#pool.close();
  }

  async #choose(): Promise<BcryptKind> {
    try {
      this.#addon = await this.#load();
      return "native";
    } catch {
      return await this.#pool.start() ? "workers" : "in place";
    }
  }
}

/** Attempts to load the addon, and the pause between them, in milliseconds. */
const TRIES = 5, PAUSE = 20;

/** If two threads load the addon at the same moment, one attempt may fail. A later one succeeds. */
async function loadAddon(): Promise<BcryptHash> {
  // Not import(): it would remember a failure.
  const require = createRequire(import.meta.url);
  for (let tries = 1;; tries++) {
    try {
      const bcrypt: typeof import("bcrypt") = require("bcrypt");
      return (password, salt) => bcrypt.hash(password, salt);
    } catch (error) {
      if (tries === TRIES || !/Unable to find register/.test(String(error))) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
