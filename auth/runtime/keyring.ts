/**
 * The service's own keys. There is no SECRET setting: keys are random and in the database. So all instances share them,
 * and they survive restarts (S12).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { addKey, type KeyPurpose, listKeys } from "../../db/keys.ts";
import { randomToken } from "../secrets.ts";

const PURPOSES: readonly KeyPurpose[] = ["device", "code", "form"];

/** Makes the first key of each purpose if it is missing. Several instances may do so at once. */
export async function makeKeys(db: DB, now: number): Promise<void> {
  for (const purpose of PURPOSES) {
    await addKey(db, { id: `${purpose}-1`, purpose, secret: randomToken(), created_at: now });
  }
}

/** How long an instance uses the keys that it read, in milliseconds. */
const FRESH = 60_000;

/** Reads the keys once a minute: a key never changes, and a new one can wait that long. */
export class Keyring {
  readonly #db: DB;
  readonly #read = new Map<KeyPurpose, { at: number; keys: Promise<string[]> }>();

  constructor(db: DB) {
    this.#db = db;
  }

  /** The keys of a purpose, newest first. Older ones still verify what they signed (F30). */
  async all(purpose: KeyPurpose): Promise<string[]> {
    const known = this.#read.get(purpose);
    if (known && performance.now() - known.at < FRESH) return await known.keys;
    const keys = listKeys(this.#db, purpose).then((rows) => rows.map((row) => row.secret));
    this.#read.set(purpose, { at: performance.now(), keys });
    try {
      return await keys;
    } catch (error) {
      this.#read.delete(purpose);
      throw error;
    }
  }

  /** The newest key, which signs. */
  async current(purpose: KeyPurpose): Promise<string> {
    return (await this.all(purpose))[0];
  }
}
