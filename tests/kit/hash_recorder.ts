/**
 * The rules' context with a line of hashes that notes what it is asked, for tests that count work. Must not hash by
 * anything but bcrypt.
 *
 * @module
 */
import bcrypt from "bcrypt";
import type { Auth } from "../../auth/auth.ts";
import type { BcryptHash } from "../../auth/runtime/bcrypt.ts";
import { HashQueue } from "../../auth/runtime/hash_queue.ts";

/** A context and what its line was asked for. */
export interface HashRecorder {
  /** The context; all but its line of hashes is the one that was given. */
  auth: Auth;
  /** The cost of every hash, in order. */
  costs: number[];
  /** The texts that were hashed, in order. */
  inputs: string[];
}

/** Puts a recording line into a context. */
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

/** Puts another bcrypt into a context, to see what the rules make of its faults. */
export function withBcrypt(auth: Auth, hash: BcryptHash): Auth {
  return { ...auth, hashQueue: new HashQueue({ most: 2, bcrypt: hash }) };
}
