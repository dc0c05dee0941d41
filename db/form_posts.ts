/**
 * The table `form_posts`: forms that were just posted, and the word for what they did. Must not hold what was typed, nor
 * anything that a reader of the database could turn into it.
 *
 * @module
 */
import type { DB } from "./db.ts";

/** A posted form as stored. */
export type FormPostRow = {
  /** A keyed hash of the form and its fields. Its key is in the browser's page only. */
  id: string;
  /** Null while the first copy runs. */
  word: string | null;
  /** Milliseconds since 1970. */
  expires_at: number;
};

/**
 * Claims a form for this copy. Of concurrent copies one gets true, and all others false until the claim expires. A row
 * that expires after `latest` is from before the clock was set back, and counts as expired (F12).
 */
export async function claimFormPost(
  db: DB,
  id: string,
  now: number,
  { expires_at, latest }: { expires_at: number; latest: number },
): Promise<boolean> {
  const row = await db.get(
    `INSERT INTO form_posts (id, word, expires_at) VALUES ($1, NULL, $2)
     ON CONFLICT (id) DO UPDATE SET word = NULL, expires_at = $2
     WHERE form_posts.expires_at <= $3 OR form_posts.expires_at > $4
     RETURNING id`,
    id,
    expires_at,
    now,
    latest,
  );
  return row !== undefined;
}

/** The word of a form that was posted. Undefined when there is none, null while its first copy runs. */
export async function findFormPost(db: DB, id: string): Promise<string | null | undefined> {
  return (await db.get<Pick<FormPostRow, "word">>("SELECT word FROM form_posts WHERE id = $1", id))?.word;
}

/** Stores the word for what a form did. */
export async function keepFormPost(db: DB, { id, word, expires_at }: FormPostRow): Promise<void> {
  await db.run("UPDATE form_posts SET word = $1, expires_at = $2 WHERE id = $3", word, expires_at, id);
}

/** Forgets a form, so that the next copy of it runs. Does nothing once another copy of it has a word. */
export async function deleteFormPost(db: DB, id: string): Promise<void> {
  await db.run("DELETE FROM form_posts WHERE id = $1 AND word IS NULL", id);
}

/** Deletes up to `limit` expired rows, and gives their number. */
export function sweepFormPosts(db: DB, now: number, limit: number): Promise<number> {
  return db.run(
    `DELETE FROM form_posts WHERE id IN (
       SELECT id FROM form_posts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    now,
    limit,
  );
}
