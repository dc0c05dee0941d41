/**
 * Formats results: tables and times for people, JSON for programs, progress of long work. Must not let text from users
 * move the cursor or colour the terminal (S23).
 *
 * @module
 */
import { escapeControls } from "../../auth/runtime/log.ts";
import type { Outside } from "./command.ts";

/** How often progress is shown, in milliseconds, on a terminal and elsewhere. */
const REDRAW = 100, NOTE = 5_000;
/** Width of the bar, in characters. */
const BAR = 30;

/** A value as one line of JSON. */
export function json(value: unknown): string {
  return escapeControls(JSON.stringify(value));
}

/** Rows below their headings. Each column is as wide as its widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows].map((row) => row.map(plain));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()).join("\n");
}

/** A line for each pair of a name and its value. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${plain(value)}`).join("\n");
}

/** A time for people, in UTC; "-" for none. */
export function moment(time: number | null | undefined): string {
  return time === null || time === undefined
    ? "-"
    : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Escapes characters that move the cursor, hide text or change its direction. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

/**
 * Gives a function that shows the progress of long work: a moving bar on a terminal, an occasional line elsewhere. The
 * total may be unknown.
 */
export function progress(outside: Outside, what: string): (done: number, total?: number) => void {
  let toldAt = performance.now();
  return (done, total) => {
    const now = performance.now();
    const last = total !== undefined && done >= total;
    if (!last && now - toldAt < (outside.redraw ? REDRAW : NOTE)) return;
    toldAt = now;
    const share = total === undefined || total === 0 ? undefined : done / total;
    const amount = share === undefined ? String(done) : `${done} of ${total} (${Math.floor(share * 100)} %)`;
    if (!outside.redraw) return outside.note(`${what}: ${amount}`);
    const filled = Math.round((share ?? 0) * BAR);
    const bar = share === undefined ? "" : `[${"#".repeat(filled)}${".".repeat(BAR - filled)}] `;
    outside.redraw(`${bar}${what}: ${amount}${last ? "\n" : ""}`);
  };
}
