/**
 * The result of a part of the benchmark, as Markdown for docs/speed.md. Must not measure.
 *
 * @module
 */

/** A value of a row; undefined is an empty cell. */
export type Cell = string | number | undefined;

/** One result of a part. */
export interface Table {
  /** What was measured. */
  title: string;
  /** The columns; the first one names the row. */
  columns: string[];
  rows: Cell[][];
}

/** The widest distance between the quartiles of a ratio that is printed. */
const WIDEST = 0.3;

/** The table in Markdown. */
export function markdown({ title, columns, rows }: Table): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, index) => index === 0 ? "---" : "---:");
  return [`### ${title}`, "", line(columns), line(rule), ...rows.map((row) => line(row.map(shown))), ""].join("\n");
}

/** The value below which this part of the values lies, with straight lines between them. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = Math.floor(place);
  return sorted[below] + (place - below) * (sorted[Math.ceil(place)] - sorted[below]);
}

/** The median of these numbers. */
export function median(values: number[]): number {
  return quantile(values, 0.5);
}

/** The median with the quartiles behind it, of a figure that is no ratio. */
export function spread(values: number[]): string {
  return `${shown(median(values))} (${shown(quantile(values, 0.25))}-${shown(quantile(values, 0.75))})`;
}

/** Whether the quartiles of a ratio are too far apart. Below 1 the same share of it counts, or 1/20 could be anything. */
export function isWide(values: number[]): boolean {
  return quantile(values, 0.75) - quantile(values, 0.25) > WIDEST * Math.min(1, median(values));
}

/** A ratio: its median with the quartiles, or words where these are too far apart. */
export function ratio(values: number[]): string {
  return isWide(values) ? "not measurable now" : spread(values);
}

/** Three digits are as precise as such a measurement is. */
function shown(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (cell >= 100) return Math.round(Number(cell.toPrecision(3))).toLocaleString("en");
  return cell.toFixed(cell >= 10 ? 1 : cell >= 0.1 || cell === 0 ? 2 : 3);
}
