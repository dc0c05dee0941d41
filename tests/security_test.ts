/**
 * The ids S, V and F in comments and names of tests: tests/security.md says what each means and which tests prove it.
 * Must not let a row without a test pass, or an id without a row.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "./kit/process/started_service.ts";

/** Every id there could be, so that one which nobody defined is found too. */
const ID = /\b(?:S[1-9]\d?|[VF]\d\d)\b/g;
const KINDS = "SVF";

interface Row {
  /** The id. */
  id: string;
  /** All cells, without the blanks around them. */
  cells: string[];
  /** The files that it names. */
  files: string[];
}

const rows: Row[] = read("tests/security.md").split("\n").filter((line) => /^\| [SVF]\d/.test(line)).map((line) => {
  const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
  return { id: cells[0], cells, files: [...cells.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, file]) => file) };
});

/** The text of each file of the service and of the tests. */
const sources = new Map(
  ["main.ts", ...["auth", "db", "routes", "tests"].flatMap(walk)].map((file) => [file, read(file)]),
);

function read(file: string): string {
  return Deno.readTextFileSync(`${PROJECT}/${file}`);
}

function walk(folder: string): string[] {
  return [...Deno.readDirSync(`${PROJECT}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return name === "node_modules" ? [] : walk(path);
    return /\.(?:tsx?|js|css|sql)$/.test(name) ? [path] : [];
  });
}

/** The start of a test, by Deno.test or by a helper of the tests. */
const CALL = /(?<![.\w])(?:Deno\.test|test|testMail|testWith|onEmpty)\(\s*/;
/** What testWith takes before the name: a list of commands, or a constant that holds one. */
const COMMANDS = /(?:(?:\w+|\[(?:[^[\]]|\[[^[\]]*\])*\]),\s*)?/;
const NAME = /("(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/;
const DECLARED = new RegExp(CALL.source + COMMANDS.source + NAME.source, "g");

/** The names of the tests that a file declares. */
function testNames(source: string): string[] {
  return [...source.matchAll(DECLARED)].map(([, name]) => name.slice(1, -1));
}

const idsIn = (text: string): string[] => text.match(ID) ?? [];
const place = (id: string): number => KINDS.indexOf(id[0]) * 100 + Number(id.slice(1));

Deno.test("every id in the code and in the tests has a row in tests/security.md", () => {
  const known = new Set(rows.map(({ id }) => id));
  const unknown = [...sources].flatMap(([file, text]) =>
    idsIn(text).filter((id) => !known.has(id)).map((id) => `${id} in ${file}`)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("every row names tests whose names carry its id", () => {
  const wrong = rows.flatMap(({ id, files }) => {
    if (files.length === 0) return [`${id} names no test`];
    return files.filter((file) => !testNames(sources.get(file) ?? "").some((name) => idsIn(name).includes(id)))
      .map((file) =>
        sources.has(file) ? `no test in ${file} is named ${id}` : `${id} names ${file}, which is not there`
      );
  });
  assert.deepEqual(wrong, []);
});

Deno.test("the rows are in order, none is there twice, and no cell is empty", () => {
  assert.ok(rows.length > 100, `${rows.length} rows were read`);
  const ids = rows.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)].sort((one, other) => place(one) - place(other)));
  assert.deepEqual(rows.filter(({ cells }) => cells.length !== 4 || cells.includes("")).map(({ id }) => id), []);
  for (const id of ids) assert.match(id, new RegExp(`^${ID.source}$`));
});
