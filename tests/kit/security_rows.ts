/**
 * Reads the tables of tests/security.md. Must not judge them.
 *
 * @module
 */
import { PROJECT } from "./process/started_service.ts";

/** A row of tests/security.md. */
export interface SecurityRow {
  /** The id. */
  id: string;
  /** All cells, without the blanks around them. */
  cells: string[];
  /** The test files that it names, in its order. */
  files: string[];
}

/** Ids that may stand anywhere: in comments and in names of tests. */
const ANYWHERE = /\b(?:S[1-9]\d?|[VF]\d\d)\b/g;
/** Ids of the table "Attacks and trials". Elsewhere than in its place, "A4" may be a size of paper. */
const TRIAL = /\b(?:A(?:[1-9]|1[01])|B(?:[1-9]|10)|C[1-6]|D1)\b/g;
/** That place: the ids at the beginning of a test's name, with commas or colons between them and a colon at the end. */
const BEGINNING = new RegExp(
  `^(?:(?:${ANYWHERE.source}|${TRIAL.source})(?:, |: ))*(?:${TRIAL.source}|${ANYWHERE.source}): `,
);
/** The kinds of ids, in the order of the tables. */
const KINDS = "SVFABCD";

/** The rows of all tables, in their order. */
export function securityRows(): SecurityRow[] {
  const lines = Deno.readTextFileSync(`${PROJECT}/tests/security.md`).split("\n");
  return lines.filter((line) => /^\| [SVFABCD]\d/.test(line)).map((line) => {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    return { id: cells[0], cells, files: [...cells.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, file]) => file) };
  });
}

/** The ids S, V and F in a text. */
export function idsIn(text: string): string[] {
  return text.match(ANYWHERE) ?? [];
}

/** The ids of attacks and trials that the name of a test begins with. */
export function trialsIn(name: string): string[] {
  return BEGINNING.exec(name)?.[0].match(TRIAL) ?? [];
}

/** All ids that the name of a test carries. */
export function idsOfName(name: string): string[] {
  return [...idsIn(name), ...trialsIn(name)];
}

/** The place of an id among all, to compare orders. */
export function placeOf(id: string): number {
  return KINDS.indexOf(id[0]) * 100 + Number(id.slice(1));
}

/** Whether a text is an id that a row may have. */
export function isId(text: string): boolean {
  return /^\w+$/.test(text) && idsOfName(`${text}: `).length === 1;
}
