/**
 * Copies the whole content of a database into another one and compares both. Must not write to the source or leave a
 * partial copy in the target.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { DB } from "../../db/db.ts";
import type { Row } from "../../db/engines/driver.ts";
import { DatabaseRefused, UniqueViolation } from "../../db/errors.ts";
import {
  addPage,
  countRows,
  firstTableInUse,
  hasTodaysSchema,
  pagesOf,
  type Table,
  TABLES,
} from "../../db/maintenance/copy.ts";
import { migrate } from "../../db/migrations.ts";

interface Move {
  /** URL of the source. */
  from: string;
  /** URL of the target. */
  to: string;
  /** Relative file names in both URLs are resolved against this folder. */
  folder: string;
  /** Milliseconds since 1970. */
  now: number;
  /** Called after every page: with the rows copied so far, then with the rows compared so far. */
  onProgress?: MoveProgress;
}

/** `total` is undefined when counting all rows takes too long. */
type MoveProgress = (step: "copied" | "compared", rows: number, total: number | undefined) => void;

/** One table after the move, the same on both sides. */
export interface MovedTable {
  name: string;
  rows: number;
  /** Value of its {@linkcode Digest}. */
  digest: string;
}

/**
 * Copies every table in one transaction of the target, and keeps the copy only when both sides have the same rows.
 * Throws `DatabaseRefused` for a source of another version, a target that is not empty, or a difference.
 */
export async function moveDatabase(move: Move): Promise<MovedTable[]> {
  if (move.to === "sqlite::memory:") throw new DatabaseRefused("a database in memory would be gone at once");
  await using source = await DB.open(move.from, { folder: move.folder, existing: true });
  if (!await hasTodaysSchema(source)) {
    throw new DatabaseRefused(
      "the database to move has not the schema of this version; start this version on it once, stop it, then move",
    );
  }
  await using target = await DB.open(move.to, { folder: move.folder });
  await target.requireFit();
  await refuseUsed(target);
  await migrate(target, move.now);
  const told = (step: "copied" | "compared", total?: number): Take => (_table, _page, rows) =>
    Promise.resolve(move.onProgress?.(step, rows, total));
  // Outside the transactions: a count that the engine breaks off would end them.
  const total = await countRows(source).catch(() => undefined);
  // Not inside the transaction: Citus lets none write to a reference table after it read all nodes. Whoever writes after
  // this look makes the two sides differ, or meets a key that is there.
  await refuseUsed(target);
  return await target.transaction(async (to) => {
    const sent = await source.snapshot((from) => copy(from, to, told("copied", total)));
    const arrived = await eachTable(to, told("compared", sent.reduce((sum, { rows }) => sum + rows, 0)));
    const different = TABLES.filter((_, index) =>
      sent[index].rows !== arrived[index].rows || sent[index].value !== arrived[index].value
    );
    if (different.length > 0) {
      const names = different.map((table) => table.name).join(", ");
      throw new DatabaseRefused(`the copy differs from the original (${names}), so nothing was kept`);
    }
    return TABLES.map(({ name }, index) => ({ name, rows: arrived[index].rows, digest: arrived[index].value }));
  }).catch((error) => {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new DatabaseRefused("another program writes to the database to fill, so nothing was kept");
  });
}

/**
 * Counts rows and adds up their SHA-256 modulo 2^256. A sum needs no order of rows: two engines may sort text
 * differently.
 */
export class Digest {
  readonly #columns: readonly string[];
  #sum = 0n;
  #rows = 0;

  /** The columns fix the order of a row's values. */
  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  add(page: Row[]): void {
    for (const row of page) {
      const text = JSON.stringify(this.#columns.map((column) => row[column]));
      this.#sum += BigInt(`0x${createHash("sha256").update(text).digest("hex")}`);
    }
    this.#sum = BigInt.asUintN(256, this.#sum);
    this.#rows += page.length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The sum, as 64 hexadecimal digits. */
  get value(): string {
    return this.#sum.toString(16).padStart(64, "0");
  }
}

/** Receives a page of a table, and the number of rows so far in all tables. */
type Take = (table: Table, page: Row[], rows: number) => Promise<void>;

async function copy(from: DB, to: DB, told: Take): Promise<Digest[]> {
  return await eachTable(from, async (table, page, rows) => {
    await addPage(to, table, page);
    await told(table, page, rows);
  });
}

/** Reads every page of every table. Gives the digest of each table, in the order of `TABLES`. */
async function eachTable(db: DB, take: Take): Promise<Digest[]> {
  const all: Digest[] = [];
  let rows = 0;
  for (const table of TABLES) {
    const digest = new Digest(table.columns);
    for await (const page of pagesOf(db, table)) {
      digest.add(page);
      await take(table, page, rows += page.length);
    }
    all.push(digest);
  }
  return all;
}

async function refuseUsed(target: DB): Promise<void> {
  const used = await firstTableInUse(target);
  if (used === undefined) return;
  throw new DatabaseRefused(`the database to fill is not empty: its table ${used} has rows; nothing was written`);
}
