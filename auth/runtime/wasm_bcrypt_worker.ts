/**
 * A worker of {@link ./wasm_bcrypt_pool.ts}: says that it is ready, then answers one job at a time. Must not hold more
 * than the job at hand.
 *
 * @module
 */
import { wasmBcrypt } from "./wasm_bcrypt.ts";
import type { WasmAnswer, WasmJob } from "./wasm_bcrypt_pool.ts";

/** What this file uses of a worker's global scope, which the type checker takes for a window's. */
interface Scope {
  onmessage: ((event: MessageEvent<WasmJob>) => void) | null;
  postMessage(answer: WasmAnswer): void;
}

const scope = self as unknown as Scope;

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ hash: await wasmBcrypt(data.password, data.salt) });
  } catch (error) {
    scope.postMessage({ error: String(error) });
  }
};

// The first hash should not wait for the compiler; a worker that cannot even do this is none.
await wasmBcrypt("ready", "$2b$04$BienvenueBienvenueBieu");
scope.postMessage({ ready: true });
