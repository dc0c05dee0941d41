/**
 * How dear the stored password hashes are, so that a login at an unknown address costs as much as one at some account.
 * Must not hash.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { DB } from "../../db/db.ts";
import { findLastId, listHashes } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Config } from "../config.ts";
import { parseHash } from "./password_hash_format.ts";

/** How many users have hashes of each work. A work is a scheme and its cost, as `bcrypt 12`. */
export type StoredCosts = ReadonlyMap<string, number>;

/** Users read at once: others are answered between two pages. */
const PAGE = 1_000;
/** Up to so many pages every user is counted. Of a larger table, so many pages are a sample. */
const MOST_PAGES = 100;

/** Counts the hashes of the users who may sign in: of all, or in a table of more than 100,000 users of a sample. */
export async function countStoredCosts(
  db: DB,
  { profile }: Pick<Config, "profile">,
  { page = PAGE, mostPages = MOST_PAGES } = {},
): Promise<StoredCosts> {
  let counts = new Map<string, number>();
  const countAfter = async (after: string): Promise<string | undefined> => {
    const rows = await listHashes(db, after, page);
    for (const row of rows) {
      // No hash is compared for others, so their addresses cost what unknown ones do.
      const signsIn = row.closed_at === null && row.disabled_at === null &&
        (profile === "local" || row.email_verified_at !== null);
      const cost = signsIn && row.hashed_password !== null ? parseHash(row.hashed_password)?.cost : undefined;
      if (cost !== undefined) counts.set(workOf(cost), (counts.get(workOf(cost)) ?? 0) + 1);
    }
    // SQLite answers in this thread.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return rows.length < page ? undefined : rows[rows.length - 1].id;
  };
  let after: string | undefined = "";
  for (let pages = 0; pages < mostPages && after !== undefined; pages++) after = await countAfter(after);
  if (after === undefined) return counts;
  // A larger table: pages at equal distances of time, since ids begin with it.
  const [first, last] = [(await listHashes(db, "", 1))[0]?.id ?? "", await findLastId(db) ?? ""].map(timeOf);
  counts = new Map();
  for (let pages = 0; pages < mostPages; pages++) {
    await countAfter(idAt(first + Math.round((last - first) * pages / mostPages)));
  }
  return counts;
}

/** The first 48 bits of an id of version 7 (RFC 9562, 5.7), and of any other UUID. */
function timeOf(id: string): number {
  const time = parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  return Number.isNaN(time) ? 0 : time;
}

function idAt(time: number): string {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
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
