/**
 * The service's own keys. There is no SECRET setting: keys are random, live in the database, and so are shared by all
 * instances and survive restarts (S12).
 *
 * @module
 */
import { addKey, type KeyPurpose, listKeys } from "../../db/keys.ts";
import type { DB } from "../../db/db.ts";
import { randomToken } from "../secrets.ts";

const PURPOSES: readonly KeyPurpose[] = ["device", "code"];

/** Makes the first key of each purpose where it is missing; any number of instances may do so at once. */
export async function makeKeys(db: DB, now: number): Promise<void> {
  for (const purpose of PURPOSES) {
    await addKey(db, { id: `${purpose}-1`, purpose, secret: randomToken(), created_at: now });
  }
}

/** How long an instance works with the keys that it read, in milliseconds. */
const FRESH = 60_000;

/** The keys as an instance needs them: read once a minute, since a key never changes and a new one can wait so long. */
export class Keyring {
  readonly #db: DB;
  readonly #read = new Map<KeyPurpose, { at: number; keys: Promise<string[]> }>();

  /** Takes the database. */
  constructor(db: DB) {
    this.#db = db;
  }

  /** The keys of a purpose, newest first; the older ones still check what they signed (F30). */
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

  /** The key that signs. */
  async current(purpose: KeyPurpose): Promise<string> {
    return (await this.all(purpose))[0];
  }
}
