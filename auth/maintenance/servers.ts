/**
 * Judges how a PostgreSQL installation is made up: standbys, and with Citus the place of each table. Must not read the
 * database or change it.
 *
 * @module
 */
import { TABLES } from "../../db/maintenance/copy.ts";
import type { Citus, Placement, Servers } from "../../db/maintenance/servers.ts";
import type { Check } from "./check.ts";

/**
 * Tables that Citus spreads, and by which column. Every other table has two unique keys, or is small, and is whole on
 * every node: Citus wants the column of distribution in each unique key.
 */
const SPREAD: Readonly<Record<string, string>> = {
  sessions: "secret_hash",
  pending_logins: "secret_hash",
  events: "id",
  counters: "id",
  guesses: "id",
  form_posts: "id",
};
const TODO = "docs/scaling.md has the whole order";

/** What each table needs, in the order in which Citus takes the commands: first what others refer to. */
export const PLACES: readonly { table: string; place: Placement; command: string }[] = [
  ...TABLES.map(({ name }) => name).filter((name) => !(name in SPREAD)).concat("migrations").map((table) => ({
    table,
    place: "reference" as const,
    command: `SELECT create_reference_table('${table}');`,
  })),
  ...TABLES.filter(({ name }) => name in SPREAD).map(({ name }) => ({
    table: name,
    place: "distributed" as const,
    command: `SELECT create_distributed_table('${name}', '${SPREAD[name]}');`,
  })),
];

/** Judges the servers; an empty list for SQLite. */
export function serverChecks(servers: Servers | undefined): Check[] {
  if (servers === undefined) return [];
  const { standbys, citus, unreadable } = servers;
  if (citus) return [standbyCheck(standbys, citus), tablesCheck(citus), settingCheck(citus)];
  if (unreadable !== undefined) {
    const found = `Citus, and its catalogues cannot be read: ${unreadable}`;
    return [{ check: "servers", state: "warn", found, todo: TODO }];
  }
  // Whether one server is enough is the operator's decision.
  return [{ check: "servers", state: "ok", found: `PostgreSQL with ${counted(standbys)} connected` }];
}

function standbyCheck(standbys: number, { workers }: Citus): Check {
  const check = "servers", nodes = [{ node: "the coordinator", standbys }, ...workers];
  const found = `Citus, ${workers.length} workers; standbys: ${
    nodes.map(({ node, standbys }) => `${node} ${standbys ?? "does not answer"}`).join(", ")
  }`;
  if (nodes.some((node) => node.standbys === undefined)) {
    return { check, state: "fail", found, todo: "bring the worker back: nobody logs in without it" };
  }
  if (nodes.every((node) => node.standbys! > 0)) return { check, state: "ok", found };
  return { check, state: "warn", found, todo: "give each node a standby: nobody logs in while one is away" };
}

function tablesCheck({ placed }: Citus): Check {
  const check = "citus tables";
  const local = PLACES.filter(({ table }) => !placed.has(table));
  const wrong = PLACES.filter(({ table, place }) => placed.has(table) && placed.get(table) !== place);
  if (wrong.length > 0) {
    const names = wrong.map(({ table, place }) => `${table} (should be ${place})`).join(", ");
    return { check, state: "warn", found: `placed in another way: ${names}`, todo: TODO };
  }
  if (local.length === PLACES.length) {
    return { check, state: "warn", found: "Citus spreads none of them", todo: `${TODO}; or do without Citus` };
  }
  if (local.length === 0) return { check, state: "ok", found: "each is on the nodes that it should be on" };
  const found = `on the coordinator only: ${local.map(({ table }) => table).join(", ")}`;
  return { check, state: "warn", found, todo: `${local.map(({ command }) => command).join(" ")} ${TODO}` };
}

function settingCheck({ placed, isCommutative }: Citus): Check {
  const check = "citus setting", name = "citus.all_modifications_commutative";
  if (isCommutative) return { check, state: "ok", found: `${name} is on` };
  if (![...placed.values()].includes("reference")) return { check, state: "ok", found: "no table needs it yet" };
  return {
    check,
    state: "fail",
    found: `${name} is off, so logins deadlock`,
    todo: `ALTER DATABASE … SET ${name} = on; then restart the service`,
  };
}

function counted(standbys: number): string {
  return standbys > 1 ? `${standbys} standbys` : `${standbys === 0 ? "no" : "one"} standby`;
}
