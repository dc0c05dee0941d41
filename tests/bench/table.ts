/**
 * The result of a part of the benchmark, as Markdown for the README. Must not measure.
 *
 * @module
 */

/** A value of a row; undefined is an empty cell. */
type Cell = string | number | undefined;

/** The result of one part. */
export interface Table {
  /** What was measured. */
  title: string;
  /** The columns; the first one names the row. */
  columns: string[];
  rows: Cell[][];
}

/** The table in Markdown. */
export function markdown({ title, columns, rows }: Table): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, index) => index === 0 ? "---" : "---:");
  return [
    `### ${title}`,
    "",
    line(columns),
    line(rule),
    ...rows.map((row) => line(row.map(shown))),
    "",
  ].join("\n");
}

/** The median of these numbers. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Three digits are as precise as such a measurement is. */
function shown(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (cell >= 100) return Math.round(cell).toLocaleString("en");
  return cell.toFixed(cell >= 10 ? 1 : cell >= 0.1 ? 2 : 3);
}
