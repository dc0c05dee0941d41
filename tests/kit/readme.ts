/**
 * The README as data: its chapters, tables and blocks, for the tests that compare it with the code. Must not know what
 * they contain.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "./process/started_service.ts";

/** A fenced block. */
interface Block {
  /** The word after the opening fence. */
  language: string;
  /** The content, without the last line break. */
  text: string;
  /** Whether only empty lines separate it from the previous block. */
  follows: boolean;
  /** The HTML comment right before it, which readers do not see, or "". */
  note: string;
}

/** The whole README. */
export const README: string = Deno.readTextFileSync(`${PROJECT}/README.md`);

/** The README without its fenced blocks. */
export const PROSE: string = README.replace(/^```.*\n[^]*?^```$/gm, "");

/** The text of a chapter, from its heading to the next one of the same level. */
export function chapter(title: string): string {
  // Search headings in the prose only: a line of a block may also begin with "##".
  const found = README.split(/^(?=## )/m).find((part) => part.startsWith(`## ${title}\n`));
  assert.ok(found, `README.md has no chapter "## ${title}"`);
  return found;
}

/** The rows of the one table with this heading in its first column; cells keep their Markdown. */
export function table(heading: string): string[][] {
  const tables = PROSE.match(/(?:^\|.*\|\n)+/gm)!.map((text) => text.trimEnd().split("\n").map(cellsOf));
  const found = tables.filter(([head]) => head[0] === heading);
  assert.equal(found.length, 1, `README.md has ${found.length} tables that begin with a column "${heading}"`);
  return found[0].slice(2);
}

/** The fenced blocks of a text, in order. */
export function blocks(text: string = README): Block[] {
  let end = 0;
  return [...text.matchAll(/^```(\S*)\n([^]*?)\n?^```$/gm)].map((match) => {
    const between = text.slice(end, match.index);
    end = match.index + match[0].length;
    return {
      language: match[1],
      text: match[2],
      follows: between.trim() === "",
      note: /<!-- ([^>]*) -->\s*$/.exec(between)?.[1] ?? "",
    };
  });
}

/** The one block in this language that contains these words. */
export function block(language: string, words: string): string {
  const found = blocks().filter((each) => each.language === language && each.text.includes(words));
  assert.equal(found.length, 1, `README.md has ${found.length} blocks in ${language} that hold "${words}"`);
  return found[0].text;
}

/** A cell without its backticks. */
export function plain(cell: string): string {
  return cell.replaceAll("`", "");
}

/** All code spans of a text without blocks. */
export function codeSpans(text: string = PROSE): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]);
}

/** The targets of all links. */
export function links(): string[] {
  return [...PROSE.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]);
}

/** The anchor of each heading: lower-case letters, digits and hyphens, as code forges make them. */
export function anchors(): string[] {
  return [...PROSE.matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    `#${match[1].toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")}`
  );
}

/** The round trips to PostgreSQL for each request in the table. */
export function shownRoundTrips(): Record<string, number> {
  return Object.fromEntries(
    table("Request to a service on PostgreSQL").map(([request, count]) => [
      plain(request),
      Number(count),
    ]),
  );
}

function cellsOf(line: string): string[] {
  return line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
