/**
 * Which bcrypt hashes: the native addon, or WebAssembly where the addon cannot be loaded. Chosen late, since the first
 * answer of a process seldom needs a hash. Must not change a hash: both make the same ones.
 *
 * @module
 */
import { createRequire } from "node:module";
import { WasmBcryptPool } from "./wasm_bcrypt_pool.ts";

/** bcrypt itself: at most 72 bytes of password, and `$2b$<cost>$<22 characters>` as the salt. */
export type BcryptHash = (password: string, salt: string) => Promise<string>;

/** Who hashes. */
export type BcryptKind = "native" | "workers" | "in place";

/** Loads the addon; throws where the permission is missing or the platform is not known to it. */
export type AddonLoader = () => Promise<BcryptHash>;

/** bcrypt by whatever this process can load. */
export class Bcrypt {
  readonly #load: AddonLoader;
  readonly #pool: WasmBcryptPool;
  #chosen: Promise<BcryptKind> | undefined;
  #addon: BcryptHash | undefined;

  /** Takes what loads the addon, and the pool in its stead; tests bring others. */
  constructor(load: AddonLoader = loadAddon, pool = new WasmBcryptPool({ most: navigator.hardwareConcurrency })) {
    this.#load = load;
    this.#pool = pool;
  }

  /** Hashes by what can be loaded; as {@linkcode BcryptHash}. */
  readonly hash: BcryptHash = async (password, salt) => {
    await this.kind();
    return await (this.#addon ? this.#addon(password, salt) : this.#pool.hash(password, salt));
  };

  /** Who hashes, once it was tried. */
  kind(): Promise<BcryptKind> {
    return this.#chosen ??= this.#choose();
  }

  /** Ends the threads that it made. */
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

/** How often loading is tried, and the pause between, in milliseconds. */
const TRIES = 5, PAUSE = 20;

/** Two threads of a process that load the addon at the same moment get in each other's way once; a try later both have it. */
async function loadAddon(): Promise<BcryptHash> {
  // Not by import(), which would remember a failure.
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
