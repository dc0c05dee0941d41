/**
 * The rules' context with a hash queue that records its jobs, for tests that count work. Must not hash by anything but
 * bcrypt.
 *
 * @module
 */
import bcrypt from "bcrypt";
import type { Auth } from "../../auth/auth.ts";
import type { BcryptHash } from "../../auth/runtime/bcrypt.ts";
import { HashQueue } from "../../auth/runtime/hash_queue.ts";

/** A context and the jobs of its hash queue. */
interface HashRecorder {
  /** The given context with another hash queue. */
  auth: Auth;
  /** The cost of every hash, in order. */
  costs: number[];
  /** The hashed texts, in order. */
  inputs: string[];
}

/** Replaces the hash queue of a context by a recording one. */
export function recordHashes(auth: Auth): HashRecorder {
  const costs: number[] = [];
  const inputs: string[] = [];
  const hashQueue = new HashQueue({
    most: 2,
    bcrypt: (password, salt) => {
      costs.push(Number(salt.slice(4, 6)));
      inputs.push(password);
      return bcrypt.hash(password, salt);
    },
  });
  return { auth: { ...auth, hashQueue }, costs, inputs };
}

/** Replaces bcrypt in a context, to test how the rules handle its faults. */
export function withBcrypt(auth: Auth, hash: BcryptHash): Auth {
  return { ...auth, hashQueue: new HashQueue({ most: 2, bcrypt: hash }) };
}
