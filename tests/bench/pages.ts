/**
 * The part `pages`: the CPU time of the page of an account with as many sessions as an account may have.
 *
 * @module
 */
import { BROWSER_ACCEPT } from "../kit/form_browser.ts";
import type { PostgresServer } from "../kit/process/postgres_server.ts";
import { checks } from "./profile.ts";
import { type Contender, inRounds } from "./rounds.ts";
import { engines, fillService } from "./servers.ts";
import type { Table } from "./table.ts";

const SESSIONS = 100;

/** Asks for `/account` over one connection. */
export async function pages(
  folder: string,
  postgres: PostgresServer,
  { rounds, count }: { rounds: number; count: number },
): Promise<Table[]> {
  const contenders: Contender[] = [];
  for (const [name, url] of await engines(folder, "pages", postgres)) {
    const filled = await fillService(folder, { DATABASE_URL: url }, { users: 1, sessions: SESSIONS });
    contenders.push(checks({ name, ...filled, path: "/account", accept: BROWSER_ACCEPT }, count, 1));
  }
  const results = await inRounds(contenders, rounds, []);
  return [{
    title: `The page \`/account\` with ${SESSIONS} sessions, ${results.count} rounds of ${count}`,
    columns: ["engine", "CPU µs a page", "p99 ms"],
    rows: contenders.map(({ name }) => [name, results.spread(name, "cpu"), results.spread(name, "p99")]),
  }];
}
