/**
 * The service's own keys. There is no SECRET setting: keys are random and in the database. So all instances share them,
 * and they survive restarts (S12).
 *
 * @module
 */
import type { DB } from "../../db/db.ts";
import { addKey, deleteKey, type KeyPurpose, listKeys } from "../../db/keys.ts";
import { randomToken } from "../secrets.ts";

const PURPOSES: readonly KeyPurpose[] = ["device", "code", "work", "form"];

/** Makes the first key of each purpose if there is none. Several instances may do so at once. */
export async function makeKeys(db: DB, now: number): Promise<void> {
  for (const purpose of PURPOSES) {
    // After a rotation the first key is gone and must not come back.
    if ((await listKeys(db, purpose)).length > 0) continue;
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

  /**
   * Makes a new key and deletes the older ones of its purpose: nothing that they signed is valid any more. Other
   * instances use the new key within a minute. Returns the id of the new key.
   */
  async rotate(purpose: KeyPurpose, now: number): Promise<string> {
    const made = await this.#db.transaction(async (db) => {
      const old = await listKeys(db, purpose);
      const numbers = old.map(({ id }) => Number(/-(\d+)$/.exec(id)?.[1] ?? 0));
      const id = `${purpose}-${Math.max(0, ...numbers) + 1}`;
      await addKey(db, { id, purpose, secret: randomToken(), created_at: now });
      for (const key of old) await deleteKey(db, key.id);
      return id;
    });
    this.#read.delete(purpose);
    return made;
  }
}
