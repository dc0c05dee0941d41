/**
 * How dear the stored password hashes are, so that a login at an unknown address costs as much as one at some account.
 * Must not hash.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { DB } from "../../db/db.ts";
import { listHashBeginnings } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Config } from "../config.ts";
import { costOfHash } from "./password_hash_format.ts";

/** How many users have hashes of each work. A work is a scheme and its cost, as `bcrypt 12`. */
export type StoredCosts = ReadonlyMap<string, number>;

/** Users read at once: others are answered between two pages. */
const PAGE = 1_000;
/** Enough of a stored hash to tell its scheme and cost. */
const BEGINNING = 32;

/** Counts the hashes of all users who may sign in. Reads the whole table in pages. */
export async function countStoredCosts(db: DB, { profile }: Pick<Config, "profile">): Promise<StoredCosts> {
  const counts = new Map<string, number>();
  for (let after = "";;) {
    const rows = await listHashBeginnings(db, after, PAGE, BEGINNING);
    for (const row of rows) {
      // No hash is compared for others, so their addresses cost what unknown ones do.
      const signsIn = row.closed_at === null && row.disabled_at === null &&
        (profile === "local" || row.email_verified_at !== null);
      const cost = signsIn && row.beginning !== null ? costOfHash(row.beginning) : undefined;
      if (cost !== undefined) counts.set(workOf(cost), (counts.get(workOf(cost)) ?? 0) + 1);
    }
    if (rows.length < PAGE) return counts;
    after = rows[rows.length - 1].id;
    // SQLite answers in this thread.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/**
 * The cost of the hash at an address that has none. Over many addresses it is as frequent as that cost among the stored
 * hashes; for one address it stays the same, since repeated logins would show another. The work is the same for every
 * address (S17).
 */
export async function costWithoutHash(auth: Auth, address: string): Promise<number> {
  const [counts, key] = await Promise.all([auth.storedCosts.get(), auth.keyring.current("work")]);
  const point = createHmac("sha256", key).update(address).digest().readUIntBE(0, 6) / 2 ** 48;
  const costs = [...counts ?? []].map(([work, count]) => ({ cost: Number(work.split(" ")[1]), count }))
    .sort((one, other) => one.cost - other.cost);
  let left = point * costs.reduce((sum, { count }) => sum + count, 0);
  for (const { cost, count } of costs) {
    if (left < count) return cost;
    left -= count;
  }
  return auth.config.bcryptCost;
}

function workOf(cost: number): string {
  return `bcrypt ${cost}`;
}
