/**
 * The ids in comments and names of tests: tests/security.md says what each means and which tests prove it. Must not let
 * a row without a test pass, or an id without a row.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "./kit/process/started_service.ts";
import { idsIn, idsOfName, isId, placeOf, securityRows, trialsIn } from "./kit/security_rows.ts";

const rows = securityRows();

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

const known = new Set(rows.map(({ id }) => id));

Deno.test("every id in the code and in the tests has a row in tests/security.md", () => {
  const unknown = [...sources].flatMap(([file, text]) =>
    idsIn(text).filter((id) => !known.has(id)).map((id) => `${id} in ${file}`)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("every attack and trial that a test's name begins with has a row, once the table has rows", () => {
  const trials = rows.filter(({ id }) => /^[A-D]/.test(id));
  if (trials.length === 0) return;
  const unknown = [...sources].flatMap(([file, text]) =>
    testNames(text).flatMap(trialsIn).filter((id) => !known.has(id)).map((id) => `${id} in ${file}`)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("a test's name carries the id of an attack only at its beginning", () => {
  assert.deepEqual(idsOfName("A1: an undo ends later changes only"), ["A1"]);
  assert.deepEqual(idsOfName("A11, B10: S17: C6: something"), ["S17", "A11", "B10", "C6"]);
  assert.deepEqual(idsOfName("A4 paper, C1 control characters and B2: all is text"), []);
  assert.deepEqual(idsOfName("a page of A4: it is printed whole (S66)"), ["S66"]);
  assert.deepEqual(idsOfName("A12: there is no such attack"), []);
});

Deno.test("every row names tests whose names carry its id", () => {
  const wrong = rows.flatMap(({ id, files }) => {
    if (files.length === 0) return [`${id} names no test`];
    return files.filter((file) => !testNames(sources.get(file) ?? "").some((name) => idsOfName(name).includes(id)))
      .map((file) =>
        sources.has(file) ? `no test in ${file} is named ${id}` : `${id} names ${file}, which is not there`
      );
  });
  assert.deepEqual(wrong, []);
});

Deno.test("the rows are in order, none is there twice, and no cell is empty", () => {
  assert.ok(rows.length > 100, `${rows.length} rows were read`);
  const ids = rows.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)].sort((one, other) => placeOf(one) - placeOf(other)));
  // Attacks and trials have no column for a source.
  const width = (id: string): number => /^[A-D]/.test(id) ? 3 : 4;
  assert.deepEqual(
    rows.filter(({ id, cells }) => cells.length !== width(id) || cells.includes("")).map(({ id }) => id),
    [],
  );
  assert.deepEqual(ids.filter((id) => !isId(id)), []);
});
