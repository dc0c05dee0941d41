/**
 * A worker of {@link ./wasm_bcrypt_pool.ts}: reports that it is ready, then answers one job at a time. Must not keep
 * anything but the current job.
 *
 * @module
 */
import { wasmBcrypt } from "./wasm_bcrypt.ts";
import type { WasmAnswer, WasmJob } from "./wasm_bcrypt_pool.ts";

/** The used part of a worker's global scope. The type checker assumes a window's scope. */
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

// The first job must not wait for the compiler. A worker that fails here never reports that it is ready.
await wasmBcrypt("ready", "$2b$04$BienvenueBienvenueBieu");
scope.postMessage({ ready: true });
