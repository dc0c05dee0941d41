/**
 * The table `keys`: the service's own random keys. Must not be used by code that puts a key into an answer.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** What a key is used for. */
export type KeyPurpose = "device" | "code" | "work" | "form";

/** A key as stored. */
export type KeyRow = {
  /** Purpose and number, as `device-1`. */
  id: string;
  purpose: KeyPurpose;
  /** 256 random bits, base64url. */
  secret: string;
  /** Milliseconds since 1970. */
  created_at: number;
};

/** Adds a key unless its id exists: if several instances start at once, one of them makes the key. */
export async function addKey(db: DB, key: KeyRow): Promise<void> {
  await db.run(
    "INSERT INTO keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
    key.id,
    key.purpose,
    key.secret,
    key.created_at,
  );
}

/** Deletes a key. What it signed is not valid any more. */
export async function deleteKey(db: DB, id: string): Promise<void> {
  await db.run("DELETE FROM keys WHERE id = $1", id);
}

/** The keys of a purpose, newest first. */
export function listKeys(db: DB, purpose: KeyPurpose): Promise<KeyRow[]> {
  return db.all<KeyRow>("SELECT * FROM keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC", purpose);
}
