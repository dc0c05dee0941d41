/**
 * The README's table of limits, made from the limits themselves.
 *
 * @module
 */
import type { Limit } from "../../auth/limits/limit_rows.ts";
import { intervalOf, LIMITS } from "../../auth/limits/limits.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** The README's table: what is counted, the limit, what follows, and why. */
export function limitTable(): string {
  const limits: readonly Limit[] = Object.values(LIMITS);
  const rows = [
    ["what is counted", "limit", "beyond it", "why"],
    ["---", "---", "---", "---"],
    ...limits.flatMap(cells),
  ];
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function cells(limit: Limit): string[][] {
  if (limit.readme === undefined) return [];
  const { counted, why } = limit.readme;
  const what = limit.profile === "public" ? `${counted}, public profile` : counted;
  if ("window" in limit) {
    const { beyond } = limit.readme;
    if (!limit.refills) return [[what, `${limit.most} in ${duration(limit.window)}`, beyond, why]];
    return [[what, `${limit.most} at once`, `one every ${duration(intervalOf(limit))}, otherwise ${beyond}`, why]];
  }
  const { free, first, longest, most } = limit;
  if (limit.readme.beyond !== undefined) return [[what, `${most} in all`, limit.readme.beyond, why]];
  const wait = `one every ${duration(first)}, doubling to ${duration(longest)}`;
  return [[what, `${free} free, ${most} in all`, `${wait}; after ${most} only once the mailbox is proven`, why]];
}

function duration(time: number): string {
  if (time % DAY === 0 && time > DAY) return `${time / DAY} days`;
  if (time % HOUR === 0) return time === HOUR ? "an hour" : `${time / HOUR} hours`;
  return time % MINUTE === 0 ? `${time / MINUTE} minutes` : `${time / SECOND} seconds`;
}
